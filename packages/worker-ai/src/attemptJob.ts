import {
  holdLease,
  isTerminal,
  type JobRun,
  type JobStoreUnavailable,
  recordEnd,
  type WorkerCommand
} from "@lectern/domain"
import { Cause, Effect } from "effect"
import { failedByBug } from "./databaseEnd.ts"
import type { HandlerEnd, JobHandler } from "./JobHandler.ts"

export interface AttemptOptions {
  /** How long others leave a job alone without a heartbeat, in milliseconds. */
  readonly leaseMillis: number
  /** The longest that one attempt may take, in milliseconds. */
  readonly attemptLimitMillis: number
}

const endedWith = (command: WorkerCommand): HandlerEnd => ({ command, afterwards: Effect.void })

const timeLimitReached: WorkerCommand = {
  _tag: "Fail",
  code: "time_limit",
  message: "작업이 제한 시간 안에 끝나지 않았습니다",
  retryable: true
}

/** How long the database is waited for when a job is given back on the way out. */
const giveBackWithin = "10 seconds"

/**
 * One attempt of a claimed job, to the command that ends it. Afterwards the row says what is to be done, not the
 * message.
 *
 * `keep` is said with every pulse of the handler: work that stands still loses its lease and its message alike.
 */
export const attemptJob = Effect.fn("Consumer.attempt")(function*<R>(
  handler: JobHandler<R>,
  options: AttemptOptions,
  run: JobRun,
  keep: Effect.Effect<void>
): Effect.fn.Return<void, JobStoreUnavailable, R> {
  const { job } = yield* run.current
  yield* holdLease(run, options.leaseMillis, (pulse) =>
    handler.handle(run, job.payload, Effect.andThen(pulse, keep)).pipe(
      Effect.timeoutOrElse({
        duration: options.attemptLimitMillis,
        orElse: () => Effect.succeed<HandlerEnd<R>>(endedWith(timeLimitReached))
      }),
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.failCause(cause)
          : Effect.as(
            Effect.logError("A handler broke", cause),
            endedWith(failedByBug({ retryable: true }))
          )
      )
    )).pipe(
      Effect.flatMap((end) =>
        Effect.gen(function*() {
          yield* recordEnd(run, end.command, failedByBug({ retryable: false }))
          const recorded = yield* run.current
          if (isTerminal(recorded.job.status)) yield* end.afterwards
          yield* Effect.logInfo("A job's attempt ended", { status: recorded.job.status, attempt: recorded.job.attempt })
        })
      ),
      Effect.onInterrupt(() =>
        run.record({ _tag: "Preempt", message: "작업 서버가 종료되어 다시 시도합니다" }).pipe(
          Effect.timeout(giveBackWithin),
          Effect.matchEffect({
            onSuccess: () => Effect.logInfo("The job was given back"),
            onFailure: (error) => Effect.logWarning("The job could not be given back", { error: error.message })
          })
        )
      ),
      Effect.catchTags({
        LeaseLost: (error) => Effect.logWarning("The job was taken away", { error: error.message }),
        JobNotFound: (error) => Effect.logWarning("The job is gone", { error: error.message }),
        IllegalTransition: (error) => Effect.die(error)
      })
    )
})
