import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { JobId, JobRecorder, JobStore, TenantId } from "@lectern/domain"
import { Faults } from "@lectern/domain/testing"
import { layer, OriginUnderTest } from "./OriginUnderTest.ts"

const tenant = TenantId.make(1)

const withOrigin = <A, E, R>(effect: Effect.Effect<A, E, R>) => effect.pipe(Effect.provide(layer()))

const accepted = Effect.fnUntraced(function*(id = "3f2c6f0e-0000-4000-8000-000000000001", tenantId = tenant) {
  const store = yield* JobStore
  const recorder = yield* JobRecorder
  yield* recorder.commit(store.createJob(tenantId, { id: JobId.make(id), kind: "student_import", payload: {} }))
  return JobId.make(id)
})

const claimed = Effect.fnUntraced(function*(id: JobId) {
  const recorder = yield* JobRecorder
  const claim = yield* recorder.claim(tenant, id, { owner: "worker", leaseMillis: 60_000 })
  if (claim._tag !== "Claimed") return assert.fail(claim._tag)
  return claim.run
})

describe("GET /jobs/{job_id}/", () => {
  it.live("shows a job that waits", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const id = yield* accepted()
      const answer = yield* call(`/api/v1/jobs/${id}/`)
      assert.strictEqual(answer.status, 200, answer.text)
      assert.deepStrictEqual(answer.json, {
        job_id: id,
        job_type: "student_import",
        status: "PENDING",
        result: null,
        error_message: null,
        progress: null
      })
    })))

  it.live("shows the progress of one that runs", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const id = yield* accepted()
      const run = yield* claimed(id)
      yield* run.record({ _tag: "Advance", step: "creating" })
      const { json } = yield* call(`/api/v1/jobs/${id}/`)
      assert.deepInclude(json, {
        status: "RUNNING",
        progress: {
          step: "creating",
          percent: 40,
          step_index: 3,
          step_total: 4,
          step_name: "creating",
          step_name_display: "등록",
          step_percent: 0
        }
      })
    })))

  it.live("shows the result and the message of one that is done, and no progress", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const id = yield* accepted()
      const run = yield* claimed(id)
      yield* run.record({ _tag: "Advance", step: "creating" })
      yield* run.record({ _tag: "Succeed", result: { created: 3, failed: [] }, errorMessage: "2행을 건너뛰었습니다" })
      const { json } = yield* call(`/api/v1/jobs/${id}/`)
      assert.deepInclude(json, {
        status: "DONE",
        result: { created: 3, failed: [] },
        error_message: "2행을 건너뛰었습니다",
        progress: null
      })
    })))

  it.live("shows a cancelled job as FAILED, which every poller knows", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const store = yield* JobStore
      const id = yield* accepted()
      yield* store.intervene({ tenantId: tenant, jobId: id }, { _tag: "Cancel", message: "취소되었습니다" })
      const { json } = yield* call(`/api/v1/jobs/${id}/`)
      assert.deepInclude(json, { status: "FAILED", error_message: "취소되었습니다" })
    })))

  it.live("shows progress as unknown when the mirror is away", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      const id = yield* accepted()
      const run = yield* claimed(id)
      yield* run.record({ _tag: "Advance", step: "parsing" })
      yield* faults.script("reader", ["refused"])
      const { status, json } = yield* call(`/api/v1/jobs/${id}/`)
      assert.deepStrictEqual([status, json.status, json.progress], [200, "RUNNING", null])
    })))

  it.live("answers 404 for an unknown job and for another tenant's, and 400 for a name of 65 characters", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const foreign = yield* accepted("foreign", TenantId.make(2))
      for (const id of [foreign, "nothing", "x".repeat(64), "%EC%95%88", "a%2Fb"]) {
        const answer = yield* call(`/api/v1/jobs/${id}/`)
        assert.deepStrictEqual([answer.status, answer.json.code], [404, "job_not_found"], id)
      }
      assert.strictEqual((yield* call(`/api/v1/jobs/${"x".repeat(65)}/`)).status, 400)
      assert.strictEqual((yield* call("/api/v1/jobs/a%00b/")).status, 400)
    })))

  it.live("answers 503 when the database is away", () =>
    withOrigin(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      yield* faults.store(["refused"])
      const answer = yield* call("/api/v1/jobs/any/")
      assert.deepStrictEqual([answer.status, answer.json.code], [503, "database_unavailable"])
    })))
})
