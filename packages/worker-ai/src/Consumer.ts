import {
  type Delivery,
  isReadinessJob,
  isTerminal,
  type Job,
  type JobMessage,
  JobQueue,
  JobRecorder,
  JobStore,
  type JobStoreUnavailable,
  newUuid,
  type QueueUnavailable
} from "@lectern/domain"
import { Clock, Effect, Exit, FiberSet, Ref, Result, Semaphore } from "effect"
import { type Admission, makeAdmission } from "./Admission.ts"
import { type AttemptOptions, attemptJob } from "./attemptJob.ts"
import { type HeldMessage, holdMessage, isWornOut, replaceMessage } from "./HeldMessage.ts"
import type { Handlers } from "./JobHandler.ts"

export interface ConsumerOptions extends AttemptOptions {
  /** Jobs at a time of one tenant. One hand more is kept for another tenant's job. */
  readonly concurrency: number
  /** MiB that the jobs in work may hold together, by what their handlers say. */
  readonly memoryMiB: number
  /** How long one receive waits for messages, in seconds (0..20). */
  readonly waitSeconds: number
  /** How long work in hand may go on after the interruption, in milliseconds; what is not done then is given back. */
  readonly graceMillis: number
}

export const defaultConsumerOptions: ConsumerOptions = {
  concurrency: 2,
  memoryMiB: 1_024,
  leaseMillis: 60_000,
  waitSeconds: 20,
  attemptLimitMillis: 3_600_000,
  graceMillis: 15_000
}

/**
 * What a job waits for that comes while its tenant has enough in work, and how long nothing is fetched for the spare
 * hand.
 */
const crowdedSeconds = 5
const crowdedPause = "1 second"

/** As many messages as a queue hands out at once. */
const mostReceived = 10

/** The longest that a message is given back for, in seconds. */
const longestReturn = 900

/**
 * Takes messages from the queue and does their jobs, until it is interrupted; what is then in work has `graceMillis`
 * to end, and is given back after that.
 *
 * A message is acknowledged only after what came of its job is recorded. Everything that a message may meet is
 * decided by the row: done already, in other hands, not due, unknown.
 */
export const consume = <R>(
  handlers: Handlers<R>,
  options: ConsumerOptions
): Effect.Effect<never, never, JobQueue | JobRecorder | JobStore | R> =>
  Effect.gen(function*() {
    const queue = yield* JobQueue
    const hands = yield* Semaphore.make(options.concurrency + 1)
    const consumer: Consumer<R> = {
      handlers,
      options,
      owner: `consumer-${yield* newUuid}`,
      visibilitySeconds: Math.ceil(options.leaseMillis / 1000),
      admission: yield* makeAdmission({ tenantConcurrency: options.concurrency, memoryMiB: options.memoryMiB }),
      stopping: yield* Ref.make(false)
    }
    const { visibilitySeconds } = consumer
    const inHand = yield* FiberSet.make()

    const round = Effect.gen(function*() {
      // No message is fetched before there is a hand for it: one that waits here loses its visibility (INCIDENTS.md,
      // 38).
      yield* hands.take(1)
      let free = 1
      while (free < mostReceived && (yield* hands.takeIfAvailable(1))) free += 1
      const deliveries = yield* queue.receive({ max: free, waitSeconds: options.waitSeconds, visibilitySeconds }).pipe(
        Effect.onExit((exit) => hands.release(free - (Exit.isSuccess(exit) ? exit.value.length : 0)))
      )
      yield* Effect.forEach(deliveries, (delivery) =>
        deliver(consumer, delivery).pipe(
          Effect.catchTags({ QueueUnavailable: later, JobStoreUnavailable: later }),
          Effect.ensuring(hands.release(1)),
          FiberSet.run(inHand)
        ))
    }).pipe(
      Effect.catchTag("QueueUnavailable", (error) =>
        Effect.logWarning("The consumer cannot receive and waits", { error: error.message }).pipe(
          Effect.andThen(Effect.sleep("1 second"))
        ))
    )

    const letWorkEnd = Effect.andThen(
      Ref.set(consumer.stopping, true),
      Effect.timeoutOption(FiberSet.awaitEmpty(inHand), options.graceMillis)
    )
    return yield* Effect.onInterrupt(Effect.forever(round), () => letWorkEnd)
  }).pipe(Effect.scoped)

interface Consumer<R> {
  readonly handlers: Handlers<R>
  readonly options: ConsumerOptions
  readonly owner: string
  readonly visibilitySeconds: number
  readonly admission: Admission
  readonly stopping: Ref.Ref<boolean>
}

/** The message comes back by itself when its visibility ends. */
const later = (error: QueueUnavailable | JobStoreUnavailable): Effect.Effect<void> =>
  Effect.logWarning("A message is left to come back", { error: error.message })

