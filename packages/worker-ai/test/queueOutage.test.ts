import { assert, it } from "@effect/vitest"
import { JobQueueSqs } from "@lectern/adapters/sqs"
import { type JobId, JobMessage, JobQueue, JobRecorder, JobStore, newJobId, TenantId } from "@lectern/domain"
import { TestDomain } from "@lectern/domain/testing"
import { FauxqsServer } from "@lectern/harness"
import { Deferred, Effect, Redacted, References, Schedule } from "effect"
import { consume, defaultConsumerOptions, type HandlerEnd } from "../src/index.ts"
import { createQueues, messagesIn } from "./soak/SqsProtocol.ts"

const tenant = TenantId.make(3)
const done: HandlerEnd = { command: { _tag: "Succeed", result: {} }, afterwards: Effect.void }

const send = Effect.fnUntraced(function*() {
  const recorder = yield* JobRecorder
  const store = yield* JobStore
  const queue = yield* JobQueue
  const id = yield* newJobId
  yield* recorder.commit(store.createJob(tenant, { id, kind: "ocr", payload: {} }))
  yield* queue.send(
    new JobMessage({
      job_id: id,
      job_type: "ocr",
      tier: "basic",
      tenant_id: tenant,
      payload: {},
      created_at: "2026-01-01T00:00:00.000Z",
      attempt: 1
    })
  )
  return id
})

const jobOf = (id: JobId) => Effect.flatMap(JobStore, (store) => Effect.map(store.getJob(tenant, id), ({ job }) => job))

const until = (id: JobId, status: string) =>
  jobOf(id).pipe(Effect.repeat({ until: (job) => job.status === status, schedule: Schedule.spaced("10 millis") }))

it.live("A consumer outlives its queue: what it had in work ends once, and what is sent afterwards is done", () =>
  Effect.gen(function*() {
    const server = yield* FauxqsServer.make
    const variables = yield* createQueues(server.url)
    const url = variables["SQS_QUEUE_URL_BASIC"] ?? ""
    const lane = { url, deadLetterUrl: `${url}-dlq` }
    const sqs = JobQueueSqs.layer({
      endpoint: server.url,
      region: "us-east-1",
      credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") },
      queues: { lite: lane, basic: lane, premium: lane, messaging: lane },
      receiveFrom: ["basic"]
    })
    yield* Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const begun: Array<JobId> = []
      const first = yield* send()
      yield* Effect.forkScoped(consume({
        ocr: {
          memoryMiB: 1,
          handle: (run) =>
            Effect.sync(() => begun.push(run.lease.jobId)).pipe(Effect.andThen(Deferred.await(gate)), Effect.as(done))
        }
      }, { ...defaultConsumerOptions, waitSeconds: 1, leaseMillis: 5_000 }))
      yield* until(first, "RUNNING")

      yield* server.kill
      yield* Deferred.succeed(gate, undefined)
      yield* until(first, "DONE")
      yield* server.restart

      const second = yield* send()
      yield* until(second, "DONE")
      // The message of the first, which could not be acknowledged, comes back and finds its job done.
      yield* messagesIn(url).pipe(
        Effect.repeat({ until: (count) => count === 0, schedule: Schedule.spaced("50 millis") })
      )
      assert.deepStrictEqual(begun, [first, second])
      assert.deepStrictEqual([(yield* jobOf(first)).attempt, yield* messagesIn(`${url}-dlq`)], [1, 0])
    }).pipe(Effect.scoped, Effect.provide(sqs))
  }).pipe(
    Effect.scoped,
    Effect.provide(TestDomain.layer),
    Effect.provideService(References.MinimumLogLevel, "None")
  ), 120_000)
