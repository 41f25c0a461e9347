import { assert, describe, it } from "@effect/vitest"
import { EncodeRuntime, JobId, TenantId } from "@lectern/domain"
import { ClosedPort, SilentPort } from "@lectern/harness"
import { Context, Effect, Layer, Redacted } from "effect"
import { batchVariables, EncodeRuntimeBatch } from "../../src/batch/index.ts"
import { encodeRuntimeSuite } from "../conformance/EncodeRuntimeSuite.ts"
import { startBatchServer } from "./BatchServer.ts"

const options = (endpoint: string) => ({
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") },
  jobQueue: batchVariables.jobQueue.default,
  jobDefinition: batchVariables.jobDefinition.default,
  requestTimeoutMillis: 2_000,
  maxAttempts: 2
})

const runtimeAt = (endpoint: string, requestTimeoutMillis = 2_000) =>
  Effect.map(
    Layer.build(EncodeRuntimeBatch.layer({ ...options(endpoint), requestTimeoutMillis })),
    (context) => Context.get(context, EncodeRuntime)
  )

encodeRuntimeSuite(
  "AWS Batch",
  Layer.unwrap(Effect.map(startBatchServer, ({ url }) => EncodeRuntimeBatch.layer(options(url))))
)

describe("EncodeRuntimeBatch", () => {
  it.effect("submits a job under the names of the contract", () =>
    Effect.gen(function*() {
      const server = yield* startBatchServer
      const runtime = yield* runtimeAt(server.url)
      yield* runtime.submit({ tenantId: TenantId.make(7), jobId: JobId.make("0190f3c2-aaaa-4bbb-8ccc-000000000001") })
      assert.deepStrictEqual(server.requests, [{
        path: "/v1/submitjob",
        body: {
          jobName: "video-0190f3c2",
          jobQueue: "academy-video-batch-queue",
          jobDefinition: "academy-video-batch-jobdef",
          parameters: { job_id: "0190f3c2-aaaa-4bbb-8ccc-000000000001" },
          containerOverrides: {
            environment: [
              { name: "VIDEO_JOB_ID", value: "0190f3c2-aaaa-4bbb-8ccc-000000000001" },
              { name: "VIDEO_TENANT_ID", value: "7" }
            ]
          }
        }
      }])
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
        const server = yield* startBatchServer
        server.set("one", status)
        const states = yield* (yield* runtimeAt(server.url)).describe(["one"])
        assert.strictEqual(states.get("one")?._tag, tag)
      }))
  }

  it.effect("describes any number of jobs, a hundred at a time, each once", () =>
    Effect.gen(function*() {
      const server = yield* startBatchServer
      const ids = Array.from({ length: 250 }, (_, index) => `job-${index}`)
      for (const id of ids) server.set(id, "RUNNING")
      const states = yield* (yield* runtimeAt(server.url)).describe([...ids, ...ids])
      assert.deepStrictEqual([...states.keys()], ids)
      assert.isTrue([...states.values()].every(({ _tag }) => _tag === "Running"))
      assert.deepStrictEqual(
        server.requests.map(({ body }) => (body["jobs"] as ReadonlyArray<string>).length),
        [100, 100, 50]
      )
    }))

  for (
    const [status, code, retryable] of [
      [403, "AccessDeniedException", false],
      [400, "ClientException", false],
      [429, "TooManyRequestsException", true],
      [400, "ThrottlingException", true],
      [500, "ServerException", true]
    ] as const
  ) {
    it.effect(`takes ${code} for no answer about any job`, () =>
      Effect.gen(function*() {
        const server = yield* startBatchServer
        server.set("one", "RUNNING")
        server.refuseWith({ status, code })
        const runtime = yield* runtimeAt(server.url)
        const failures = [
          yield* Effect.flip(runtime.describe(["one"])),
          yield* Effect.flip(runtime.terminate("one", "reason")),
          yield* Effect.flip(runtime.submit({ tenantId: TenantId.make(7), jobId: JobId.make("j") }))
        ]
        assert.deepStrictEqual(failures.map((failure) => failure.retryable), [retryable, retryable, retryable])
      }))
  }

  it.effect("gives up on a server that refuses connections or never answers, and says that a later call may do", () =>
    Effect.gen(function*() {
      const silent = yield* SilentPort.make
      const closed = yield* ClosedPort.make
      for (const { port } of [silent, closed]) {
        const runtime = yield* runtimeAt(`http://127.0.0.1:${port}`, 200)
        assert.isTrue((yield* Effect.flip(runtime.describe(["one"]))).retryable)
        assert.isTrue((yield* Effect.flip(runtime.terminate("one", "reason"))).retryable)
      }
    }))
})
