/** One job has one live job of Batch, through the real client, whatever becomes of the calls. */
import { assert, describe, it } from "@effect/vitest"
import { JobDispatcher, JobRecorder, JobStore, newJobId, TenantId, undispatched } from "@lectern/domain"
import { TestDomain } from "@lectern/domain/testing"
import { type BatchFault, BatchServer } from "@lectern/harness"
import { Effect, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { EncodeRuntimeBatch } from "../../src/batch/index.ts"

const school = TenantId.make(7)
const submitJob = "/v1/submitjob"

const refused: BatchFault = { status: 403, code: "AccessDeniedException" }
const throttled: BatchFault = { status: 429, code: "TooManyRequestsException" }
const outcomes: ReadonlyArray<BatchFault | "ok"> = ["ok", refused, throttled, "lost", "broken after"]
const named = (fault: BatchFault | "ok"): string => typeof fault === "string" ? fault : fault.code

const services = (endpoint: string, findableAfterMillis: number) =>
  Layer.fresh(JobDispatcher.layer).pipe(
    Layer.provide(EncodeRuntimeBatch.layer({
      endpoint,
      region: "us-east-1",
      credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") },
      jobQueue: "queue",
      jobDefinition: "definition",
      maxAttempts: 1,
      findableAfterMillis
    })),
    Layer.provideMerge(TestDomain.layer)
  )

const accepted = Effect.gen(function*() {
  const store = yield* JobStore
  const recorder = yield* JobRecorder
  const { video } = yield* recorder.commit(store.createVideo(school, {
    title: "1강",
    filename: "1.mp4",
    contentType: "video/mp4",
    session: null,
    fileKey: "raw/1.mp4"
  }))
  const jobId = yield* newJobId
  return (yield* recorder.commit(store.completeUpload(school, video.id, { jobId, fileSize: 1 }))).job
})

const dispatch = Effect.fnUntraced(function*(jobId: Parameters<JobStore["Service"]["getJob"]>[1]) {
  const store = yield* JobStore
  const dispatcher = yield* JobDispatcher
  const { job } = yield* store.getJob(school, jobId)
  return yield* Effect.exit(dispatcher.dispatch(undispatched(job)))
})

describe("A job is submitted once", () => {
  for (const first of outcomes) {
    it.live(`where its first SubmitJob is "${named(first)}", whatever becomes of the calls after it`, () =>
      Effect.gen(function*() {
        for (const second of outcomes) {
          for (const list of ["ok", refused, "lost"] as const) {
            const server = yield* BatchServer.make()
            yield* Effect.gen(function*() {
              const store = yield* JobStore
              const { id } = yield* accepted
              server.script(submitJob, [first, second])
              server.script("/v1/listjobs", [list])
              for (let round = 0; round < 4; round++) {
                yield* dispatch(id)
                assert.isAtMost(server.liveJobs.length, 1)
              }
              const { job } = yield* store.getJob(school, id)
              const context = [named(second), named(list)].join()
              assert.deepStrictEqual(server.jobs.map(({ jobId }) => jobId), [job.externalId], context)
              assert.isNull(job.submittingSince, context)
            }).pipe(Effect.provide(services(server.url, 0)))
          }
        }
      }))
  }

  it.effect("although ListJobs does not know of it at first", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make()
      yield* Effect.gen(function*() {
        const store = yield* JobStore
        const { id } = yield* accepted
        server.hideFromLists(true)
        server.script(submitJob, ["lost"])
        yield* dispatch(id)
        yield* TestClock.adjust("119 seconds")
        yield* dispatch(id)
        assert.deepStrictEqual(server.calls.map(({ call }) => call), [submitJob])
        server.hideFromLists(false)
        yield* TestClock.adjust("1 second")
        yield* dispatch(id)
        assert.deepStrictEqual(server.calls.map(({ call }) => call), [submitJob, "/v1/listjobs", "/v1/describejobs"])
        assert.strictEqual((yield* store.getJob(school, id)).job.externalId, "batch-1")
      }).pipe(Effect.provide(services(server.url, 120_000)))
    }))

  it.effect("again for its next attempt, whose run is not taken for that of the first, which still goes on", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make()
      yield* Effect.gen(function*() {
        const store = yield* JobStore
        const recorder = yield* JobRecorder
        const { id } = yield* accepted
        yield* dispatch(id)
        const claim = yield* recorder.claim(school, id, { owner: "batch-1", leaseMillis: 1_000 })
        assert.strictEqual(claim._tag, "Claimed")
        // Frozen past its lease: Batch sees it run.
        server.put({ jobId: "batch-1", jobName: "", status: "RUNNING" })
        yield* TestClock.adjust("1 minute")
        yield* recorder.commit(Effect.flatMap(
          store.intervene({ tenantId: school, jobId: id }, { _tag: "Expire", attempt: 1, message: "멈춤" }),
          (receipt) => receipt === null ? Effect.die("The lease had not ended") : Effect.succeed(receipt)
        ))
        yield* TestClock.adjust("1 minute")
        server.script(submitJob, ["lost"])
        yield* dispatch(id)
        yield* TestClock.adjust("2 minutes")
        yield* dispatch(id)
        assert.strictEqual((yield* store.getJob(school, id)).job.externalId, "batch-2")
        assert.lengthOf(server.jobs, 2)
      }).pipe(Effect.provide(services(server.url, 120_000)))
    }))
})
