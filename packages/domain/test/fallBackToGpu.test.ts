import { describe, expect, it } from "@effect/vitest"
import { applyWorkerCommand, createJob, JobId, JobRecorder, JobStore, jobSubject, mirrorEntries, successorOf } from "@lectern/domain"
import { ProgressReader, type WorkerCommand } from "@lectern/domain"
import { TestDomain } from "@lectern/domain/testing"
import { Effect, Result } from "effect"
import { jobIn, leaseOf, startedAt, tenant } from "./jobInState.ts"

const premiumJobId = JobId.make("premium-1")
const fallBack: WorkerCommand = { _tag: "FallBackToGpu", premiumJobId, message: "GPU 작업으로 다시 처리합니다" }

const running = jobIn("RUNNING", { kind: "ocr", videoId: null, payload: { file_key: "k" } })

describe("a job that falls back to the GPU", () => {
  it("ends, and its result names the premium job", () => {
    const job = Result.getOrThrow(applyWorkerCommand(running, leaseOf(running), fallBack, startedAt + 1))
    expect([job.status, job.result, job.leaseOwner]).toEqual(["FALLBACK_TO_GPU", { premium_job_id: premiumJobId }, null])
    expect(Result.getOrThrow(applyWorkerCommand(job, leaseOf(running), fallBack, startedAt + 2))).toBe(job)
  })

  it("is followed by a premium job of the same kind and payload", () => {
    expect(successorOf(running, fallBack, startedAt)).toEqual(
      createJob(
        { tenantId: tenant, id: premiumJobId, kind: "ocr", tier: "premium", videoId: null, payload: { file_key: "k" } },
        startedAt
      )
    )
    expect(successorOf(running, { _tag: "Succeed", result: null }, startedAt)).toBe(null)
  })

  it.each([
    ["a premium job", jobIn("RUNNING", { kind: "ocr", videoId: null, tier: "premium" })],
    ["an encode", jobIn("RUNNING")]
  ])("cannot be %s", (_, job) => {
    const refused = applyWorkerCommand(job, leaseOf(job), fallBack, startedAt + 1)
    expect(Result.isFailure(refused) && refused.failure._tag).toBe("IllegalTransition")
  })

  it("is shown together with the job that takes its place", () => {
    const successor = successorOf(running, fallBack, startedAt)
    if (successor === null) throw new Error("there is no successor")
    const entries = mirrorEntries({ job: running, video: null, successor }, 0, null, startedAt)
    expect(entries.map(({ subject, terminal }) => [subject, terminal])).toEqual([
      [jobSubject(running.id), false],
      [jobSubject(premiumJobId), false]
    ])
  })

  it.effect("leaves both in the mirror, and is answered the same when it is said twice", () =>
    Effect.gen(function*() {
      const recorder = yield* JobRecorder
      const store = yield* JobStore
      const reader = yield* ProgressReader
      const id = JobId.make("basic-1")
      yield* recorder.commit(store.createJob(tenant, { id, kind: "ocr", payload: { file_key: "k" } }))
      const claimed = yield* recorder.claim(tenant, id, { owner: "me", leaseMillis: 60_000 })
      if (claimed._tag !== "Claimed") return expect.fail(claimed._tag)
      yield* claimed.run.record(fallBack)
      yield* claimed.run.record(fallBack)
      const seen = yield* reader.read(tenant, [jobSubject(id), jobSubject(premiumJobId)])
      expect(seen.map((stored) => stored.status)).toEqual([
        expect.stringContaining(`"status":"FALLBACK_TO_GPU"`),
        expect.stringContaining(`"status":"PENDING"`)
      ])
      expect((yield* store.getJob(tenant, premiumJobId)).job.tier).toBe("premium")
    }).pipe(Effect.provide(TestDomain.layer)))
})
