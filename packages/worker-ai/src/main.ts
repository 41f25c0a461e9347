/**
 * The program of the queues' worker: does jobs until it is told to stop. It listens on no port: a container that has
 * to know whether it lives looks at its process, and what stands still loses its jobs to others by itself.
 *
 * Exit codes: 78 the configuration is wrong, 75 the database cannot be reached, 70 a fault of ours, 143 told to stop.
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeServices from "@effect/platform-node/NodeServices"
import { makeProgram, programExits } from "@lectern/observability"
import { Effect } from "effect"
import { runWorker } from "./runWorker.ts"
import { readWorkerSettings, type WorkerSettings } from "./WorkerSettings.ts"

const { ending, observed, refused } = makeProgram({ service: "worker-ai", name: "The worker", stopped: 143 })

const work = (settings: WorkerSettings) =>
  observed(runWorker(settings).pipe(
    Effect.catchTags({
      DatabaseUrlInvalid: refused,
      SandboxRefused: refused,
      SqlError: (error) =>
        Effect.as(Effect.logError("The database cannot be reached", { error: error.message }), programExits.temporary)
    })
  ))

const program = readWorkerSettings(process.env).pipe(
  Effect.flatMap(work),
  Effect.catchTag("BadConfiguration", refused),
  Effect.provide(NodeServices.layer)
)

NodeRuntime.runMain(program, ending)
