import { assert, describe, it } from "@effect/vitest"
import { JobId, JobMessageJson, JobStore, ObjectStore, TenantId } from "@lectern/domain"
import { Faults, QueueContents } from "@lectern/domain/testing"
import { Effect, Schema, Stream } from "effect"
import { layer, OriginUnderTest } from "./OriginUnderTest.ts"

const path = "/api/v1/ai/ocr/"
const tenant = TenantId.make(1)

const withOrigin = <A, E, R>(effect: Effect.Effect<A, E, R>) => effect.pipe(Effect.provide(layer()))

const png = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a, 1, 2, 3])
const jpeg = new Uint8Array([0xff, 0xd8, 0xff, 0xe0])
const pdf = new TextEncoder().encode("\n%PDF-1.7\n")

const form = (name: string, bytes: Uint8Array<ArrayBuffer>): FormData => {
  const data = new FormData()
  data.append("file", new File([bytes], name))
  return data
}

describe("POST /ai/ocr/", () => {
  for (const [extension, bytes] of [["png", png], ["jpg", jpeg], ["pdf", pdf]] as const) {
    it.live(`stores a .${extension} by its content and sends its recognition after the commit`, () =>
      withOrigin(Effect.gen(function*() {
        const { call } = yield* OriginUnderTest
        const store = yield* JobStore
        const objects = yield* ObjectStore
        const queue = yield* QueueContents
        const answer = yield* call(path, { body: form("시험지", bytes) })
        assert.strictEqual(answer.status, 202, answer.text)
        const [key] = yield* Stream.runCollect(objects.list("tenants/1/ai/ocr/"))
        if (key === undefined) return assert.fail("There is no worksheet in the object store")
        assert.match(key, new RegExp(`^tenants/1/ai/ocr/[0-9a-f-]{36}\\.${extension}$`))
        const { job } = yield* store.getJob(tenant, JobId.make(answer.json.job_id))
        assert.deepStrictEqual([job.kind, job.tier, job.payload], ["ocr", "basic", { file_key: key, filename: "시험지" }])
        const [message] = yield* queue.waiting
        assert.deepInclude(Schema.decodeSync(JobMessageJson)(message ?? ""), { job_id: job.id, job_type: "ocr", tier: "basic" })
      })))
  }

  it.live("refuses what is no worksheet, by its content, and what is empty", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const refused = yield* call(path, { body: form("시험지.png", new TextEncoder().encode("<html>")) })
      assert.deepStrictEqual([refused.status, refused.json.code], [415, "not_a_worksheet"])
      const empty = yield* call(path, { body: form("시험지.png", new Uint8Array()) })
      assert.deepStrictEqual([empty.status, empty.json.code], [400, "empty_file"])
      const store = yield* JobStore
      assert.deepStrictEqual(yield* store.findUndispatched({ olderThanMillis: 0, limit: 10 }), [])
    })))

  it.live("answers 503 when the file or the job cannot be kept", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      yield* faults.script("objects", ["refused"])
      assert.strictEqual((yield* call(path, { body: form("a.png", png) })).status, 503)
      yield* faults.store(["refused"])
      assert.strictEqual((yield* call(path, { body: form("a.png", png) })).status, 503)
    })))
})
