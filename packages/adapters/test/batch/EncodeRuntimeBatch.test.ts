import { assert, describe, it } from "@effect/vitest"
import { EncodeRuntime, type EncodeSubmission, JobId, TenantId } from "@lectern/domain"
import { type BatchJob, BatchServer, ClosedPort, SilentPort } from "@lectern/harness"
import { Context, Effect, Layer, Redacted } from "effect"
import { batchVariables, EncodeRuntimeBatch, type EncodeRuntimeBatchOptions } from "../../src/batch/index.ts"
import { encodeRuntimeSuite } from "../conformance/EncodeRuntimeSuite.ts"

const options = (endpoint: string): EncodeRuntimeBatchOptions => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") },
  jobQueue: batchVariables.jobQueue.default,
  jobDefinition: batchVariables.jobDefinition.default,
  requestTimeoutMillis: 2_000,
  maxAttempts: 2
})

const runtimeAt = (endpoint: string, more: Partial<EncodeRuntimeBatchOptions> = {}) =>
  Effect.map(
    Layer.build(EncodeRuntimeBatch.layer({ ...options(endpoint), ...more })),
    (context) => Context.get(context, EncodeRuntime)
  )

const lecture: EncodeSubmission = {
  tenantId: TenantId.make(7),
  jobId: JobId.make("0190f3c2-aaaa-4bbb-8ccc-000000000001"),
  submission: 1
}

/** A job that moves on by one status each time that it is described, and ends as its id says. */
const advance = (job: BatchJob): BatchJob => {
  const { job_id } = job["parameters"] as { readonly job_id: string }
  if (job.status === "SUBMITTED") return { ...job, status: "RUNNABLE" }
  if (job.status === "RUNNABLE") return { ...job, status: "RUNNING" }
  if (job.status !== "RUNNING" || job_id.startsWith("waits")) return job
  const exitCode = job_id.startsWith("exits-3") ? 3 : 0
  return {
    ...job,
    status: exitCode === 0 ? "SUCCEEDED" : "FAILED",
    statusReason: "Essential container in task exited",
    container: { exitCode }
  }
}

encodeRuntimeSuite(
  "AWS Batch",
  Layer.unwrap(Effect.map(BatchServer.make({ advance }), ({ url }) => EncodeRuntimeBatch.layer(options(url))))
)

