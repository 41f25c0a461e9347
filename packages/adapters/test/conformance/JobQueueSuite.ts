import { assert, describe, it } from "@effect/vitest"
import { type Delivery, JobId, JobMessage, JobQueue, TenantId } from "@lectern/domain"
import { Effect, Fiber, type Layer, Result } from "effect"
import { randomUUID } from "node:crypto"

export const messageFor = (jobId: string, attempt = 1): JobMessage =>
  new JobMessage({
    job_id: JobId.make(jobId),
    job_type: "student_import",
    tier: "basic",
    tenant_id: TenantId.make(7),
    payload: { file_key: "tenants/7/excel/명단.xlsx", options: [1, null, true] },
    created_at: "2026-01-02T03:04:05.678Z",
    attempt
  })

const jobIdOf = (delivery: Delivery): string | null => Result.isSuccess(delivery.message) ? delivery.message.success.job_id : null

/** Receives one message; fails the test when none comes within ten seconds. */
const receiveOne = Effect.fnUntraced(function*(visibilitySeconds = 30) {
  const queue = yield* JobQueue
  const deliveries = yield* queue.receive({ max: 1, waitSeconds: 10, visibilitySeconds })
  const [delivery] = deliveries
  assert.isDefined(delivery)
  return delivery
})

const receiveNone = Effect.flatMap(JobQueue, (queue) => queue.receive({ max: 10, waitSeconds: 0, visibilitySeconds: 30 }))

/**
 * What every job queue promises (`JobQueue` in the domain), in real time: visibility has seconds, and a test waits for a
 * message by receiving. Each test gets a queue of its own; `limits.maxReceiveCount` must be 3.
 */
export const jobQueueSuite = <E>(name: string, layer: Layer.Layer<JobQueue, E>): void => {
  describe(`${name} as a job queue`, () => {
    it.live("hands out what was sent, as it was sent", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        const message = messageFor(randomUUID(), 2)
        assert.isNotEmpty(yield* queue.send(message))
        const delivery = yield* receiveOne()
        assert.deepStrictEqual(delivery.message, Result.succeed(message))
        assert.strictEqual(delivery.receiveCount, 1)
      }).pipe(Effect.provide(layer)))

    it.live("answers nothing when there is nothing", () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* receiveNone, [])
      }).pipe(Effect.provide(layer)))

    it.live("hands a message to a receiver that waits for it", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        const receiver = yield* Effect.forkChild(receiveOne(), { startImmediately: true })
        const jobId = randomUUID()
        yield* queue.send(messageFor(jobId))
        assert.strictEqual(jobIdOf(yield* Fiber.join(receiver)), jobId)
      }).pipe(Effect.provide(layer)))

    it.live("hands out several at once, never more than asked for", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        const sent = Array.from({ length: 5 }, () => randomUUID())
        yield* Effect.forEach(sent, (jobId) => queue.send(messageFor(jobId)))
        const received: Array<string | null> = []
        while (received.length < sent.length) {
          const deliveries = yield* queue.receive({ max: 3, waitSeconds: 10, visibilitySeconds: 30 })
          assert.isAtLeast(deliveries.length, 1)
          assert.isAtMost(deliveries.length, 3)
          received.push(...deliveries.map(jobIdOf))
        }
        assert.deepStrictEqual(received.sort(), [...sent].sort())
      }).pipe(Effect.provide(layer)))

    it.live("hides a message in hand, and hands it out again when its time is over", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        const jobId = randomUUID()
        yield* queue.send(messageFor(jobId))
        yield* receiveOne(1)
        assert.deepStrictEqual(yield* receiveNone, [])
        const again = yield* receiveOne()
        assert.strictEqual(jobIdOf(again), jobId)
        assert.strictEqual(again.receiveCount, 2)
      }).pipe(Effect.provide(layer)))

    it.live("never hands out again what was acknowledged", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        yield* queue.send(messageFor(randomUUID()))
        const delivery = yield* receiveOne(1)
        yield* delivery.acknowledge
        assert.deepStrictEqual(yield* queue.receive({ max: 1, waitSeconds: 2, visibilitySeconds: 30 }), [])
      }).pipe(Effect.provide(layer)))

    it.live("hands out at once what was released without delay, and later what was released with one", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        yield* queue.send(messageFor(randomUUID()))
        const first = yield* receiveOne(600)
        yield* first.release(0)
        const second = yield* receiveOne(600)
        assert.strictEqual(second.receiveCount, 2)
        yield* second.release(1)
        assert.deepStrictEqual(yield* receiveNone, [])
        assert.strictEqual((yield* receiveOne()).receiveCount, 3)
      }).pipe(Effect.provide(layer)))

    it.live("keeps a message hidden for as long as it was extended", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        yield* queue.send(messageFor(randomUUID()))
        const delivery = yield* receiveOne(1)
        yield* delivery.extend(600)
        assert.deepStrictEqual(yield* queue.receive({ max: 1, waitSeconds: 2, visibilitySeconds: 30 }), [])
        yield* delivery.acknowledge
      }).pipe(Effect.provide(layer)))

    it.live("puts a message aside for good", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        yield* queue.send(messageFor(randomUUID()))
        const delivery = yield* receiveOne(1)
        yield* delivery.bury
        assert.deepStrictEqual(yield* queue.receive({ max: 1, waitSeconds: 2, visibilitySeconds: 30 }), [])
      }).pipe(Effect.provide(layer)))

    it.live("does not hand out a fourth time what three receivers gave back", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        yield* queue.send(messageFor(randomUUID()))
        for (const count of [1, 2, 3]) {
          const delivery = yield* receiveOne(600)
          assert.strictEqual(delivery.receiveCount, count)
          yield* delivery.release(0)
        }
        assert.deepStrictEqual(yield* receiveNone, [])
      }).pipe(Effect.provide(layer)))

    it.live("loses no message to a receiver that was interrupted", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        const receiver = yield* Effect.forkChild(
          queue.receive({ max: 1, waitSeconds: 20, visibilitySeconds: 600 }),
          { startImmediately: true }
        )
        yield* Fiber.interrupt(receiver)
        const jobId = randomUUID()
        yield* queue.send(messageFor(jobId))
        assert.strictEqual(jobIdOf(yield* receiveOne()), jobId)
      }).pipe(Effect.provide(layer)))

    it.live("can be asked whether it is there without touching a message", () =>
      Effect.gen(function*() {
        const queue = yield* JobQueue
        yield* queue.send(messageFor(randomUUID()))
        yield* queue.ping
        assert.strictEqual((yield* receiveOne()).receiveCount, 1)
      }).pipe(Effect.provide(layer)))
  })
}
