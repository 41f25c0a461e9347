import { assert, describe, it } from "@effect/vitest"
import { JobId, JobMessage, JobQueue, JobStore, NewStudent, ObjectStore, StudentStore } from "@lectern/domain"
import { Faults, QueueContents, TestDomain } from "@lectern/domain/testing"
import { Cause, Clock, Effect, Exit, Fiber, Result, Stream } from "effect"
import { TestClock } from "effect/testing"
import { claimRun, createImport, school } from "../lives.ts"

const message = new JobMessage({
  job_id: JobId.make("job-1"),
  job_type: "student_import",
  tier: "basic",
  tenant_id: school,
  payload: { key: "tenants/3/excel/a.xlsx" },
  created_at: "2026-11-21T00:00:00.000Z",
  attempt: 1
})

const receive = (waitSeconds = 0, max = 10) =>
  Effect.flatMap(JobQueue, (queue) => queue.receive({ max, waitSeconds, visibilitySeconds: 30 }))

const only = <A>(items: ReadonlyArray<A>): A => {
  const [item, ...others] = items
  if (item === undefined || others.length > 0) return assert.fail(`There are ${items.length} items, not one`)
  return item
}

describe("the queue of the test layer", () => {
  it.effect("hides a message while it is in hand, brings it back, and forgets it when it is acknowledged", () =>
    Effect.gen(function*() {
      const queue = yield* JobQueue
      const contents = yield* QueueContents
      yield* queue.send(message)
      const first = only(yield* receive())
      assert.deepStrictEqual(Result.getOrThrow(first.message), message)
      assert.lengthOf(yield* receive(), 0)
      yield* TestClock.adjust("30 seconds")
      const second = only(yield* receive())
      assert.deepStrictEqual([first.receiveCount, second.receiveCount], [1, 2])
      // The older delivery has nothing to say any more.
      yield* first.acknowledge
      assert.lengthOf(yield* contents.waiting, 1)
      yield* second.acknowledge
      assert.lengthOf(yield* contents.waiting, 0)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("hands a message out later when it is released, and not while its time is extended", () =>
    Effect.gen(function*() {
      const queue = yield* JobQueue
      yield* queue.send(message)
      const first = only(yield* receive())
      yield* first.extend(120)
      yield* TestClock.adjust("119 seconds")
      assert.lengthOf(yield* receive(), 0)
      yield* first.release(5)
      yield* TestClock.adjust("4 seconds")
      assert.lengthOf(yield* receive(), 0)
      yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* receive(), 1)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("waits as long as it is told for a message that comes, and no longer for one that does not", () =>
    Effect.gen(function*() {
      const queue = yield* JobQueue
      const waiting = yield* Effect.forkChild(receive(20))
      yield* TestClock.adjust("7 seconds")
      yield* queue.send(message)
      assert.lengthOf(yield* Fiber.join(waiting), 1)
      assert.strictEqual(yield* Clock.currentTimeMillis, 7_000)
      const inVain = yield* Effect.forkChild(receive(20))
      yield* TestClock.adjust("19 seconds")
      assert.strictEqual(inVain.pollUnsafe(), undefined)
      yield* TestClock.adjust("1 second")
      assert.lengthOf(yield* Fiber.join(inVain), 0)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("gives a text that is no message of ours as one, to be put aside", () =>
    Effect.gen(function*() {
      const contents = yield* QueueContents
      yield* contents.sendText("{\"job_id\": 1}")
      const delivery = only(yield* receive())
      assert.isTrue(Result.isFailure(delivery.message))
      yield* delivery.bury
      assert.deepStrictEqual([yield* contents.waiting, yield* contents.buried], [[], ["{\"job_id\": 1}"]])
    }).pipe(Effect.provide(TestDomain.layer)))
})

describe("the objects of the test layer", () => {
  const bytes = new Uint8Array([1, 2, 3, 4, 5])
  const headers = { contentType: "video/mp4", cacheControl: "no-cache" }

  it.effect("are there as they were put, whole or in part", () =>
    Effect.gen(function*() {
      const objects = yield* ObjectStore
      yield* objects.put("a/b", Stream.make(bytes.slice(0, 2), bytes.slice(2)), { ...headers, size: 5 })
      assert.deepInclude(yield* objects.head("a/b"), { key: "a/b", size: 5, contentType: "video/mp4" })
      assert.deepStrictEqual(only(yield* Stream.runCollect(objects.get("a/b"))), bytes)
      assert.deepStrictEqual(only(yield* Stream.runCollect(objects.get("a/b", { start: 1, end: 3 }))), bytes.slice(1, 4))
      assert.strictEqual((yield* Effect.flip(objects.head("a/c")))._tag, "ObjectNotFound")
      assert.strictEqual(yield* objects.removePrefix("a/"), 1)
      yield* objects.remove("a/b")
      assert.deepStrictEqual(yield* Stream.runCollect(objects.list("")), [])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("have a key that is a path", () =>
    Effect.gen(function*() {
      const objects = yield* ObjectStore
      const wrong = [
        ...["", "/a", "a//b", "a/../b", "./a", "가"].map((key) => objects.put(key, Stream.make(bytes), { ...headers, size: 5 })),
        objects.removePrefix("a")
      ]
      for (const effect of wrong) {
        const exit = yield* Effect.exit(Effect.asVoid<number | void, unknown, never>(effect))
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
      }
      assert.deepStrictEqual(yield* Stream.runCollect(objects.list("")), [])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("fail where they are read when they are told to", () =>
    Effect.gen(function*() {
      const objects = yield* ObjectStore
      const faults = yield* Faults
      yield* objects.put("a", Stream.make(bytes), { ...headers, size: 5 })
      yield* faults.script("objects", ["refused", "broken"])
      const errors = [
        yield* Effect.flip(Stream.runCollect(objects.get("a"))),
        yield* Effect.flip(Stream.runCollect(objects.list("a")))
      ]
      assert.deepStrictEqual(errors.map((error) => [error._tag, "retryable" in error && error.retryable]), [
        ["ObjectStoreUnavailable", true],
        ["ObjectStoreUnavailable", false]
      ])
    }).pipe(Effect.provide(TestDomain.layer)))
})

describe("the students of the test layer", () => {
  const student = (row: number, name: string) =>
    new NewStudent({ row, name, guardianPhone: "010-1234-5678", studentPhone: null, details: {} })

  it.effect("are created once by a batch that is said again, and are duplicates for everybody else", () =>
    Effect.gen(function*() {
      const store = yield* StudentStore
      const { lease } = yield* claimRun(yield* createImport("first"))
      const batch = [student(1, "가"), student(2, "나"), student(3, "가")]
      const answer = { created: [1, 2], duplicates: [3] }
      assert.deepStrictEqual(yield* store.findExisting(lease, batch), answer)
      assert.deepStrictEqual(yield* store.insertBatch(lease, batch), answer)
      assert.deepStrictEqual(yield* store.insertBatch(lease, batch), answer)
      const other = yield* claimRun(yield* createImport("second"))
      assert.deepStrictEqual(yield* store.insertBatch(other.lease, batch), { created: [], duplicates: [1, 2, 3] })
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("are not written without a lease in force", () =>
    Effect.gen(function*() {
      const store = yield* StudentStore
      const jobs = yield* JobStore
      const { lease } = yield* claimRun(yield* createImport("first"))
      yield* jobs.intervene(lease, { _tag: "Cancel", message: "deleted" })
      assert.strictEqual((yield* Effect.flip(store.insertBatch(lease, [student(1, "가")])))._tag, "LeaseLost")
      const other = yield* claimRun(yield* createImport("second"))
      assert.deepStrictEqual(yield* store.insertBatch(other.lease, [student(1, "가")]), { created: [1], duplicates: [] })
    }).pipe(Effect.provide(TestDomain.layer)))
})