describe("EncodeRuntimeBatch", () => {
  it.effect("submits a job under the names of the contract", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make()
      const runtime = yield* runtimeAt(server.url)
      yield* runtime.submit(lecture)
      assert.deepStrictEqual(server.calls, [{
        call: "/v1/submitjob",
        body: {
          jobName: "video-0190f3c2",
          jobQueue: "academy-video-batch-queue",
          jobDefinition: "academy-video-batch-jobdef",
          parameters: { job_id: lecture.jobId, tenant_id: "7", submission: "1" },
          containerOverrides: {
            environment: [
              { name: "VIDEO_JOB_ID", value: "0190f3c2-aaaa-4bbb-8ccc-000000000001" },
              { name: "VIDEO_TENANT_ID", value: "7" }
            ]
          }
        }
      }])
    }))

  const arrayOfThree = Effect.gen(function*() {
    const server = yield* BatchServer.make()
    const runtime = yield* runtimeAt(server.url)
    const id = yield* runtime.submit({ ...lecture, arraySize: 3 })
    const become = (statuses: ReadonlyArray<string>, more: Partial<BatchJob> = {}) => {
      statuses.forEach((status, index) => server.put({ jobId: `${id}:${index}`, jobName: "video-0190f3c2", status, ...more }))
      return Effect.map(runtime.describe([id]), (states) => states.get(id))
    }
    return { server, runtime, id, become }
  })

  it.effect("submits an array where several containers work together, and follows its parent", () =>
    Effect.gen(function*() {
      const { become, id, runtime, server } = yield* arrayOfThree
      assert.deepStrictEqual(server.calls[0]?.body["arrayProperties"], { size: 3 })
      assert.deepStrictEqual(yield* runtime.find(lecture), [id])
      const states: Array<string | undefined> = []
      for (
        const statuses of [
          ["SUBMITTED", "SUBMITTED", "SUBMITTED"],
          ["RUNNABLE", "RUNNABLE", "RUNNABLE"],
          ["STARTING", "RUNNABLE", "RUNNABLE"],
          ["SUCCEEDED", "RUNNING", "RUNNABLE"],
          ["SUCCEEDED", "SUCCEEDED", "RUNNABLE"],
          ["SUCCEEDED", "SUCCEEDED", "SUCCEEDED"]
        ]
      ) {
        states.push((yield* become(statuses))?._tag)
      }
      assert.deepStrictEqual(states, ["Waiting", "Waiting", "Waiting", "Running", "Waiting", "Ended"])
    }))

  it.effect("says of a failed array what its first failed child says", () =>
    Effect.gen(function*() {
      const { become, server, id } = yield* arrayOfThree
      server.put({
        jobId: `${id}:1`,
        jobName: "video-0190f3c2",
        status: "FAILED",
        statusReason: "Host EC2 (instance i-1) terminated.",
        container: { exitCode: 137, logStreamName: "video/default/1" }
      })
      assert.strictEqual((yield* become(["SUCCEEDED"]))?._tag, "Waiting")
      server.put({ jobId: `${id}:2`, jobName: "video-0190f3c2", status: "FAILED", statusReason: "another" })
      const state = (yield* become(["SUCCEEDED"]))
      assert.deepStrictEqual(state, {
        _tag: "Ended",
        exitCode: 137,
        reason: "Host EC2 (instance i-1) terminated.",
        words: {
          status: "FAILED",
          statusReason: "Host EC2 (instance i-1) terminated.",
          containerReason: null,
          exitCode: 137,
          logStream: "video/default/1"
        }
      })
      server.refuse({ status: 403, code: "AccessDeniedException" }, "/v1/listjobs")
      assert.strictEqual((yield* Effect.flip(become([])))._tag, "EncodeRuntimeUnavailable")
    }))

  it.effect("says of a failed array what it says itself, where Batch has forgotten its children", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make({
        jobs: [{
          jobId: "array",
          jobName: "video",
          status: "FAILED",
          statusReason: "Array Child Job failed",
          arrayProperties: { size: 2, statusSummary: { FAILED: 2 } }
        }]
      })
      const state = (yield* (yield* runtimeAt(server.url)).describe(["array"])).get("array")
      assert.strictEqual(state?._tag === "Ended" ? state.reason : undefined, "Array Child Job failed")
    }))

  it.effect("ends an array with all of its children by one call, for the reason that is given", () =>
    Effect.gen(function*() {
      const { become, id, runtime, server } = yield* arrayOfThree
      yield* become(["SUCCEEDED", "RUNNING", "RUNNABLE"])
      const before = server.calls.length
      yield* runtime.terminate(id, "The video was deleted")
      assert.deepStrictEqual(server.calls.slice(before).map(({ body }) => body["jobId"]), [id])
      assert.deepStrictEqual(
        server.jobs.map((job) => [job.jobId, job.status, job["statusReason"]]),
        [
          [id, "FAILED", "The video was deleted"],
          [`${id}:0`, "SUCCEEDED", undefined],
          [`${id}:1`, "FAILED", "The video was deleted"],
          [`${id}:2`, "FAILED", "The video was deleted"]
        ]
      )
    }))

  it.effect("knows what is at work: single jobs and arrays of ours that run, and that nobody has told to stop", () =>
    Effect.gen(function*() {
      const { become, id, runtime, server } = yield* arrayOfThree
      const parameters = { job_id: "other", tenant_id: "8", submission: "2" }
      const job = (jobId: string, status: string, more: Partial<BatchJob> = {}) =>
        server.put({ jobId, jobName: "video-other", status, parameters, ...more })
      job("single", "RUNNING")
      job("waits", "RUNNABLE")
      job("over", "SUCCEEDED")
      job("stops", "RUNNING", { isTerminated: true })
      job("not-ours", "RUNNING", { parameters: { job_id: "other" } })
      job("child", "RUNNING", { arrayProperties: { index: 1 } })
      const single = { runId: "single", jobId: "other", tenantId: 8, submission: 2 }
      const array = { runId: id, jobId: lecture.jobId, tenantId: 7, submission: 1 }
      const atWork = Effect.map(runtime.atWork, (runs) => runs.map((run): object => ({ ...run })))
      yield* become(["RUNNABLE", "RUNNABLE", "RUNNABLE"])
      assert.deepStrictEqual(yield* atWork, [single])
      yield* become(["SUCCEEDED", "RUNNING", "RUNNABLE"])
      assert.deepStrictEqual(yield* atWork, [single, array])
      yield* runtime.terminate("single", "Superseded")
      assert.deepStrictEqual(yield* atWork, [array])
      server.refuse({ status: 429, code: "TooManyRequestsException" }, "/v1/listjobs")
      assert.deepInclude(yield* Effect.flip(runtime.atWork), { _tag: "EncodeRuntimeUnavailable", retryable: true })
    }))

  for (
    const [status, tag] of [
      ["SUBMITTED", "Waiting"],
      ["PENDING", "Waiting"],
      ["RUNNABLE", "Waiting"],
      ["STARTING", "Waiting"],
      ["RUNNING", "Running"],
      ["SUCCEEDED", "Ended"],
      ["FAILED", "Ended"],
      ["HIBERNATING", "Unknown"]
    ] as const
  ) {
    it.effect(`takes a job that is ${status} for ${tag}`, () =>
      Effect.gen(function*() {
        const server = yield* BatchServer.make({ jobs: [{ jobId: "one", jobName: "job", status }] })
        const states = yield* (yield* runtimeAt(server.url)).describe(["one"])
        assert.strictEqual(states.get("one")?._tag, tag)
      }))

    const ended = tag === "Ended"
    it.effect(`${ended ? "leaves a job alone that is" : "ends a job that is"} ${status} with TerminateJob, and never with CancelJob`, () =>
      Effect.gen(function*() {
        const server = yield* BatchServer.make({ jobs: [{ jobId: "one", jobName: "job", status, statusReason: "as it was" }] })
        yield* (yield* runtimeAt(server.url)).terminate("one", "The video was deleted")
        assert.deepStrictEqual(server.calls.map(({ call }) => call), ["/v1/terminatejob"])
        assert.deepStrictEqual(
          server.jobs.map((job) => [job.status, job["statusReason"]]),
          [ended ? [status, "as it was"] : ["FAILED", "The video was deleted"]]
        )
      }))
  }

  it.effect("tells both reasons of an end, and Batch's words beside it", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make({
        jobs: [{
          jobId: "one",
          jobName: "job",
          status: "FAILED",
          statusReason: "Task failed to start",
          container: { reason: "CannotPullContainerError: manifest unknown", logStreamName: "video/default/1" }
        }]
      })
      const state = (yield* (yield* runtimeAt(server.url)).describe(["one"])).get("one")
      assert.deepStrictEqual(state, {
        _tag: "Ended",
        exitCode: null,
        reason: "Task failed to start: CannotPullContainerError: manifest unknown",
        words: {
          status: "FAILED",
          statusReason: "Task failed to start",
          containerReason: "CannotPullContainerError: manifest unknown",
          exitCode: null,
          logStream: "video/default/1"
        }
      })
    }))

  it.effect("describes any number of jobs, a hundred at a time, each once", () =>
    Effect.gen(function*() {
      const ids = Array.from({ length: 250 }, (_, index) => `job-${index}`)
      const server = yield* BatchServer.make({ jobs: ids.map((jobId) => ({ jobId, jobName: "job", status: "RUNNING" })) })
      const states = yield* (yield* runtimeAt(server.url)).describe([...ids, ...ids])
      assert.deepStrictEqual([...states.keys()], ids)
      assert.isTrue([...states.values()].every(({ _tag }) => _tag === "Running"))
      assert.deepStrictEqual(server.calls.map(({ body }) => (body["jobs"] as ReadonlyArray<string>).length), [100, 100, 50])
    }))

  it.effect("finds a submission among hundreds of other jobs that bear the same name", () =>
    Effect.gen(function*() {
      const stranger = (index: number): BatchJob => ({
        jobId: `stranger-${index}`,
        jobName: "video-0190f3c2",
        status: "RUNNING",
        parameters: { job_id: `0190f3c2-of-another-${index}`, tenant_id: "7", submission: "1" }
      })
      const server = yield* BatchServer.make({ jobs: Array.from({ length: 250 }, (_, index) => stranger(index)) })
      const runtime = yield* runtimeAt(server.url)
      assert.deepStrictEqual(yield* runtime.find(lecture), [])
      const id = yield* runtime.submit(lecture)
      assert.deepStrictEqual(yield* runtime.find(lecture), [id])
      assert.deepStrictEqual(yield* runtime.find({ ...lecture, submission: 2 }), [])
    }))

  for (
    const [status, code, retryable] of [
      [403, "AccessDeniedException", false],
      [400, "ClientException", false],
      [429, "TooManyRequestsException", true],
      [400, "ThrottlingException", true]
    ] as const
  ) {
    it.live(`takes ${code} for no answer about any job, and for a submission that did nothing`, () =>
      Effect.gen(function*() {
        const server = yield* BatchServer.make({ jobs: [{ jobId: "one", jobName: "job", status: "RUNNING" }] })
        server.refuse({ status, code })
        const runtime = yield* runtimeAt(server.url)
        const failures = [
          yield* Effect.flip(runtime.describe(["one"])),
          yield* Effect.flip(runtime.find(lecture)),
          yield* Effect.flip(runtime.terminate("one", "reason")),
          yield* Effect.flip(runtime.submit(lecture))
        ]
        const failure = { _tag: "EncodeRuntimeUnavailable" as const, retryable }
        assert.deepStrictEqual(failures.map((it) => ({ _tag: it._tag, retryable: "retryable" in it && it.retryable })), [
          failure,
          failure,
          failure,
          failure
        ])
      }))
  }

  it.live("submits again what was throttled, and nothing whose answer it does not have", () =>
    Effect.gen(function*() {
      const server = yield* BatchServer.make()
      const runtime = yield* runtimeAt(server.url, { requestTimeoutMillis: 300 })
      server.script("/v1/submitjob", [{ status: 429, code: "TooManyRequestsException" }])
      yield* runtime.submit(lecture)
      assert.lengthOf(server.jobs, 1)
      for (const fault of ["lost", "broken after", "silence"] as const) {
        const before = server.calls.length
        server.script("/v1/submitjob", [fault])
        assert.strictEqual((yield* Effect.flip(runtime.submit(lecture)))._tag, "SubmissionUncertain", fault)
        assert.strictEqual(server.calls.length, before + 1, fault)
      }
      assert.lengthOf(server.jobs, 3)
    }))

  it.effect("gives up on a server that refuses connections or never answers, and says that a later call may do", () =>
    Effect.gen(function*() {
      const silent = yield* SilentPort.make
      const closed = yield* ClosedPort.make
      for (const { port } of [silent, closed]) {
        const runtime = yield* runtimeAt(`http://127.0.0.1:${port}`, { requestTimeoutMillis: 200 })
        assert.isTrue((yield* Effect.flip(runtime.describe(["one"]))).retryable)
        assert.isTrue((yield* Effect.flip(runtime.terminate("one", "reason"))).retryable)
      }
      const refused = yield* runtimeAt(`http://127.0.0.1:${closed.port}`)
      assert.strictEqual((yield* Effect.flip(refused.submit(lecture)))._tag, "EncodeRuntimeUnavailable")
    }))
})
