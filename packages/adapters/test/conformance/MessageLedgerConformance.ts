/**
 * What every `MessageLedger` promises, beside the job store whose leases it honours. Each test works in a tenant of its
 * own.
 */
import { assert, layer } from "@effect/vitest"
import {
  defaultMessageLimits,
  JobRecorder,
  JobStore,
  Lease,
  MessageLedger,
  type NewMailing,
  noMessages,
  type PreparedBatch,
  type TenantId
} from "@lectern/domain"
import { ProgressMirrorMemory } from "@lectern/domain/memory"
import { Effect, Layer } from "effect"
import { newJobId, newTenant } from "./JobStoreConformance.ts"

const hour = 3_600_000
const limits = defaultMessageLimits

const addressOf = (index: number): string => `010${String(10_000_000 + index)}`

const mailingTo = (recipients: number, fields: Partial<NewMailing> = {}): NewMailing => ({
  jobId: newJobId(),
  businessKey: crypto.randomUUID(),
  digest: "a digest",
  mode: "lms",
  subject: "안내",
  templateId: null,
  urgentReason: null,
  recipients: Array.from({ length: recipients }, (_, index) => ({ address: addressOf(index), text: `학생 ${index} 님` })),
  ...fields
})

const claim = (tenant: TenantId, jobId: NewMailing["jobId"], owner = "worker") =>
  Effect.gen(function*() {
    const store = yield* JobStore
    const claimed = yield* store.claim(tenant, jobId, { owner, leaseMillis: hour })
    return claimed._tag === "Claimed" ? claimed.lease : yield* Effect.die(new Error(`expected a claim, got ${claimed._tag}`))
  })

const accepted = Effect.fnUntraced(function*(tenant: TenantId, mailing: NewMailing) {
  const ledger = yield* MessageLedger
  const answer = yield* ledger.accept(tenant, mailing, limits)
  assert.strictEqual(answer._tag, "Accepted")
  return yield* claim(tenant, mailing.jobId)
})

/** The messages that may be sent next. */
const nextOf = Effect.fnUntraced(function*(lease: Lease, max: number, within = limits) {
  const ledger = yield* MessageLedger
  const next = yield* ledger.next(lease, max, within)
  return next._tag === "Next" ? next.messages : assert.fail("the tenant has to wait")
})

/** Takes up to `max` messages and says that they are about to be sent as a batch. */
const begun = Effect.fnUntraced(function*(lease: Lease, max: number, refuse: ReadonlyArray<number> = []) {
  const ledger = yield* MessageLedger
  const messages = yield* nextOf(lease, max)
  const prepared: PreparedBatch = {
    ticket: `G-${crypto.randomUUID()}`,
    taken: messages
      .filter(({ number }) => !refuse.includes(number))
      .map(({ number }) => ({ number, providerId: `M-${number}` })),
    refused: refuse.map((number) => ({ number, reason: "3032" }))
  }
  assert.strictEqual(yield* ledger.begin(lease, prepared, limits), "Begun")
  return prepared
})

const countsOf = (tenant: TenantId, jobId: NewMailing["jobId"]) =>
  Effect.gen(function*() {
    const ledger = yield* MessageLedger
    return (yield* ledger.list(tenant, jobId, [], 0)).mailing.counts
  })

