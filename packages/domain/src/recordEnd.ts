import * as Effect from "effect/Effect"
import type { WorkerCommand } from "./Job.ts"
import type { JobRun } from "./JobRecorder.ts"

/**
 * Records the end of an attempt, and answers whether it was this one. An end that the database will never take, for a value in
 * it or for a fault of ours, is recorded as `instead`, a failure without that value: said again and again it would
 * leave the job without an end.
 */
export const recordEnd = (run: JobRun, command: WorkerCommand, instead: WorkerCommand) =>
  Effect.as(run.record(command), "Recorded" as const).pipe(
    Effect.catchTag("JobStoreUnavailable", (error) =>
      error.retryable
        ? Effect.fail(error)
        : Effect.logError("The end of an attempt cannot be recorded as it is", {
          command: command._tag,
          error: error.message
        }).pipe(
          Effect.andThen(run.record(instead)),
          Effect.as("Instead" as const)
        ))
  )
