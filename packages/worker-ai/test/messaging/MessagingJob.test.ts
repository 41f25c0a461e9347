import { assert, describe, it } from "@effect/vitest"
import {
  defaultMessageLimits,
  type Job,
  JobRecorder,
  JobStore,
  MessageLedger,
  MessageProviders,
  type NewMailing,
  newJobId,
  newUuid,
  noMessages,
  TenantId
} from "@lectern/domain"
import { Faults, TestDomain } from "@lectern/domain/testing"
import { Deferred, Effect, Fiber, Layer, References } from "effect"
import { TestClock } from "effect/testing"
import { messagingJob, type MessagingOptions, sendingBreaker } from "../../src/messaging/index.ts"
import { ScriptedProvider } from "./ScriptedProvider.ts"

const tenant = TenantId.make(3)
const options: MessagingOptions = { limits: defaultMessageLimits, quietHours: null }

/** Monday noon in Seoul. */
const noon = Date.UTC(2026, 10, 23, 3)
const hour = 3_600_000

const worldWith = (scripted: ScriptedProvider) =>
  Layer.mergeAll(
    sendingBreaker,
    Layer.succeed(MessageProviders, { phone: scripted.provider, email: scripted.provider }),
    TestDomain.layer,
    Layer.succeed(References.MinimumLogLevel, "None")
  )

const addressOf = (index: number): string => `0101111${String(1_000 + index)}`

const accepted = Effect.fnUntraced(function*(recipients: number, fields: Partial<NewMailing> = {}) {
  const ledger = yield* MessageLedger
  const jobId = yield* newJobId
  yield* ledger.accept(tenant, {
    jobId,
    businessKey: yield* newUuid,
    digest: "",
    mode: "sms",
    subject: null,
    templateId: null,
    urgentReason: null,
    recipients: Array.from({ length: recipients }, (_, index) => ({ address: addressOf(index), text: `${index} 님` })),
    ...fields
  }, defaultMessageLimits)
  return jobId
})

/** One attempt of the job, as the consumer makes it, to its recorded end. */
const attempt = Effect.fnUntraced(function*(jobId: Job["id"], settings: MessagingOptions = options) {
  const recorder = yield* JobRecorder
  const claimed = yield* recorder.claim(tenant, jobId, { owner: "worker", leaseMillis: 60_000 })
  if (claimed._tag !== "Claimed") return assert.fail(`expected a claim, got ${claimed._tag}`)
  const { command } = yield* messagingJob(settings).handle(claimed.run, {}, Effect.void)
  yield* claimed.run.record(command)
  return (yield* claimed.run.current).job
})

const countsOf = Effect.fnUntraced(function*(jobId: Job["id"]) {
  const ledger = yield* MessageLedger
  return (yield* ledger.list(tenant, jobId, [], 0)).mailing.counts
})

const scenario = <A, E>(
  name: string,
  run: (scripted: ScriptedProvider) => Effect.Effect<A, E, Layer.Success<ReturnType<typeof worldWith>>>
) =>
  it.effect(name, () => {
    const scripted = new ScriptedProvider()
    return Effect.andThen(TestClock.setTime(noon), run(scripted)).pipe(Effect.provide(worldWith(scripted)))
  })

/** Runs an attempt through everything that it waits for in hand. */
const patientAttempt = Effect.fnUntraced(function*(jobId: Job["id"], settings?: MessagingOptions) {
  const fiber = yield* Effect.forkChild(attempt(jobId, settings), { startImmediately: true })
  yield* TestClock.adjust("2 minutes")
  return yield* Fiber.join(fiber)
})

const sentOnce = (scripted: ScriptedProvider, recipients: number): void =>
  assert.deepStrictEqual([...scripted.sent].sort(), Array.from({ length: recipients }, (_, index) => addressOf(index)))

