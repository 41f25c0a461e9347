import { JobId, JobRecorder, JobStore, TenantId } from "@lectern/domain"
import { Faults, TestDomain } from "@lectern/domain/testing"
import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"

it.effect("an import ends whatever the mirror does", () =>
  Effect.gen(function*() {
    const faults = yield* Faults
    const recorder = yield* JobRecorder
    const store = yield* JobStore
    const tenant = TenantId.make(1)
    const id = JobId.make("import-1")
    yield* recorder.commit(store.createJob(tenant, { id, kind: "student_import", payload: {} }))

    yield* faults.mirror(["refused", "hang", "defect"])
    yield* faults.store(["ok", "lost"])
    const fiber = yield* Effect.forkChild(Effect.gen(function*() {
      const claimed = yield* recorder.claim(tenant, id, { owner: "me", leaseMillis: 60_000 })
      if (claimed._tag !== "Claimed") return claimed._tag
      yield* claimed.run.record({ _tag: "Advance", step: "creating" })
      return yield* claimed.run.record({ _tag: "Succeed", result: { created: 3 } })
    }))
    yield* TestClock.adjust("10 seconds")

    assert.strictEqual(yield* Fiber.join(fiber), "Skipped")
    const { job } = yield* faults.aside(store.getJob(tenant, id))
    assert.strictEqual(job.status, "DONE")
    assert.deepStrictEqual((yield* faults.calls).slice(2), [
      { method: "JobStore.claim", outcome: "ok" },
      { method: "ProgressMirror.publish", outcome: "refused" },
      { method: "JobStore.transition", outcome: "lost" },
      { method: "JobStore.transition", outcome: "ok" },
      { method: "ProgressMirror.publish", outcome: "hang" },
      { method: "JobStore.transition", outcome: "ok" },
      { method: "ProgressMirror.publish", outcome: "defect" }
    ])
  }).pipe(Effect.provide(TestDomain.layer)))