const deliver = Effect.fn("Consumer.deliver")(function*<R>(consumer: Consumer<R>, delivery: Delivery) {
  if (Result.isFailure(delivery.message)) {
    yield* Effect.logError("A message that is none of ours was put aside", { error: delivery.message.failure.detail })
    return yield* delivery.bury
  }
  const message = delivery.message.success
  const labels = { tenant: message.tenant_id, job: message.job_id, kind: message.job_type }
  yield* Effect.annotateCurrentSpan(labels)
  if (isWornOut(delivery)) return yield* replaceMessage(delivery, message)
  const held = yield* holdMessage(delivery, message, consumer.visibilitySeconds)
  yield* begin(consumer, held).pipe(
    Effect.annotateLogs(labels),
    // Told to stop: another consumer may have the message at once.
    Effect.onInterrupt(() => Effect.catchTag(held.giveBack(0), "QueueUnavailable", later))
  )
})

/** Waits for a place for the message's job, and lets it work. */
const begin = Effect.fnUntraced(function*<R>(consumer: Consumer<R>, held: HeldMessage) {
  const { message } = held
  if (message.job_type === "video_encode") {
    yield* Effect.logError("An encode was sent to a queue: encodes run on Batch only")
    return yield* held.bury
  }
  const handler = consumer.handlers[message.job_type]
  if (handler === undefined) {
    yield* Effect.logError("A message is for a worker that can do its kind of job")
    return yield* held.giveBack(longestReturn)
  }
  const job = yield* jobOf(message)
  if (job === null) return yield* unknownJob(held)
  if (isTerminal(job.status)) return yield* finished(held, job)
  if (yield* consumer.admission.isCrowded(message.tenant_id)) {
    yield* held.giveBack(crowdedSeconds)
    return yield* Effect.sleep(crowdedPause)
  }
  // A job whose last worker vanished runs alone: if that was its doing, it takes no other job with it again.
  const memoryMiB = lostItsWorker(job) ? consumer.options.memoryMiB : handler.memoryMiB
  yield* consumer.admission.admit(
    { tenantId: message.tenant_id, memoryMiB, whileWaiting: held.keep },
    Effect.gen(function*() {
      if (yield* Ref.get(consumer.stopping)) return yield* held.giveBack(0)
      const recorder = yield* JobRecorder
      const claimed = yield* Effect.catchTag(
        recorder.claim(message.tenant_id, message.job_id, {
          owner: consumer.owner,
          leaseMillis: consumer.options.leaseMillis
        }),
        "JobNotFound",
        () => Effect.succeed({ _tag: "Unknown" as const })
      )
      switch (claimed._tag) {
        case "Unknown":
          return yield* unknownJob(held)
        case "Finished":
          return yield* held.acknowledge
        case "GaveUp":
          return yield* poison(held)
        case "Expired":
        case "NotDue":
        case "Busy": {
          // Never acknowledged: the holder may yet vanish (INCIDENTS.md, 37).
          const now = yield* Clock.currentTimeMillis
          return yield* held.giveBack(Math.min(longestReturn, Math.max(1, Math.ceil((claimed.until - now) / 1000))))
        }
        case "Claimed":
          yield* attemptJob(handler, consumer.options, claimed.run, held.keep)
          return yield* held.acknowledge
      }
    })
  )
})

const unknownJob = Effect.fnUntraced(function*(held: HeldMessage) {
  if (isReadinessJob(held.message.job_id)) {
    yield* Effect.logInfo("A readiness check sent a message through the queue")
    return yield* held.acknowledge
  }
  yield* Effect.logError("A message names a job that is not in the database and was put aside")
  yield* held.bury
})

/**
 * A job's holders vanished as often as it may be tried: it is `FAILED` with `lease_expired`, and people should look
 * at it.
 */
const poison = Effect.fnUntraced(function*(held: HeldMessage) {
  yield* Effect.logError("A message whose job ended every worker that had it was put aside")
  yield* held.bury
})

const finished = (held: HeldMessage, job: Job): Effect.Effect<void, QueueUnavailable> =>
  job.status === "FAILED" && lostItsWorker(job) ? poison(held) : held.acknowledge

/** Whether the last that is known of a job is that its holder vanished. */
const lostItsWorker = (job: Job): boolean => job.errorCode === "lease_expired"

const jobOf = Effect.fnUntraced(function*(message: JobMessage) {
  const store = yield* JobStore
  return yield* store.getJob(message.tenant_id, message.job_id).pipe(
    Effect.map(({ job }) => job),
    Effect.catchTag("JobNotFound", () => Effect.succeed(null))
  )
})