describe("The messaging job", () => {
  scenario("sends each message once and says how many there were", (scripted) =>
    Effect.gen(function*() {
      const jobId = yield* accepted(5)
      const job = yield* attempt(jobId)
      assert.deepInclude(job, { status: "DONE", errorMessage: null, result: { total: 5, sent: 5, failed: 0, ambiguous: 0 } })
      sentOnce(scripted, 5)
      assert.deepStrictEqual(yield* countsOf(jobId), { ...noMessages, sent: 5 })
    }))

  it.effect("never says only that it has sent what the sandbox has shown", () => {
    const sandbox = new ScriptedProvider(2, false)
    return Effect.gen(function*() {
      yield* TestClock.setTime(noon)
      const job = yield* attempt(yield* accepted(2))
      assert.deepInclude(job, { status: "DONE", errorMessage: "[샌드박스] 실제로 보내지 않았습니다" })
      assert.deepInclude(job.result, { sandbox: true })
    }).pipe(Effect.provide(worldWith(sandbox)))
  })

  scenario("says of those whom the provider refuses that they were not reached", (scripted) =>
    Effect.gen(function*() {
      scripted.refusedAddresses = [addressOf(0), addressOf(1), addressOf(3)]
      const jobId = yield* accepted(4)
      const job = yield* attempt(jobId)
      assert.deepInclude(job, {
        status: "DONE",
        errorMessage: "4건 중 3건을 보내지 못했습니다",
        result: { total: 4, sent: 1, failed: 3, ambiguous: 0 }
      })
      assert.deepStrictEqual(scripted.sent, [addressOf(2)])
    }))

  scenario("asks the provider when an answer is lost, and sends again only what it says it has not sent", (scripted) =>
    Effect.gen(function*() {
      scripted.submissions.push("lost", "dropped", "ok", "lost")
      const jobId = yield* accepted(6)
      const job = yield* patientAttempt(jobId)
      assert.deepInclude(job, { status: "DONE", result: { total: 6, sent: 6, failed: 0, ambiguous: 0 } })
      sentOnce(scripted, 6)
    }))

  scenario("never sends again by itself what nobody can tell about", (scripted) =>
    Effect.gen(function*() {
      scripted.submissions.push("lost", "dropped")
      scripted.resolve = "forgetful"
      const jobId = yield* accepted(6)
      const job = yield* attempt(jobId)
      assert.deepInclude(job, { status: "REVIEW_REQUIRED", result: { total: 6, sent: 2, failed: 0, ambiguous: 4 } })
      assert.include(job.errorMessage, "4건")
      assert.deepStrictEqual(scripted.sent, [0, 1, 4, 5].map(addressOf))
    }))

  scenario("waits while the provider cannot be asked, and sends nothing before it has been", (scripted) =>
    Effect.gen(function*() {
      scripted.submissions.push("lost")
      scripted.resolve = "unavailable"
      const jobId = yield* accepted(4)
      const waiting = yield* patientAttempt(jobId)
      assert.deepInclude(waiting, { status: "RETRYING", errorCode: "provider_unavailable", failures: 0 })
      const still = yield* patientAttempt(jobId)
      assert.deepInclude(still, { status: "RETRYING", failures: 0 })
      assert.deepStrictEqual(scripted.sent, [addressOf(0), addressOf(1)])
      scripted.resolve = "ok"
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* patientAttempt(jobId)).status, "DONE")
      sentOnce(scripted, 4)
    }))

  scenario("settles what a dead attempt left in the air before it sends anything", (scripted) =>
    Effect.gen(function*() {
      const ledger = yield* MessageLedger
      const recorder = yield* JobRecorder
      const jobId = yield* accepted(6)
      const dead = yield* recorder.claim(tenant, jobId, { owner: "dead", leaseMillis: 1_000 })
      if (dead._tag !== "Claimed") return assert.fail(dead._tag)
      for (const dies of ["before it sends", "before it says so"]) {
        const next = yield* ledger.next(dead.run.lease, 2, defaultMessageLimits)
        const messages = next._tag === "Next" ? next.messages : assert.fail(next._tag)
        const batch = { mode: "sms", subject: null, templateId: null, messages } as const
        const prepared = yield* scripted.provider.prepare(batch)
        yield* ledger.begin(dead.run.lease, prepared, defaultMessageLimits)
        if (dies === "before it says so") yield* scripted.provider.submit(prepared, batch)
      }
      yield* TestClock.adjust("2 seconds")
      const expired = yield* recorder.claim(tenant, jobId, { owner: "another", leaseMillis: 1_000 })
      assert.strictEqual(expired._tag, "Expired")
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* attempt(jobId)).status, "DONE")
      sentOnce(scripted, 6)
    }))

  scenario("keeps a text for the morning, and not one that is urgent or a mail", (scripted) =>
    Effect.gen(function*() {
      const quiet: MessagingOptions = { ...options, quietHours: { from: 21 * 60, to: 8 * 60 } }
      yield* TestClock.setTime(noon + 10 * hour)
      const jobId = yield* accepted(1)
      const kept = yield* attempt(jobId, quiet)
      assert.deepInclude(kept, { status: "RETRYING", errorCode: "quiet_hours", failures: 0, runAfter: noon + 20 * hour })
      assert.strictEqual((yield* attempt(yield* accepted(1, { urgentReason: "태풍" }), quiet)).status, "DONE")
      assert.strictEqual((yield* attempt(yield* accepted(1, { mode: "email" }), quiet)).status, "DONE")
      assert.strictEqual(scripted.sent.length, 2)
      yield* TestClock.setTime(noon + 20 * hour)
      assert.strictEqual((yield* attempt(jobId, quiet)).status, "DONE")
    }))

  scenario("sends no more in a day than the tenant may, and goes on the next day", (scripted) =>
    Effect.gen(function*() {
      const capped: MessagingOptions = { ...options, limits: { perMinute: 100, perDay: 3 } }
      const jobId = yield* accepted(5)
      const waiting = yield* attempt(jobId, capped)
      assert.deepInclude(waiting, { status: "RETRYING", errorCode: "daily_cap", runAfter: noon + 12 * hour })
      assert.strictEqual(scripted.sent.length, 3)
      yield* TestClock.setTime(noon + 12 * hour)
      assert.strictEqual((yield* attempt(jobId, capped)).status, "DONE")
      sentOnce(scripted, 5)
    }))

  scenario("waits in hand for the next minute", (scripted) =>
    Effect.gen(function*() {
      const slow: MessagingOptions = { ...options, limits: { perMinute: 2, perDay: 100 } }
      const jobId = yield* accepted(4)
      const fiber = yield* Effect.forkChild(attempt(jobId, slow), { startImmediately: true })
      yield* TestClock.adjust("59 seconds")
      assert.strictEqual(scripted.sent.length, 2)
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual((yield* Fiber.join(fiber)).status, "DONE")
      sentOnce(scripted, 4)
    }))

  scenario("leaves a provider alone that fails again and again, and goes on when it works", (scripted) =>
    Effect.gen(function*() {
      scripted.prepare = "unavailable"
      const jobId = yield* accepted(2)
      const fiber = yield* Effect.forkChild(attempt(jobId), { startImmediately: true })
      yield* TestClock.adjust("6 minutes")
      assert.deepInclude(yield* Fiber.join(fiber), { status: "RETRYING", errorCode: "provider_unavailable", failures: 0 })
      scripted.prepare = "ok"
      yield* TestClock.adjust("10 minutes")
      assert.strictEqual((yield* patientAttempt(jobId)).status, "DONE")
      sentOnce(scripted, 2)
    }))

  scenario("does not lay in without end what the provider never sends", (scripted) =>
    Effect.gen(function*() {
      scripted.submissions.push(...Array.from({ length: 1_000 }, () => "unavailable" as const))
      const jobId = yield* accepted(2)
      const fiber = yield* Effect.forkChild(attempt(jobId), { startImmediately: true })
      yield* TestClock.adjust("10 minutes")
      assert.deepInclude(yield* Fiber.join(fiber), { status: "RETRYING", errorCode: "provider_unavailable" })
      assert.isBelow(scripted.prepared.size, 20)
      assert.deepStrictEqual(scripted.sent, [])
      assert.deepStrictEqual(yield* countsOf(jobId), { ...noMessages, pending: 2 })
    }))

  scenario("gives up when the provider refuses the account, with every message still unsent", (scripted) =>
    Effect.gen(function*() {
      scripted.prepare = "refused"
      const jobId = yield* accepted(2)
      const job = yield* attempt(jobId)
      assert.deepInclude(job, { status: "FAILED", errorCode: "provider_refused" })
      assert.include(job.errorMessage, "1030")
      assert.deepStrictEqual(yield* countsOf(jobId), { ...noMessages, pending: 2 })
    }))

  scenario("finishes the batch in hand when it is told to stop", (scripted) =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const faults = yield* Faults
      const sending = yield* Deferred.make<void>()
      const goOn = yield* Deferred.make<void>()
      scripted.onSubmit = Effect.andThen(Deferred.succeed(sending, undefined), Deferred.await(goOn))
      const jobId = yield* accepted(6)
      const fiber = yield* Effect.forkChild(attempt(jobId), { startImmediately: true })
      yield* Deferred.await(sending)
      const stopping = yield* Effect.forkChild(Fiber.interrupt(fiber), { startImmediately: true })
      yield* Deferred.succeed(goOn, undefined)
      yield* Fiber.join(stopping)
      assert.deepStrictEqual(yield* countsOf(jobId), { ...noMessages, pending: 4, sent: 2 })
      const { job } = yield* faults.aside(store.getJob(tenant, jobId))
      assert.strictEqual(job.status, "RUNNING")
    }))
})
