import { assert, describe, it } from "@effect/vitest"
import { JobMessage, JobQueue, TenantId } from "@lectern/domain"
import { Effect, Fiber, Result } from "effect"
import { TestClock } from "effect/testing"
import { JobQueueInProcess } from "../../src/in-process/index.ts"
import { jobQueueSuite, messageFor } from "../conformance/JobQueueSuite.ts"

const once = { max: 10, waitSeconds: 0, visibilitySeconds: 30 }

jobQueueSuite("The queue in process", JobQueueInProcess.layer)

describe("JobQueueInProcess", () => {
  it.effect("keeps one waiting message for a job, and takes another while the first is in hand", () =>
    Effect.gen(function*() {
      const queue = yield* JobQueue
      const id = yield* queue.send(messageFor("a"))
      assert.strictEqual(yield* queue.send(messageFor("a", 2)), id)
      assert.strictEqual((yield* queue.receive(once)).length, 1)
      assert.notStrictEqual(yield* queue.send(messageFor("a", 2)), id)
      assert.strictEqual((yield* queue.receive(once)).length, 1)
    }).pipe(Effect.provide(JobQueueInProcess.layer)))

  it.effect("serves a tenant that sent one message between those of a tenant that sent a thousand", () =>
    Effect.gen(function*() {
      const queue = yield* JobQueue
      yield* Effect.forEach(Array.from({ length: 1_000 }, (_, n) => `a${n}`), (id) => queue.send(messageFor(id)))
      yield* queue.receive({ ...once, max: 1 })
      yield* queue.send(new JobMessage({ ...messageFor("b"), tenant_id: TenantId.make(8) }))
      const next = yield* queue.receive({ ...once, max: 2 })
      assert.deepStrictEqual(
        next.map(({ message }): string => Result.isSuccess(message) ? message.success.job_id : "malformed"),
        ["b", "a1"]
      )
    }).pipe(Effect.provide(JobQueueInProcess.layer)))

  it.effect("refuses what it has no room for, until something has gone", () =>
    Effect.gen(function*() {
      const queue = yield* JobQueue
      yield* queue.send(messageFor("a"))
      yield* queue.send(messageFor("b"))
      const refusal = yield* Effect.flip(queue.send(messageFor("c")))
      assert.isTrue(refusal.retryable)
      const [first] = yield* queue.receive({ ...once, max: 1 })
      assert.isDefined(first)
      yield* first.acknowledge
      yield* queue.send(messageFor("c"))
    }).pipe(Effect.provide(JobQueueInProcess.layerWith({ capacity: 2 }))))

  it.effect("wakes every waiting receiver, and each message goes to one of them", () =>
    Effect.gen(function*() {
      const queue = yield* JobQueue
      const receivers = yield* Effect.forEach([1, 2, 3], () =>
        Effect.forkChild(queue.receive({ max: 1, waitSeconds: 20, visibilitySeconds: 30 }), { startImmediately: true }))
      yield* queue.send(messageFor("a"))
      yield* queue.send(messageFor("b"))
      yield* TestClock.adjust("20 seconds")
      const counts = (yield* Effect.forEach(receivers, (receiver) => Fiber.join(receiver))).map((got) => got.length)
      assert.deepStrictEqual(counts.sort(), [0, 1, 1])
    }).pipe(Effect.provide(JobQueueInProcess.layer)))

  it.effect("does nothing for a receiver whose time was over and whose message somebody else holds", () =>
    Effect.gen(function*() {
      const queue = yield* JobQueue
      yield* queue.send(messageFor("a"))
      const [late] = yield* queue.receive({ ...once, visibilitySeconds: 1 })
      assert.isDefined(late)
      yield* TestClock.adjust("1 seconds")
      const [holder] = yield* queue.receive({ ...once, visibilitySeconds: 10 })
      assert.isDefined(holder)
      yield* late.acknowledge
      yield* late.extend(600)
      yield* late.release(0)
      yield* late.bury
      assert.deepStrictEqual(yield* queue.receive(once), [])
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* queue.receive(once))[0]?.receiveCount, 3)
    }).pipe(Effect.provide(JobQueueInProcess.layer)))
})
