import { type Delivery, holdLease, isReadinessJob, isTerminal, type JobMessage, JobQueue, JobRecorder, newUuid } from "@lectern/domain"
import type { JobRun, JobStoreUnavailable, QueueUnavailable } from "@lectern/domain"
import { Cause, Clock, Effect, Exit, Result, Semaphore } from "effect"
import type { HandlerEnd, Handlers, JobHandler } from "./JobHandler.ts"

export interface ConsumerOptions {
  /** Jobs at a time. */
  readonly concurrency: number
  /** How long others leave a job alone without a heartbeat, in milliseconds; the messages' visibility is the same. */
  readonly leaseMillis: number
  /** How long one receive waits for messages, in seconds (0..20). */
  readonly waitSeconds: number
  /** The longest that one attempt may take, in milliseconds. */
  readonly attemptLimitMillis: number
}

export const defaultConsumerOptions: ConsumerOptions = {
  concurrency: 2,
  leaseMillis: 60_000,
  waitSeconds: 20,
  attemptLimitMillis: 3_600_000
}

/**
 * Takes messages from the queue and does their jobs, until it is interrupted; then what is in hand is given back.
 *
 * A message is acknowledged only after what came of its job is recorded. Everything that a message may meet is
 * decided by the row: done already, in other hands, not due, unknown.
 */
export const consume = <R>(
  handlers: Handlers<R>,
  options: ConsumerOptions
): Effect.Effect<never, never, JobQueue | JobRecorder | R> =>
  Effect.gen(function*() {
    const queue = yield* JobQueue
    const permits = yield* Semaphore.make(options.concurrency)
    const owner = `consumer-${yield* newUuid}`
    const visibilitySeconds = Math.ceil(options.leaseMillis / 1000)

    const round = Effect.gen(function*() {
      // No message is fetched before there is a hand for it: one that waits here loses its visibility (INCIDENTS.md, 38).
      yield* permits.take(1)
      const deliveries = yield* queue.receive({ max: 1, waitSeconds: options.waitSeconds, visibilitySeconds }).pipe(
        Effect.onExit((exit) =>
          Exit.isSuccess(exit) && exit.value.length > 0 ? Effect.void : permits.release(1)
        )
      )
      yield* Effect.forEach(deliveries, (delivery) =>
        deliver(handlers, options, owner, delivery).pipe(
          Effect.catchTags({ QueueUnavailable: later, JobStoreUnavailable: later }),
          Effect.ensuring(permits.release(1)),
          Effect.forkScoped
        ))
    }).pipe(
      Effect.catchTag("QueueUnavailable", (error) =>
        Effect.logWarning("The consumer cannot receive and waits", { error: error.message }).pipe(
          Effect.andThen(Effect.sleep("1 second"))
        ))
    )

    return yield* Effect.forever(round)
  }).pipe(Effect.scoped)

/** The message comes back by itself when its visibility ends. */
const later = (error: QueueUnavailable | JobStoreUnavailable): Effect.Effect<void> =>
  Effect.logWarning("A message is left to come back", { error: error.message })

const deliver = Effect.fn("Consumer.deliver")(function*<R>(
  handlers: Handlers<R>,
  options: ConsumerOptions,
  owner: string,
  delivery: Delivery
) {
  if (Result.isFailure(delivery.message)) {
    yield* Effect.logError("A message that is none of ours was put aside", { error: delivery.message.failure.detail })
    return yield* delivery.bury
  }
  const message = delivery.message.success
  const labels = { tenant: message.tenant_id, job: message.job_id, kind: message.job_type }
  yield* Effect.annotateCurrentSpan(labels)
  yield* work(handlers, options, owner, delivery, message).pipe(
    Effect.annotateLogs(labels),
    // Told to stop: another consumer may have the message at once.
    Effect.onInterrupt(() => Effect.catchTag(delivery.release(0), "QueueUnavailable", later))
  )
})

const work = Effect.fnUntraced(function*<R>(
  handlers: Handlers<R>,
  options: ConsumerOptions,
  owner: string,
  delivery: Delivery,
  message: JobMessage
) {
  if (message.job_type === "video_encode") {
    yield* Effect.logError("An encode was sent to a queue: encodes run on Batch only")
    return yield* delivery.bury
  }
  const handler = handlers[message.job_type]
  if (handler === undefined) {
    yield* Effect.logError("A message is for a worker that can do its kind of job, and is left to come back")
    return
  }
  const recorder = yield* JobRecorder
  const claimed = yield* Effect.catchTag(
    recorder.claim(message.tenant_id, message.job_id, { owner, leaseMillis: options.leaseMillis }),
    "JobNotFound",
    () => Effect.succeed({ _tag: "Unknown" as const })
  )
  const now = yield* Clock.currentTimeMillis
  switch (claimed._tag) {
    case "Unknown":
      if (isReadinessJob(message.job_id)) {
        yield* Effect.logInfo("A readiness check sent a message through the queue")
        return yield* delivery.acknowledge
      }
      yield* Effect.logError("A message names a job that is not in the database and was put aside")
      return yield* delivery.bury
    case "Finished":
    case "GaveUp":
      return yield* delivery.acknowledge
    case "Expired":
    case "NotDue":
    case "Busy":
      // Never acknowledged: the holder may yet vanish (INCIDENTS.md, 37).
      return yield* delivery.release(Math.min(900, Math.max(1, Math.ceil((claimed.until - now) / 1000))))
    case "Claimed":
      yield* attempt(handler, options, claimed.run, delivery)
      return yield* delivery.acknowledge
  }
})

/** One attempt of a claimed job, to the command that ends it. Afterwards the row says what is to be done, not the message. */
const attempt = Effect.fnUntraced(function*<R>(
  handler: JobHandler<R>,
  options: ConsumerOptions,
  run: JobRun,
  delivery: Delivery
) {
  const visibilitySeconds = Math.ceil(options.leaseMillis / 1000)
  const { job } = yield* run.current
  let extendedAt = yield* Clock.currentTimeMillis

  const extend = Effect.gen(function*() {
    const now = yield* Clock.currentTimeMillis
    if (now - extendedAt < options.leaseMillis / 4) return
    extendedAt = now
    yield* Effect.catchTag(delivery.extend(visibilitySeconds), "QueueUnavailable", (error) =>
      Effect.logWarning("The message's visibility was not extended", { error: error.message }))
  })

  yield* holdLease(run, options.leaseMillis, (pulse) =>
    handler.handle(run, job.payload, Effect.andThen(pulse, extend)).pipe(
      Effect.timeoutOrElse({
        duration: options.attemptLimitMillis,
        orElse: () =>
          Effect.succeed<HandlerEnd<R>>({
            command: {
              _tag: "Fail",
              code: "time_limit",
              message: "작업이 제한 시간 안에 끝나지 않았습니다",
              retryable: true
            },
            afterwards: Effect.void
          })
      }),
      Effect.catchCause((cause) =>
        Cause.hasInterruptsOnly(cause)
          ? Effect.failCause(cause)
          : Effect.as(
            Effect.logError("A handler broke", cause),
            {
              command: {
                _tag: "Fail",
                code: "bug",
                message: "작업 중 예기치 않은 오류가 발생했습니다",
                retryable: true
              },
              afterwards: Effect.void
            } satisfies HandlerEnd<R>
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
          Effect.timeout("10 seconds"),
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
