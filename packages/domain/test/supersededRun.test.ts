import { assert, describe, it } from "@effect/vitest"
import { isSuperseded, type Job, type JobStatus, JobRecorder, JobStore, Sweeper } from "@lectern/domain"
import { EncodeRuns, TestDomain } from "@lectern/domain/testing"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { jobIn } from "./jobInState.ts"
import { createEncode, school, worker } from "./lives.ts"

const older = { runId: "run-1", submission: 1 }
/** A job whose second run was submitted. */
const moved = (status: JobStatus, fields: Partial<typeof Job.Type> = {}): Job =>
  jobIn(status, { submissions: 2, externalId: "run-2", ...fields })

describe("a run of an earlier submission", () => {
  it("is superseded where another holds the job, or the job has ended", () => {
    for (const status of ["VALIDATING", "RUNNING"] as const) {
      assert.isTrue(isSuperseded(moved(status, { leaseOwner: "run-2" }), older))
    }
    for (const status of ["DONE", "FAILED", "REJECTED_BAD_INPUT", "CANCELLED"] as const) {
      assert.isTrue(isSuperseded(moved(status), older))
    }
  })

  it("is superseded while the job waits for its next run because the holder fell silent, and for no other reason", () => {
    assert.isTrue(isSuperseded(moved("RETRYING", { errorCode: "lease_expired" }), older))
    for (const errorCode of ["preempted", "run_ended", null]) {
      assert.isFalse(isSuperseded(moved("RETRYING", { errorCode }), older))
    }
    assert.isFalse(isSuperseded(moved("PENDING"), older))
  })

  it("is not superseded before the run that takes its place is known", () => {
    assert.isFalse(isSuperseded(moved("RETRYING", { errorCode: "lease_expired", externalId: null }), older))
  })

  it("is not superseded while it holds the job, under its own id or as a container of its array", () => {
    for (const leaseOwner of ["run-1", "run-1:3"]) assert.isFalse(isSuperseded(moved("RUNNING", { leaseOwner }), older))
  })

  it("is no run of the latest submission, nor the one that the row names", () => {
    assert.isFalse(isSuperseded(moved("DONE"), { runId: "run-3", submission: 2 }))
    assert.isFalse(isSuperseded(moved("DONE", { submissions: 3 }), { runId: "run-2", submission: 2 }))
  })

  it.effect("is told from the current one by the row alone, from a silent holder to the end of the job", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const recorder = yield* JobRecorder
      const runs = yield* EncodeRuns
      const sweep = Effect.flatMap(Sweeper, (sweeper) => sweeper.sweep)
      const { jobId } = yield* createEncode("1강")
      const judged = Effect.gen(function*() {
        const { job } = yield* store.getJob(school, jobId)
        return (yield* runs.all).map(({ externalId, submission }) => isSuperseded(job, { runId: externalId, submission }))
      })
      yield* sweep
      yield* recorder.claim(school, jobId, { ...worker, owner: "run-1" })
      assert.deepStrictEqual(yield* judged, [false])
      // It hangs: the lease ends, and the job waits until it is due.
      yield* TestClock.adjust("61 minutes")
      yield* sweep
      assert.deepStrictEqual(yield* judged, [false])
      yield* TestClock.adjust("10 minutes")
      yield* sweep
      assert.deepStrictEqual(yield* judged, [true, false])
      const claimed = yield* recorder.claim(school, jobId, { ...worker, owner: "run-2" })
      assert.deepStrictEqual(yield* judged, [true, false])
      if (claimed._tag !== "Claimed") return assert.fail(claimed._tag)
      yield* claimed.run.record({ _tag: "Reject", code: "damaged", message: "손상된 파일입니다" })
      assert.deepStrictEqual(yield* judged, [true, false])
    }).pipe(Effect.provide(TestDomain.layer)))
})
