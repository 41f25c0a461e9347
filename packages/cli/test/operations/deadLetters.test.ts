import { assert, it } from "@effect/vitest"
import {
  type JobId,
  JobMessage,
  JobMessageJson,
  JobRecorder,
  JobStore,
  newJobId,
  TenantId,
  type WorkerCommand
} from "@lectern/domain"
import { TestDomain } from "@lectern/domain/testing"
import { FauxqsServer } from "@lectern/harness"
import { Effect, Redacted, Schema } from "effect"
import { listDeadEnds, redrive } from "../../src/operations/deadLetters.ts"

const school = TenantId.make(7)
const failure: WorkerCommand = { _tag: "Fail", code: "bug", message: "실패했습니다", retryable: false }
const encodeMessage = Schema.encodeSync(JobMessageJson)

/** SQS's own protocol, without the SDK that the command uses. */
const ask = (url: string, action: string, body: Readonly<Record<string, unknown>>) =>
  Effect.promise(async () => {
    const response = await fetch(url, {
      method: "POST",
      headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${action}` },
      body: JSON.stringify(body)
    })
    assert.isTrue(response.ok, `${action} answered ${response.status}`)
    return response.text()
  })

const queueWith = Effect.fnUntraced(function*(jobIds: ReadonlyArray<string>) {
  const server = yield* FauxqsServer.make
  const url = `${server.url}/000000000000/jobs-dlq`
  yield* ask(server.url, "CreateQueue", { QueueName: "jobs-dlq" })
  for (const jobId of jobIds) {
    const MessageBody = jobId === ""
      ? "not one of ours"
      : encodeMessage(
        new JobMessage({
          job_id: jobId as JobId,
          job_type: "student_import",
          tier: "basic",
          tenant_id: school,
          payload: {},
          created_at: "2026-11-21T00:00:00.000Z",
          attempt: 1
        })
      )
    yield* ask(server.url, "SendMessage", { QueueUrl: url, MessageBody })
  }
  const left = Effect.map(
    ask(server.url, "GetQueueAttributes", { QueueUrl: url, AttributeNames: ["ApproximateNumberOfMessages"] }),
    (text) => Number(/"ApproximateNumberOfMessages":"(\d+)"/.exec(text)?.[1])
  )
  return {
    queue: { url, region: "us-east-1", credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") } },
    left
  }
})

const newImport = Effect.gen(function*() {
  const store = yield* JobStore
  const recorder = yield* JobRecorder
  const id = yield* newJobId
  yield* recorder.commit(store.createJob(school, { id, kind: "student_import", payload: {} }))
  return id
})

const claimed = Effect.fnUntraced(function*(jobId: JobId) {
  const recorder = yield* JobRecorder
  const claim = yield* recorder.claim(school, jobId, { owner: "worker", leaseMillis: 3_600_000 })
  if (claim._tag !== "Claimed") return yield* Effect.die(new Error(`expected a claim and got ${claim._tag}`))
  return claim.run
})

const jobOf = (jobId: JobId) => Effect.flatMap(JobStore, (store) => Effect.map(store.getJob(school, jobId), ({ job }) => job))

it.live("Dead letters name what was given up and what was put aside, with what the row says of it", () =>
  Effect.gen(function*() {
    const failed = yield* newImport
    yield* (yield* claimed(failed)).record(failure)
    const { queue } = yield* queueWith([failed, "gone", ""])
    const found = yield* listDeadEnds([queue])
    assert.deepStrictEqual(found.map(({ kind, jobId, state, reason }) => [kind, jobId, state, reason]), [
      ["job", failed, "FAILED", "bug: 실패했습니다"],
      ["message", failed, "FAILED", "실패했습니다"],
      ["message", "gone", "GONE", null],
      ["message", null, null, "no message of ours"]
    ])
    assert.strictEqual(found[3]?.body, "not one of ours")
  }).pipe(Effect.provide(TestDomain.layer)))

it.live("What a row agrees to is put back once and its message removed; what it does not agree to stays", () =>
  Effect.gen(function*() {
    const failed = yield* newImport
    yield* (yield* claimed(failed)).record(failure)
    const waiting = yield* newImport
    const running = yield* newImport
    yield* claimed(running)
    const over = yield* newImport
    yield* (yield* claimed(over)).record({ _tag: "Succeed", result: {} })
    const { left, queue } = yield* queueWith([failed, waiting, running, over, "gone"])
    const all = { dryRun: false, jobIds: null }
    const outcomes = (done: ReadonlyArray<{ readonly jobId: string; readonly outcome: string }>) =>
      Object.fromEntries(done.map(({ jobId, outcome }) => [jobId, outcome]))
    const expected = { [failed]: "PutBack", [waiting]: "HandedOver", [running]: "Busy", [over]: "Over" }
    // Without a queue nothing is received: what the rows alone would do.
    assert.deepStrictEqual(outcomes(yield* redrive([], { ...all, dryRun: true })), { [failed]: "PutBack" })
    assert.strictEqual((yield* jobOf(failed)).status, "FAILED")

    assert.deepStrictEqual(outcomes(yield* redrive([queue], all)), expected)
    assert.deepInclude(yield* jobOf(failed), { status: "RETRYING", failures: 0 })
    assert.isNotNull((yield* jobOf(waiting)).dispatchedAt)
    assert.isAtMost(yield* left, 2)
    assert.deepStrictEqual(yield* redrive([], all), [])
  }).pipe(Effect.provide(TestDomain.layer)))

it.live("A video's encode that was given up is put back as a new encode, and one that nobody knows is refused", () =>
  Effect.gen(function*() {
    const store = yield* JobStore
    const recorder = yield* JobRecorder
    const { video } = yield* recorder.commit(
      store.createVideo(school, { title: "1강", filename: "f", contentType: "video/mp4", session: null, fileKey: "k" })
    )
    const first = yield* newJobId
    yield* recorder.commit(store.completeUpload(school, video.id, { jobId: first, fileSize: 1 }))
    yield* (yield* claimed(first)).record(failure)
    const jobIds = new Set([first, "nobody"])
    const done = yield* redrive([], { dryRun: false, jobIds })
    assert.deepStrictEqual(done.map(({ jobId, outcome }) => [jobId, outcome]), [[first, "PutBack"], ["nobody", "Refused"]])
    const after = yield* store.getVideo(school, video.id)
    assert.deepStrictEqual([after.video.status, after.job?.status], ["UPLOADED", "PENDING"])
    assert.notStrictEqual(after.job?.id, first)
    assert.strictEqual((yield* redrive([], { dryRun: false, jobIds }))[0]?.outcome, "Refused")
  }).pipe(Effect.provide(TestDomain.layer)))
