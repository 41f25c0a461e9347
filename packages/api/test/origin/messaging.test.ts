import { assert, describe, it } from "@effect/vitest"
import { JobId, JobMessageJson, JobStore, MessageLedger, TenantId } from "@lectern/domain"
import { Faults, QueueContents } from "@lectern/domain/testing"
import { Effect, Layer, Schema } from "effect"
import { CurrentMessagingTerms } from "../../src/origin/index.ts"
import { layer, layerWith, OriginUnderTest } from "./OriginUnderTest.ts"

const path = "/api/v1/messaging/send/"
const tenant = TenantId.make(1)

const withOrigin = <A, E, R>(effect: Effect.Effect<A, E, R>) => effect.pipe(Effect.provide(layer()))

const onTerms = <A, E, R>(perDay: number, effect: Effect.Effect<A, E, R>) =>
  effect.pipe(Effect.provide(layerWith(
    Layer.succeed(CurrentMessagingTerms, { limits: { perMinute: 100, perDay }, prices: { sms: 84 } })
  )))

const notice = { message_mode: "sms", raw_body: "#{이름} 학생은 내일 쉽니다" }
const toTwo = { ...notice, recipients: [{ phone: "010-1111-2222", name: "가" }, { phone: "+82 10 3333 4444", name: "나" }] }

/** What waits to be sent by a job. */
const waitingOf = Effect.fnUntraced(function*(jobId: string) {
  const ledger = yield* MessageLedger
  const { messages } = yield* ledger.list(tenant, JobId.make(jobId), ["pending"], 100)
  return messages.map(({ address, text }) => [address, text])
})

