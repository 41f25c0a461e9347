import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import {
  applyWorkerCommand,
  claimJob,
  createJob,
  defaultJobPolicy,
  type Job,
  JobId,
  type JobKind,
  TenantId,
  type WorkerCommand
} from "../src/index.ts"

const minute = 60_000

const claimed = (kind: JobKind, now: number, before?: Job) => {
  const job = before ?? createJob({ tenantId: TenantId.make(1), id: JobId.make("a"), kind, videoId: null, payload: {} }, now)
  const decision = claimJob(job, { owner: "w", leaseMillis: minute }, now)
  return decision._tag === "Claimed" ? decision : assert.fail(decision._tag)
}

const defer = (until: number): WorkerCommand => ({ _tag: "Defer", until, code: "quiet_hours", message: "아침에 보냅니다" })

describe("A job that is put off", () => {
  it("waits until its time, counts no failure, and says so again when it is said again", () => {
    const { job, lease } = claimed("messaging", 0)
    const put = applyWorkerCommand(job, lease, defer(10 * minute), 1)
    if (Result.isFailure(put)) return assert.fail(put.failure.message)
    assert.deepInclude(put.success, {
      status: "RETRYING",
      failures: 0,
      runAfter: 10 * minute,
      errorCode: "quiet_hours",
      leaseOwner: null,
      dispatchedAt: null
    })
    assert.deepStrictEqual(applyWorkerCommand(put.success, lease, defer(10 * minute), 2), Result.succeed(put.success))
    const early = claimJob(put.success, { owner: "w", leaseMillis: minute }, 10 * minute - 1)
    assert.deepStrictEqual(early, { _tag: "NotDue", until: 10 * minute })
    assert.strictEqual(claimed("messaging", 10 * minute, put.success).job.attempt, 2)
  })

  it("has an end all the same, later for messages, whose attempts carry on", () => {
    const deferrals = (kind: JobKind): number => {
      let job: Job | undefined
      for (let count = 1;; count++) {
        const { job: current, lease } = claimed(kind, count * minute, job)
        const put = Result.getOrThrow(applyWorkerCommand(current, lease, defer(count * minute), count * minute))
        if (put.status === "FAILED") return count
        job = put
      }
    }
    assert.strictEqual(deferrals("student_import"), defaultJobPolicy.maxAttempts)
    assert.strictEqual(deferrals("messaging"), defaultJobPolicy.ofKind?.messaging?.maxAttempts)
  })
})
