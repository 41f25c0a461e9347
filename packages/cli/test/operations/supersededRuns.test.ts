import { assert, describe, it } from "@effect/vitest"
import { EncodeRuntimeBatch } from "@lectern/adapters/batch"
import { JobDispatcher, JobId, JobRecorder, JobStore, Sweeper, TenantId, VideoDeletion } from "@lectern/domain"
import { JobStoreMemory, ProgressMirrorMemory, RunHistoryMemory } from "@lectern/domain/memory"
import { BatchServer } from "@lectern/harness"
import { Effect, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import { refusingObjects, refusingQueue } from "../../src/operations/refusingPorts.ts"
import { endSupersededRuns } from "../../src/operations/supersededRuns.ts"

const tenant = TenantId.make(7)
const jobId = JobId.make("0190f3c2-aaaa-4bbb-8ccc-000000000001")
const leaseMillis = 60_000
const array = { bytesPerContainer: 1_000, mostContainers: 3 }

const worldOf = (endpoint: string) =>
  Sweeper.layer({ redispatchAfterMillis: 900_000, limit: 100 }).pipe(
    Layer.provideMerge(VideoDeletion.layer),
    Layer.provideMerge(Layer.merge(JobRecorder.layer, JobDispatcher.layerWith(array))),
    Layer.provideMerge(Layer.mergeAll(
      RunHistoryMemory.layer.pipe(Layer.provideMerge(JobStoreMemory.layer)),
      ProgressMirrorMemory.layer,
      refusingObjects,
      refusingQueue,
      EncodeRuntimeBatch.layer({
        endpoint,
        region: "us-east-1",
        credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") },
        jobQueue: "queue",
        jobDefinition: "definition",
        maxAttempts: 1
      })
    ))
  )

const claim = Effect.fnUntraced(function*(owner: string) {
  const recorder = yield* JobRecorder
  const claimed = yield* recorder.claim(tenant, jobId, { owner, leaseMillis })
  return claimed._tag === "Claimed" ? claimed.run : assert.fail(claimed._tag)
})

const sweep = Effect.flatMap(Sweeper, (sweeper) => sweeper.sweep)
const jobNow = Effect.flatMap(JobStore, (store) => Effect.map(store.getJob(tenant, jobId), ({ job }) => job))

/** An encode of so many bytes whose first run holds it and then hangs, until a second was submitted in its place. */
const hanging = Effect.fnUntraced(function*(batch: BatchServer, fileSize: number) {
  const store = yield* JobStore
  const recorder = yield* JobRecorder
  const { video } = yield* recorder.commit(
    store.createVideo(tenant, {
      title: "1강",
      filename: "f.mp4",
      contentType: "video/mp4",
      session: null,
      fileKey: "raw/1"
    })
  )
  yield* recorder.commit(store.completeUpload(tenant, video.id, { jobId, fileSize }))
  yield* sweep
  const run = batch.jobs.length === 1 ? "batch-1" : "batch-1:0"
  batch.put({ jobId: run, jobName: "video-0190f3c2", status: "RUNNING" })
  yield* claim("batch-1")
  yield* TestClock.adjust("2 minutes")
  yield* sweep
  yield* TestClock.adjust("10 minutes")
  yield* sweep
  assert.deepInclude(yield* jobNow, { status: "RETRYING", submissions: 2, externalId: "batch-2" })
})

const terminations = (batch: BatchServer) =>
  batch.calls.filter(({ call }) => call === "/v1/terminatejob").map(({ body }) => body)

const superseded = {
  jobId: "batch-1",
  reason: "Superseded: submission 1 lost its job, which run batch-2 was submitted for since"
}

/** A test in a world of its own, with the Batch that it submits to. */
const inWorld = <E>(
  test: (batch: BatchServer) => Effect.Effect<void, E, Layer.Success<ReturnType<typeof worldOf>>>
) =>
  Effect.gen(function*() {
    const batch = yield* BatchServer.make()
    yield* test(batch).pipe(Effect.provide(worldOf(batch.url)))
  })

describe("A run that hangs after another was submitted in its place", () => {
  it.effect("is terminated, once, with a reason that says so, while the other waits for its machine", () =>
    inWorld((batch) =>
      Effect.gen(function*() {
        yield* hanging(batch, 10)
        assert.deepStrictEqual(yield* endSupersededRuns, { terminated: 1, failures: [] })
        assert.deepStrictEqual(yield* endSupersededRuns, { terminated: 0, failures: [] })
        assert.deepStrictEqual(terminations(batch), [superseded])
        assert.deepStrictEqual(batch.liveJobs.map((job) => job.jobId), ["batch-2"])
      })
    ))

  it.effect("is told to stop once also while its container takes its time to", () =>
    inWorld((batch) =>
      Effect.gen(function*() {
        yield* hanging(batch, 10)
        yield* endSupersededRuns
        batch.put({ jobId: "batch-1", jobName: "video-0190f3c2", status: "RUNNING" })
        assert.deepStrictEqual(yield* endSupersededRuns, { terminated: 0, failures: [] })
        assert.lengthOf(terminations(batch), 1)
      })
    ))

  it.effect("is terminated with the whole of its array", () =>
    inWorld((batch) =>
      Effect.gen(function*() {
        yield* hanging(batch, 2_500)
        assert.lengthOf(batch.jobs, 8)
        assert.deepStrictEqual(yield* endSupersededRuns, { terminated: 1, failures: [] })
        assert.deepStrictEqual(terminations(batch), [superseded])
        assert.deepStrictEqual(
          batch.liveJobs.map((job) => job.jobId),
          ["batch-2", "batch-2:0", "batch-2:1", "batch-2:2"]
        )
      })
    ))

  it.effect("is terminated also after the other has ended the job", () =>
    inWorld((batch) =>
      Effect.gen(function*() {
        yield* hanging(batch, 10)
        batch.put({ jobId: "batch-2", jobName: "video-0190f3c2", status: "RUNNING" })
        const run = yield* claim("batch-2")
        yield* run.record({ _tag: "Reject", code: "damaged", message: "손상된 파일입니다" })
        assert.deepStrictEqual(yield* endSupersededRuns, { terminated: 1, failures: [] })
        assert.deepStrictEqual(batch.liveJobs.map((job) => job.jobId), ["batch-2"])
      })
    ))

  it.effect("is left alone where it has come back and holds the job, and so is the one that waits", () =>
    inWorld((batch) =>
      Effect.gen(function*() {
        yield* hanging(batch, 2_500)
        yield* claim("batch-1")
        batch.put({ jobId: "batch-2:0", jobName: "video-0190f3c2", status: "RUNNING" })
        assert.deepStrictEqual(yield* endSupersededRuns, { terminated: 0, failures: [] })
        assert.lengthOf(terminations(batch), 0)
      })
    ))

  for (
    const [what, call, fault] of [
      ["refused", "/v1/terminatejob", { status: 403, code: "AccessDeniedException" }],
      ["throttled", "/v1/terminatejob", { status: 429, code: "TooManyRequestsException" }],
      ["not to be found out about", "/v1/listjobs", { status: 403, code: "AccessDeniedException" }],
      ["not to be described", "/v1/describejobs", { status: 500, code: "ServerException" }]
    ] as const
  ) {
    it.effect(`changes nothing where it is ${what}, and is ended the next time`, () =>
      inWorld((batch) =>
        Effect.gen(function*() {
          yield* hanging(batch, 10)
          const before = [yield* jobNow, batch.jobs]
          batch.refuse(fault, call)
          const report = yield* endSupersededRuns
          assert.deepStrictEqual([report.terminated, report.failures.length], [0, 1])
          assert.deepStrictEqual([yield* jobNow, batch.jobs], before)
          batch.refuse(null, call)
          assert.deepStrictEqual(yield* endSupersededRuns, { terminated: 1, failures: [] })
        })
      ))
  }
})

describe("A run of a job that this database does not have", () => {
  it.effect("is somebody else's and left alone", () =>
    inWorld((batch) =>
      Effect.gen(function*() {
        batch.put({
          jobId: "foreign",
          jobName: "video-0190f3c2",
          status: "RUNNING",
          parameters: { job_id: jobId, tenant_id: "7", submission: "1" }
        })
        assert.deepStrictEqual(yield* endSupersededRuns, { terminated: 0, failures: [] })
        assert.lengthOf(terminations(batch), 0)
      })
    ))
})
