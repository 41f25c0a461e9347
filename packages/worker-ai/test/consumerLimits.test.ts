import { assert, describe, it } from "@effect/vitest"
import { JobQueueInProcess } from "@lectern/adapters/in-process"
import {
  defaultJobPolicy,
  type JobId,
  JobMessage,
  JobQueue,
  JobRecorder,
  JobStore,
  newJobId,
  TenantId
} from "@lectern/domain"
import { QueueContents, TestDomain } from "@lectern/domain/testing"
import { Deferred, Effect, Fiber, Layer, References } from "effect"
import { TestClock } from "effect/testing"
import { consume, type ConsumerOptions, defaultConsumerOptions, type HandlerEnd, type JobHandler } from "../src/index.ts"

const tenant = TenantId.make(3)
const other = TenantId.make(4)
const hour = 3_600_000

const world = Layer.mergeAll(
  TestDomain.layerWith({ policy: { ...defaultJobPolicy, maxFailures: 2, retryDelay: () => 0 } }),
  Layer.succeed(References.MinimumLogLevel, "None")
)

const accept = Effect.fnUntraced(function*(tenantId: TenantId = tenant) {
  const recorder = yield* JobRecorder
  const store = yield* JobStore
  const id = yield* newJobId
  yield* recorder.commit(store.createJob(tenantId, { id, kind: "ocr", payload: {} }))
  return id
})

const messageOf = (id: JobId, tenantId: TenantId = tenant) =>
  new JobMessage({
    job_id: id,
    job_type: "ocr",
    tier: "basic",
    tenant_id: tenantId,
    payload: {},
    created_at: "2026-01-01T00:00:00.000Z",
    attempt: 1
  })

const send = Effect.fnUntraced(function*(tenantId: TenantId = tenant) {
  const id = yield* accept(tenantId)
  const queue = yield* JobQueue
  yield* queue.send(messageOf(id, tenantId))
  return id
})

const jobOf = Effect.fnUntraced(function*(id: JobId, tenantId: TenantId = tenant) {
  const store = yield* JobStore
  return (yield* store.getJob(tenantId, id)).job
})

const done: HandlerEnd = { command: { _tag: "Succeed", result: {} }, afterwards: Effect.void }

/** A handler that moves until it is let go, and notes who began. */
const gated = (memoryMiB = 1) => {
  const gate = Deferred.makeUnsafe<void>()
  const begun: Array<JobId> = []
  const handler: JobHandler = {
    memoryMiB,
    handle: (run, _, pulse) =>
      Effect.sync(() => begun.push(run.lease.jobId)).pipe(
        Effect.andThen(Effect.raceFirst(
          Deferred.await(gate),
          Effect.forever(Effect.andThen(pulse, Effect.sleep("10 seconds")))
        )),
        Effect.as(done)
      )
  }
  return { handler, begun, open: Deferred.succeed(gate, undefined) }
}

const consuming = (handler: JobHandler, options: Partial<ConsumerOptions> = {}) =>
  Effect.forkScoped(consume({ ocr: handler }, { ...defaultConsumerOptions, waitSeconds: 1, graceMillis: 0, ...options }))

