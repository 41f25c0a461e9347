/**
 * The program of the queues' worker: does jobs until it is told to stop. It listens on no port: a container that has
 * to know whether it lives looks at its process, and what stands still loses its jobs to others by itself.
 *
 * Exit codes: 78 the configuration is wrong, 75 the database cannot be reached, 70 a fault of ours, 143 told to stop.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Observability } from "@lectern/observability"
import { Cause, Effect, Exit } from "effect"
import { readWorkerSettings, type WorkerSettings } from "./WorkerSettings.ts"
import { runWorker } from "./runWorker.ts"

const exitCodes = { bug: 70, temporary: 75, configuration: 78, stopped: 143 } as const

const service = "worker-ai"

const refused = (error: { readonly message: string }) =>
  Effect.as(Effect.logFatal(error.message), exitCodes.configuration).pipe(
    Effect.provide(Observability.layerOfRefusal({ service }))
  )

const work = (settings: WorkerSettings) =>
  runWorker(settings).pipe(
    Effect.catchTags({
      ConfigError: refused,
      DatabaseUrlInvalid: refused,
      SandboxRefused: refused,
      SqlError: (error) =>
        Effect.as(Effect.logError("The database cannot be reached", { error: error.message }), exitCodes.temporary)
    }),
    Effect.tapCause((cause) =>
      Cause.hasInterruptsOnly(cause)
        ? Effect.logInfo("The worker was told to stop, and has")
        : Effect.logFatal("The worker broke", cause)
    ),
    Effect.provide(Observability.layer({ service }))
  )

const program = readWorkerSettings(process.env).pipe(
  Effect.flatMap(work),
  Effect.catchTags({ BadConfiguration: refused, ConfigError: refused }),
  Effect.provide(NodeServices.layer)
)

NodeRuntime.runMain(program, {
  disableErrorReporting: true,
  teardown: (exit, onExit) =>
    onExit(
      Exit.isSuccess(exit)
        ? Number(exit.value)
        : Cause.hasInterruptsOnly(exit.cause)
        ? exitCodes.stopped
        : exitCodes.bug
    )
})
