import { holdLease, isTerminal, type JobRun, type JobStoreUnavailable } from "@lectern/domain"
import { Cause, Effect } from "effect"
import type { HandlerEnd, JobHandler } from "./JobHandler.ts"

export interface AttemptOptions {
  /** How long others leave a job alone without a heartbeat, in milliseconds. */
  readonly leaseMillis: number
  /** The longest that one attempt may take, in milliseconds. */
  readonly attemptLimitMillis: number
}

const failed = (code: string, message: string): HandlerEnd => ({
  command: { _tag: "Fail", code, message, retryable: true },
  afterwards: Effect.void
})

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
        orElse: () => Effect.succeed<HandlerEnd<R>>(failed("time_limit", "작업이 제한 시간 안에 끝나지 않았습니다"))
      }),
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.failCause(cause)
          : Effect.as(
            Effect.logError("A handler broke", cause),
            failed("bug", "작업 중 예기치 않은 오류가 발생했습니다")
          )
      )
    )).pipe(
      Effect.flatMap((end) =>
        Effect.gen(function*() {
          yield* run.record(end.command)
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