export const messageLedgerSuite = <E>(name: string, stores: Layer.Layer<JobStore | MessageLedger, E>): void => {
  const provided = JobRecorder.layer.pipe(Layer.provide(ProgressMirrorMemory.layer), Layer.provideMerge(stores))

  layer(provided, { excludeTestServices: true })(`MessageLedger: ${name}`, (it) => {
    it.effect("keeps a job and its messages from one acceptance", () =>
      Effect.gen(function*() {
        const ledger = yield* MessageLedger
        const recorder = yield* JobRecorder
        const tenant = newTenant()
        const mailing = mailingTo(3, { mode: "alimtalk", templateId: "KA01", urgentReason: "휴교" })
        const answer = yield* ledger.accept(tenant, mailing, limits)
        if (answer._tag !== "Accepted") return assert.fail(answer._tag)
        const { job } = yield* recorder.commit(Effect.succeed(answer.receipt))
        assert.deepInclude(job, { kind: "messaging", status: "PENDING", payload: { mode: "alimtalk", messages: 3 } })
        const lease = yield* claim(tenant, mailing.jobId)
        assert.deepStrictEqual(yield* ledger.look(lease), {
          mode: "alimtalk",
          subject: "안내",
          templateId: "KA01",
          urgentReason: "휴교",
          counts: { ...noMessages, pending: 3 }
        })
        const messages = yield* nextOf(lease, 2)
        assert.deepStrictEqual(messages.map(({ address, number, text }) => ({ address, number, text })), [
          { number: 1, address: addressOf(0), text: "학생 0 님" },
          { number: 2, address: addressOf(1), text: "학생 1 님" }
        ])
      }))

    it.effect("answers the first job when the same request comes again, and refuses its key to another", () =>
      Effect.gen(function*() {
        const ledger = yield* MessageLedger
        const tenant = newTenant()
        const mailing = mailingTo(2)
        yield* ledger.accept(tenant, mailing, limits)
        const again = yield* ledger.accept(tenant, { ...mailing, jobId: newJobId() }, limits)
        assert.deepStrictEqual(again, { _tag: "Known", jobId: mailing.jobId, messages: 2 })
        const other = yield* Effect.flip(ledger.accept(tenant, { ...mailing, jobId: newJobId(), digest: "other" }, limits))
        assert.strictEqual(other._tag, "BusinessKeyReused")
        const elsewhere = yield* ledger.accept(newTenant(), { ...mailing, jobId: newJobId(), digest: "other" }, limits)
        assert.strictEqual(elsewhere._tag, "Accepted")
      }))

    it.effect("accepts a request once that comes twenty times at once", () =>
      Effect.gen(function*() {
        const ledger = yield* MessageLedger
        const tenant = newTenant()
        const mailing = mailingTo(5)
        const answers = yield* Effect.all(
          Array.from({ length: 20 }, () => ledger.accept(tenant, { ...mailing, jobId: newJobId() }, limits)),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(answers.filter(({ _tag }) => _tag === "Accepted").length, 1)
      }))

    it.effect("moves a batch from waiting over sending to sent, and each message once", () =>
      Effect.gen(function*() {
        const ledger = yield* MessageLedger
        const tenant = newTenant()
        const mailing = mailingTo(5)
        const lease = yield* accepted(tenant, mailing)
        const first = yield* begun(lease, 3, [2])
        assert.deepStrictEqual(yield* countsOf(tenant, mailing.jobId), { ...noMessages, pending: 2, sending: 2, failed: 1 })
        yield* ledger.settle(lease, first.ticket, "confirm", [])
        yield* ledger.settle(lease, first.ticket, "confirm", [])
        const second = yield* begun(lease, 3)
        assert.deepStrictEqual(second.taken.map(({ number }) => number), [4, 5])
        yield* ledger.settle(lease, second.ticket, "confirm", [{ number: 5, reason: "3040" }])
        assert.deepStrictEqual(yield* countsOf(tenant, mailing.jobId), { ...noMessages, sent: 3, failed: 2 })
        const { messages } = yield* ledger.list(tenant, mailing.jobId, ["failed"], 10)
        assert.deepStrictEqual(messages.map(({ number, reason }) => [number, reason]), [[2, "3032"], [5, "3040"]])
        assert.deepStrictEqual(yield* nextOf(lease, 10), [])
      }))

    it.effect("shows the next attempt what the last one left in the air, and lets only a withdrawal wait again", () =>
      Effect.gen(function*() {
        const ledger = yield* MessageLedger
        const store = yield* JobStore
        const tenant = newTenant()
        const mailing = mailingTo(4)
        const dead = yield* accepted(tenant, mailing)
        const first = yield* begun(dead, 2)
        const second = yield* begun(dead, 2)
        yield* store.transition(dead, { _tag: "Preempt", message: "끝" })
        const lease = yield* claim(tenant, mailing.jobId, "another")
        assert.deepStrictEqual([...(yield* ledger.unsettled(lease))].sort(), [first.ticket, second.ticket].sort())
        assert.deepStrictEqual(yield* nextOf(lease, 10), [])
        yield* ledger.settle(lease, first.ticket, "withdraw", [])
        yield* ledger.settle(lease, second.ticket, "doubt", [])
        assert.deepStrictEqual(yield* ledger.unsettled(lease), [])
        assert.deepStrictEqual((yield* nextOf(lease, 10)).map(({ number }) => number), [1, 2])
        yield* ledger.settle(lease, second.ticket, "confirm", [])
        assert.deepStrictEqual(yield* countsOf(tenant, mailing.jobId), { ...noMessages, pending: 2, sent: 2 })
      }))

    it.effect("takes no word of a worker that has lost its lease", () =>
      Effect.gen(function*() {
        const ledger = yield* MessageLedger
        const tenant = newTenant()
        const mailing = mailingTo(2)
        const lease = yield* accepted(tenant, mailing)
        const prepared = yield* begun(lease, 1)
        const forged = new Lease({ ...lease, owner: "somebody else" })
        const refused = [
          ledger.look(forged),
          ledger.unsettled(forged),
          ledger.next(forged, 1, limits),
          ledger.begin(forged, prepared, limits),
          ledger.settle(forged, prepared.ticket, "confirm", [])
        ]
        for (const call of refused) assert.strictEqual((yield* Effect.flip(call))._tag, "LeaseLost")
        assert.deepStrictEqual(yield* countsOf(tenant, mailing.jobId), { ...noMessages, pending: 1, sending: 1 })
      }))

    it.effect("gives out no more than a minute's and a day's messages, to all jobs of a tenant together", () =>
      Effect.gen(function*() {
        const ledger = yield* MessageLedger
        const tenant = newTenant()
        const few = { perMinute: 100, perDay: 3 }
        const [one, two] = [mailingTo(2), mailingTo(1)]
        yield* ledger.accept(tenant, one, few)
        yield* ledger.accept(tenant, two, few)
        const over = yield* Effect.flip(ledger.accept(tenant, mailingTo(1), few))
        assert.deepInclude(over, { _tag: "DailyCapReached", asked: 1, left: 0 })
        const lease = yield* claim(tenant, one.jobId)
        const narrow = { perMinute: 100, perDay: 1 }
        const messages = yield* nextOf(lease, 10, narrow)
        assert.deepStrictEqual(messages.map(({ number }) => number), [1])
        const prepared = { ticket: "T", taken: [{ number: 1, providerId: "M" }], refused: [] }
        assert.strictEqual(yield* ledger.begin(lease, prepared, narrow), "Begun")
        assert.strictEqual((yield* ledger.next(lease, 10, narrow))._tag, "Wait")
        const wait = yield* ledger.begin(lease, { ...prepared, taken: [{ number: 2, providerId: "M" }] }, narrow)
        assert.strictEqual(wait === "Begun" ? wait : wait._tag, "Wait")
        assert.deepStrictEqual(yield* countsOf(tenant, one.jobId), { ...noMessages, pending: 1, sending: 1 })
      }))

    it.effect("lets an operator decide on what is in doubt, and on nothing else", () =>
      Effect.gen(function*() {
        const ledger = yield* MessageLedger
        const tenant = newTenant()
        const mailing = mailingTo(3)
        const lease = yield* accepted(tenant, mailing)
        const { ticket } = yield* begun(lease, 2)
        yield* ledger.settle(lease, ticket, "doubt", [])
        assert.strictEqual(yield* ledger.decide(tenant, mailing.jobId, [1, 3], "confirm"), 1)
        assert.strictEqual(yield* ledger.decide(tenant, mailing.jobId, [1, 2], "refuse"), 1)
        assert.deepStrictEqual(yield* countsOf(tenant, mailing.jobId), { ...noMessages, pending: 1, sent: 1, failed: 1 })
        assert.strictEqual((yield* Effect.flip(ledger.decide(newTenant(), mailing.jobId, [1], "confirm")))._tag, "JobNotFound")
      }))

    it.effect("sends again in a new job what was never sent and what is named, once the old job has ended", () =>
      Effect.gen(function*() {
        const ledger = yield* MessageLedger
        const store = yield* JobStore
        const tenant = newTenant()
        const mailing = mailingTo(4)
        const lease = yield* accepted(tenant, mailing)
        const { ticket } = yield* begun(lease, 3, [3])
        yield* ledger.settle(lease, ticket, "doubt", [])
        const early = yield* Effect.flip(ledger.resend(tenant, mailing.jobId, [1], newJobId()))
        assert.strictEqual(early._tag, "NothingToResend")
        yield* store.transition(lease, { _tag: "Fail", code: "x", message: "y", retryable: false })
        const again = newJobId()
        yield* ledger.resend(tenant, mailing.jobId, [1, 3], again)
        const resent = yield* claim(tenant, again)
        const messages = yield* nextOf(resent, 10)
        assert.deepStrictEqual(messages.map(({ address }) => address), [addressOf(0), addressOf(2), addressOf(3)])
        assert.deepStrictEqual(yield* countsOf(tenant, mailing.jobId), { ...noMessages, failed: 3, ambiguous: 1 })
        const twice = yield* Effect.flip(ledger.resend(tenant, mailing.jobId, [], newJobId()))
        assert.strictEqual(twice._tag, "NothingToResend")
      }))

    it.effect("forgets the people of a job that has ended, and not that its key was used", () =>
      Effect.gen(function*() {
        const ledger = yield* MessageLedger
        const store = yield* JobStore
        const tenant = newTenant()
        const [ended, open] = [mailingTo(2), mailingTo(2)]
        const lease = yield* accepted(tenant, ended)
        yield* accepted(tenant, open)
        yield* store.transition(lease, { _tag: "Succeed", result: {} })
        assert.strictEqual((yield* ledger.purge(hour)) >= 0, true)
        assert.strictEqual((yield* countsOf(tenant, ended.jobId)).pending, 2)
        assert.isAtLeast(yield* ledger.purge(0), 2)
        assert.deepStrictEqual(yield* countsOf(tenant, ended.jobId), noMessages)
        assert.strictEqual((yield* countsOf(tenant, open.jobId)).pending, 2)
        const again = yield* ledger.accept(tenant, { ...ended, jobId: newJobId() }, limits)
        assert.deepStrictEqual(again, { _tag: "Known", jobId: ended.jobId, messages: 2 })
      }))
  })
}