describe("A consumer", () => {
  it.effect("begins what it has memory for, and keeps the message of what waits", () =>
    Effect.gen(function*() {
      const { begun, handler, open } = gated(600)
      const ids = [yield* send(), yield* send()]
      yield* consuming(handler, { memoryMiB: 1_000, concurrency: 4 })
      yield* TestClock.adjust("30 minutes")
      assert.lengthOf(begun, 1)
      assert.deepStrictEqual((yield* Effect.forEach(ids, (id) => jobOf(id))).map(({ status }) => status).sort(), [
        "PENDING",
        "RUNNING"
      ])
      yield* open
      yield* TestClock.adjust("10 seconds")
      // Had a message come back meanwhile, its job would have been begun or held twice.
      assert.sameMembers(begun, ids)
      const jobs = yield* Effect.forEach(ids, (id) => jobOf(id))
      assert.deepStrictEqual(jobs.map(({ attempt, status }) => [attempt, status]), [[1, "DONE"], [1, "DONE"]])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("runs alone what needs more memory than there is", () =>
    Effect.gen(function*() {
      const { begun, handler, open } = gated(5_000)
      const id = yield* send()
      yield* open
      yield* consuming(handler, { memoryMiB: 1_000 })
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(begun, [id])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("keeps a hand for another tenant when one has filled the rest", () =>
    Effect.gen(function*() {
      const { begun, handler } = gated()
      yield* Effect.forEach(Array.from({ length: 20 }), () => send())
      const last = yield* send(other)
      yield* consuming(handler, { concurrency: 2 })
      yield* TestClock.adjust("5 minutes")
      assert.lengthOf(begun, 3)
      assert.include(begun, last)
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("hands a job's message over before it can be hidden no longer, and ends the job in its one attempt", () =>
    Effect.gen(function*() {
      const { begun, handler, open } = gated()
      const contents = yield* QueueContents
      const id = yield* send()
      yield* consuming(handler, { leaseMillis: hour, attemptLimitMillis: 48 * hour })
      yield* TestClock.adjust("30 hours")
      assert.deepStrictEqual([(yield* jobOf(id)).status, (yield* contents.waiting).length], ["RUNNING", 1])
      yield* open
      yield* TestClock.adjust("2 hours")
      assert.deepStrictEqual(begun, [id])
      assert.deepStrictEqual([(yield* jobOf(id)).attempt, (yield* jobOf(id)).status], [1, "DONE"])
      assert.deepStrictEqual([yield* contents.waiting, yield* contents.buried], [[], []])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("gives a job up to another attempt when its time is over", () =>
    Effect.gen(function*() {
      const { handler } = gated()
      const id = yield* send()
      yield* consuming(handler, { attemptLimitMillis: 60_000 })
      yield* TestClock.adjust("2 minutes")
      const job = yield* jobOf(id)
      assert.deepStrictEqual([job.status, job.errorCode, job.failures], ["RETRYING", "time_limit", 1])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("never lets a healthy job's message be put aside, however often it finds the job in other hands", () =>
    Effect.gen(function*() {
      const { begun, handler, open } = gated()
      yield* open
      const recorder = yield* JobRecorder
      const id = yield* send()
      const held = yield* recorder.claim(tenant, id, { owner: "another", leaseMillis: 60_000 })
      if (held._tag !== "Claimed") return assert.fail(held._tag)
      yield* consuming(handler)
      for (let minute = 0; minute < 30; minute += 1) {
        yield* TestClock.adjust("50 seconds")
        yield* held.run.heartbeat
      }
      assert.deepStrictEqual(begun, [])
      // Its holder vanishes, and nobody sweeps: the message alone brings the job back.
      yield* TestClock.adjust("5 minutes")
      assert.deepStrictEqual(begun, [id])
      assert.strictEqual((yield* jobOf(id)).status, "DONE")
    }).pipe(Effect.scoped, Effect.provide(JobQueueInProcess.layer), Effect.provide(world)))

  it.effect("puts the message of a job aside that took every worker with it, and the row says so", () =>
    Effect.gen(function*() {
      const recorder = yield* JobRecorder
      const contents = yield* QueueContents
      const { begun, handler } = gated()
      const id = yield* send()
      for (const owner of ["first", "second"]) {
        yield* recorder.claim(tenant, id, { owner, leaseMillis: 1_000 })
        yield* TestClock.adjust("2 seconds")
        if (owner === "first") yield* recorder.claim(tenant, id, { owner: "finds it expired", leaseMillis: 1_000 })
      }
      yield* consuming(handler)
      yield* TestClock.adjust("10 seconds")
      const job = yield* jobOf(id)
      assert.deepStrictEqual([job.status, job.errorCode, begun], ["FAILED", "lease_expired", []])
      assert.lengthOf(yield* contents.buried, 1)

      const queue = yield* JobQueue
      yield* queue.send(messageOf(id))
      yield* TestClock.adjust("10 seconds")
      assert.lengthOf(yield* contents.buried, 2)
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("runs a job alone whose last worker vanished", () =>
    Effect.gen(function*() {
      const recorder = yield* JobRecorder
      const { begun, handler, open } = gated()
      const suspect = yield* accept()
      yield* recorder.claim(tenant, suspect, { owner: "vanishes", leaseMillis: 1_000 })
      yield* TestClock.adjust("2 seconds")
      yield* recorder.claim(tenant, suspect, { owner: "finds it expired", leaseMillis: 1_000 })
      const before = yield* send()
      yield* consuming(handler, { concurrency: 4 })
      yield* TestClock.adjust("5 seconds")
      const queue = yield* JobQueue
      yield* queue.send(messageOf(suspect))
      yield* TestClock.adjust("5 seconds")
      const after = yield* send()
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(begun, [before])
      yield* open
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(begun, [before, suspect, after])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("lets work in hand end when it is told to stop, and gives back what does not end in time", () =>
    Effect.gen(function*() {
      const { begun, handler, open } = gated()
      const stubborn = gated()
      const contents = yield* QueueContents
      const ids = [yield* send(), yield* send()]
      const fiber = yield* consuming({
        memoryMiB: 1,
        handle: (run, payload, pulse) =>
          (run.lease.jobId === ids[0] ? handler : stubborn.handler).handle(run, payload, pulse)
      }, { graceMillis: 30_000 })
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual([begun.length, stubborn.begun.length], [1, 1])
      const stopped = yield* Effect.forkScoped(Fiber.interrupt(fiber))
      yield* TestClock.adjust("10 seconds")
      // Nothing is fetched any more.
      yield* send()
      yield* open
      yield* TestClock.adjust("30 seconds")
      yield* Fiber.join(stopped)
      const [first, second] = yield* Effect.forEach(ids, (id) => jobOf(id))
      assert.deepStrictEqual([first?.status, second?.status, second?.failures], ["DONE", "RETRYING", 0])
      assert.lengthOf(yield* contents.waiting, 2)
      assert.lengthOf(begun, 1)
    }).pipe(Effect.scoped, Effect.provide(world)))
})
