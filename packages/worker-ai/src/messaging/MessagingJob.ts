import {
  channelOf,
  type JobRun,
  JobStoreUnavailable,
  type MessageCounts,
  MessageLedger,
  type MessageLimits,
  MessageProviders,
  type QuietHours,
  quietUntil,
  type WorkerCommand
} from "@lectern/domain"
import { Clock, Effect, Schedule } from "effect"
import { CircuitBreaker } from "effect/persistence"
import { endOfDatabaseFault } from "../databaseEnd.ts"
import type { HandlerEnd, JobHandler } from "../JobHandler.ts"
import { guardProvider, restOf } from "./guardedProvider.ts"

export interface MessagingOptions {
  readonly limits: MessageLimits
  /** When nobody is sent a text, unless it is urgent; `null` for never. E-mail wakes nobody. */
  readonly quietHours: QuietHours | null
}

type Services = MessageLedger | MessageProviders | CircuitBreaker.CircuitBreaker

/** A longer wait than this, in milliseconds, is one for the queue and not for a worker's hands. */
const longestRestMillis = 60_000

/** What a provider that cannot be asked about a batch is left alone for, in milliseconds. */
const unsettledRestMillis = 30_000

const providerAway = "발송 업체에 연결할 수 없어 잠시 뒤에 이어서 보냅니다"

const deferred = (until: number, code: string, message: string): WorkerCommand => ({
  _tag: "Defer",
  until,
  code,
  message
})

/** The provider cannot be asked what it sent: the next attempt asks again, before it sends anything. */
const unsettled = Effect.map(Clock.currentTimeMillis, (now) =>
  deferred(now + unsettledRestMillis, "provider_unavailable", providerAway))

const totalOf = (counts: MessageCounts): number =>
  counts.pending + counts.sending + counts.sent + counts.failed + counts.ambiguous

/** How a job ends whose messages have all been dealt with. Its result has numbers in it and no people. */
const endOf = (counts: MessageCounts, reaches: boolean): WorkerCommand => {
  const { ambiguous, failed, sent } = counts
  const result = { total: totalOf(counts), sent, failed, ambiguous, ...(reaches ? {} : { sandbox: true }) }
  if (!reaches) return { _tag: "Succeed", result, errorMessage: "[샌드박스] 실제로 보내지 않았습니다" }
  if (ambiguous > 0) {
    return {
      _tag: "RequireReview",
      result,
      message: `${ambiguous}건은 보냈는지 확인되지 않아 다시 보내지 않았습니다`
    }
  }
  return failed > 0
    ? { _tag: "Succeed", result, errorMessage: `${result.total}건 중 ${failed}건을 보내지 못했습니다` }
    : { _tag: "Succeed", result }
}

/** Said again while the database is away: what the provider has done is known to nobody else. */
const patiently = <A, E>(call: Effect.Effect<A, E | JobStoreUnavailable>): Effect.Effect<A, E | JobStoreUnavailable> =>
  Effect.retry(call, {
    schedule: Schedule.exponential("100 millis").pipe(Schedule.jittered, Schedule.upTo({ duration: "20 seconds" })),
    while: (error) => error instanceof JobStoreUnavailable && error.retryable
  })

/**
 * The messages of one job: whatever an earlier attempt left in the air is settled first, then the rest goes out batch
 * by batch.
 *
 * A batch is laid in at the provider, noted in the ledger as about to be sent, sent, and noted again. Only between the
 * two notes can a death leave a doubt, and then the provider is asked. Told to stop, the batch in hand is finished.
 */
export const messagingJob = (options: MessagingOptions): JobHandler<Services> => ({
  memoryMiB: 64,
  handle: Effect.fn("MessagingJob.handle")(function*(run, _payload, pulse) {
    const command = yield* Effect.catchTag(sendMessages(run, pulse, options), "JobStoreUnavailable", (error) =>
      Effect.as(
        Effect.logWarning("The database stopped the messages", { error: error.message }),
        endOfDatabaseFault(error, "일시적인 문제로 메시지를 다 보내지 못했습니다")
      ))
    const end: HandlerEnd = { command, afterwards: Effect.void }
    return end
  })
})