describe("POST /messaging/send/", () => {
  it.live("writes each message down with its job before anything is sent, and names nobody in the queue", () =>
    withOrigin(Effect.gen(function*() {
      const { call, logs } = yield* OriginUnderTest
      const store = yield* JobStore
      const queue = yield* QueueContents
      const answer = yield* call(path, { body: toTwo })
      assert.strictEqual(answer.status, 202, answer.text)
      const { job_id } = answer.json
      assert.deepStrictEqual(answer.json, {
        job_id,
        detail: "2건을 접수했습니다",
        enqueued: 2,
        skipped_no_phone: 0,
        skipped_duplicate: 0
      })
      assert.deepStrictEqual(yield* waitingOf(job_id), [
        ["01011112222", "가 학생은 내일 쉽니다"],
        ["01033334444", "나 학생은 내일 쉽니다"]
      ])
      const { job } = yield* store.getJob(tenant, JobId.make(job_id))
      assert.deepStrictEqual(job.payload, { mode: "sms", messages: 2 })
      const [message = ""] = yield* queue.waiting
      assert.deepInclude(Schema.decodeSync(JobMessageJson)(message), { job_id: job.id, job_type: "messaging" })
      for (const text of [message, JSON.stringify(logs), JSON.stringify(job)]) assert.notMatch(text, /1111-?2222|3333-?4444|내일/)
    })))

  it.live("finds the parents of students, or the students, and says how many have no number", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const student_ids = [11, 12, 13, 21, 11]
      const parents = yield* call(path, { body: { ...notice, student_ids, send_to: "parent" } })
      assert.deepInclude(parents.json, { enqueued: 2, skipped_no_phone: 2 }, parents.text)
      assert.deepStrictEqual(yield* waitingOf(parents.json.job_id), [
        ["01012345678", "홍길동 학생은 내일 쉽니다"],
        ["01012345679", "김철수 학생은 내일 쉽니다"]
      ])
      const pupils = yield* call(path, { body: { ...notice, student_ids, send_to: "student" } })
      assert.deepInclude(pupils.json, { enqueued: 2, skipped_no_phone: 2 }, pupils.text)
      assert.deepStrictEqual(yield* waitingOf(pupils.json.job_id), [
        ["01099990001", "홍길동 학생은 내일 쉽니다"],
        ["01099990003", "이영희 학생은 내일 쉽니다"]
      ])
    })))

  it.live("counts a recipient once, however often and however spelt", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const recipients = ["010-1111-2222", "01011112222", "+821011112222", "010 5555 6666"]
      const answer = yield* call(path, { body: { message_mode: "sms", raw_body: "안녕하세요", recipients } })
      assert.deepInclude(answer.json, { enqueued: 2, skipped_duplicate: 2 }, answer.text)
    })))

  for (const [how, extra] of [
    ["an Idempotency-Key", { headers: { "idempotency-key": "k-1" } }],
    ["a business key", {}]
  ] as const) {
    it.live(`answers the same job when a request comes again by ${how}, and 409 when it is another request`, () =>
      withOrigin(Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const queue = yield* QueueContents
        const body = how === "a business key" ? { ...toTwo, business_key: "11월 휴원" } : toTwo
        const first = yield* call(path, { body, ...extra })
        const second = yield* call(path, { body, ...extra })
        assert.deepStrictEqual([first.status, second.status], [202, 202], second.text)
        assert.strictEqual(second.json.job_id, first.json.job_id)
        assert.strictEqual((yield* queue.waiting).length, 1)
        const other = yield* call(path, { body: { ...body, raw_body: "다른 글" }, ...extra })
        assert.deepStrictEqual([other.status, other.json.code], [409, "key_reused"])
        const elsewhere = yield* call(path, { body: { ...body, raw_body: "다른 글" }, ...extra, tenant: 2 })
        assert.strictEqual(elsewhere.status, 202, elsewhere.text)
      })))
  }

  it.live("shows what would be sent and what it would cost, and keeps nothing of it", () =>
    onTerms(100, Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const queue = yield* QueueContents
      const answer = yield* call(path, { body: { ...toTwo, dry_run: true } })
      assert.strictEqual(answer.status, 200, answer.text)
      assert.deepInclude(answer.json, { dry_run: true, enqueued: 2, estimated_won: 17 })
      assert.deepStrictEqual(answer.json.sample, [
        { to: "010-****-2222", text: "가 학생은 내일 쉽니다" },
        { to: "010-****-4444", text: "나 학생은 내일 쉽니다" }
      ])
      assert.deepStrictEqual(yield* queue.waiting, [])
      const unknown = yield* call(path, { body: { ...toTwo, message_mode: "lms", dry_run: true } })
      assert.isNull(unknown.json.estimated_won)
    })))

  it.live("refuses more than the tenant's day has left, with the time until the next", () =>
    onTerms(3, Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      assert.strictEqual((yield* call(path, { body: toTwo })).status, 202)
      const over = yield* call(path, { body: toTwo })
      assert.deepStrictEqual([over.status, over.json.code], [429, "daily_cap"], over.text)
      assert.isAbove(over.json.retry_after_seconds, 0)
      assert.isAtMost(over.json.retry_after_seconds, 86_400)
      assert.strictEqual((yield* call(path, { body: { ...notice, recipients: [toTwo.recipients[0]] } })).status, 202)
      assert.strictEqual((yield* call(path, { body: toTwo, tenant: 2 })).status, 202)
    })))

  const refused: ReadonlyArray<readonly [string, Record<string, unknown>, string, RegExp]> = [
    ["a number that is none", { ...notice, recipients: [{ phone: "02-123", name: "가" }] }, "no_such_address", /recipient 1/],
    ["a value that is missing", { ...notice, recipients: ["010-1111-2222"] }, "missing_value", /#\{이름\}/],
    [
      "a text that is too long once it is filled",
      { message_mode: "sms", raw_body: "#{x}", variables: { x: "가".repeat(46) }, recipients: ["010-1111-2222"] },
      "bad_text",
      /92 bytes, and 90/
    ],
    ["an emoji in a text message", { message_mode: "lms", raw_body: "🎉", recipients: ["010-1111-2222"] }, "bad_text", /🎉/],
    [
      "a template without its id",
      { message_mode: "alimtalk", raw_body: "글", recipients: ["010-1111-2222"] },
      "no_template_id",
      /template_id/
    ],
    ["nobody", { ...notice, recipients: [] }, "no_recipients", /nobody/],
    ["students of another tenant alone", { ...notice, student_ids: [21] }, "no_recipients", /nobody/],
    ["mail to students", { message_mode: "email", raw_body: "글", student_ids: [11] }, "no_such_address", /e-mail/],
    ["a mode that there is not", { ...toTwo, message_mode: "fax" }, "invalid_payload", /message_mode/]
  ]
  for (const [what, body, code, detail] of refused) {
    it.live(`refuses ${what}, and sends nothing to anybody`, () =>
      withOrigin(Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const queue = yield* QueueContents
        const answer = yield* call(path, { body })
        assert.deepStrictEqual([answer.status, answer.json?.code], [400, code], answer.text)
        assert.match(answer.json.detail, detail)
        assert.deepStrictEqual(yield* queue.waiting, [])
      })))
  }

  it.live("takes ten thousand recipients with values of their own, and no more", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const recipients = Array.from({ length: 10_001 }, (_, index) => ({
        phone: `010-${String(10_000_000 + index).replace(/(....)$/, "-$1")}`,
        variables: { 이름: `학생 ${index}`, 반: "1반" }
      }))
      const full = yield* call(path, { body: { ...notice, recipients: recipients.slice(1) } })
      assert.deepInclude(full.json, { enqueued: 10_000 }, full.text.slice(0, 300))
      assert.strictEqual((yield* call(path, { body: { ...notice, recipients } })).status, 400)
    })))

  it.live("answers 202 when the queue is away, 503 when the database is, and 401 without a token", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      yield* faults.script("queue", ["refused"])
      assert.strictEqual((yield* call(path, { body: toTwo })).status, 202)
      yield* faults.script("messages", ["refused"])
      const away = yield* call(path, { body: toTwo })
      assert.deepStrictEqual([away.status, away.json.code], [503, "database_unavailable"])
      assert.strictEqual((yield* call(path, { body: toTwo, tenant: null })).status, 401)
    })))
})
