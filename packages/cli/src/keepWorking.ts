import { readWorkerSettings, runWorker } from "@lectern/worker-ai"
import { Effect } from "effect"
import process from "node:process"
import { exitCodes, fail } from "./CommandFailed.ts"
import { badConfiguration, withLogs } from "./logs.ts"
import { databaseAway } from "./operations/deployment.ts"

/** The worker of the queues, until it is told to stop. */
export const keepWorking = Effect.fn(function*() {
  const settings = yield* Effect.catchTag(readWorkerSettings(process.env), "BadConfiguration", badConfiguration)
  return yield* withLogs(runWorker(settings).pipe(
    Effect.catchTags({
      ConfigError: (error) => fail(exitCodes.configuration, error.message),
      DatabaseUrlInvalid: (error) => fail(exitCodes.configuration, error.message),
      SandboxRefused: (error) => fail(exitCodes.configuration, error.message),
      SqlError: databaseAway(process.env["DATABASE_URL"] ?? "")
    })
  ))
})