const sendMessages = Effect.fnUntraced(function*(run: JobRun, pulse: Effect.Effect<void>, options: MessagingOptions) {
  const ledger = yield* MessageLedger
  const providers = yield* MessageProviders
  const breaker = yield* CircuitBreaker.CircuitBreaker
  const { lease } = run

  yield* run.record({ _tag: "Advance", step: "preparing" })
  const { counts: before, mode, subject, templateId, urgentReason } = yield* patiently(ledger.look(lease))
  const channel = channelOf(mode)
  const provider = guardProvider(providers[channel], breaker)

  for (const ticket of yield* patiently(ledger.unsettled(lease))) {
    const { event } = yield* provider.settle(ticket)
    if (event === null) return yield* unsettled
    yield* patiently(ledger.settle(lease, ticket, event, []))
    yield* pulse
  }

  yield* run.record({ _tag: "Advance", step: "sending" })
  const total = totalOf(before)
  let handled = before.sent + before.failed + before.ambiguous

  /** Waits for a short while in hand; answers the command that waits for a long one. */
  const rest = Effect.fnUntraced(function*(until: number, code: string, message: string) {
    for (let now = yield* Clock.currentTimeMillis; now < until; now = yield* Clock.currentTimeMillis) {
      if (until - now > longestRestMillis) return deferred(until, code, message)
      yield* Effect.sleep(Math.min(1_000, until - now))
      yield* pulse
    }
    return null
  })

  const restFor = (millis: number) =>
    Effect.flatMap(Clock.currentTimeMillis, (now) => rest(now + millis, "provider_unavailable", providerAway))

  while (true) {
    const now = yield* Clock.currentTimeMillis
    const quiet = options.quietHours === null || urgentReason !== null || channel === "email"
      ? null
      : quietUntil(options.quietHours, now)
    if (quiet !== null) return deferred(quiet, "quiet_hours", "야간에는 보내지 않습니다. 아침에 이어서 보냅니다")

    const next = yield* patiently(ledger.next(lease, provider.maxBatch, options.limits))
    if (next._tag === "Wait") {
      const waiting = yield* rest(next.until, "daily_cap", "하루에 보낼 수 있는 건수를 다 보냈습니다. 내일 이어서 보냅니다")
      if (waiting !== null) return waiting
      continue
    }
    const { messages } = next
    if (messages.length === 0) break

    const batch = { mode, subject, templateId, messages }
    const prepared = yield* Effect.result(provider.prepare(batch))
    if (prepared._tag === "Failure") {
      const error = prepared.failure
      yield* Effect.logWarning("A provider took no messages", { provider: provider.name, error: error.message })
      if (error._tag === "ProviderRefused") {
        const message = `발송 업체가 거절했습니다 (${error.code}). 관리자에게 알려 주세요`
        return { _tag: "Fail", code: "provider_refused", message, retryable: false } satisfies WorkerCommand
      }
      const waiting = yield* restFor(restOf(error))
      if (waiting !== null) return waiting
      continue
    }

    const { taken, ticket } = prepared.success
    // Told to stop in here, the batch is finished first: a worker that goes leaves no doubt behind.
    const sending = yield* Effect.uninterruptible(Effect.gen(function*() {
      const begun = yield* patiently(ledger.begin(lease, prepared.success, options.limits))
      if (begun !== "Begun") return "NotBegun" as const
      if (taken.length === 0) return null
      const outcome = yield* provider.submit(prepared.success, batch)
      if (outcome.event !== null) yield* patiently(ledger.settle(lease, ticket, outcome.event, outcome.refused))
      return outcome
    }))
    yield* pulse
    if (sending === "NotBegun") continue
    if (sending !== null && sending.restMillis !== null) {
      if (sending.event === null) return yield* unsettled
      const waiting = yield* restFor(sending.restMillis)
      if (waiting !== null) return waiting
    }
    if (sending?.event !== "withdraw") handled += messages.length
    yield* run.tick({ fraction: handled / total, remainingSeconds: null })
  }

  return endOf((yield* patiently(ledger.look(lease))).counts, provider.reaches)
})
