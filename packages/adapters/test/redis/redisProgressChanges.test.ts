import { assert, it } from "@effect/vitest"
import { ProgressMirror } from "@lectern/domain"
import { ClosedPort, describeIf, RedisServer } from "@lectern/harness"
import { Effect, Layer, Queue, Redacted } from "effect"
import { makeLazyRedis, makeRedisProgressChanges, ProgressMirrorRedis } from "../../src/redis/index.ts"
import { job, jobId, receipt, video } from "../conformance/ProgressMirrorSuite.ts"

/** What is told, in its order: keys of subjects, and whether news come. */
const told = (url: string) =>
  Effect.gen(function*() {
    const queue = yield* Queue.unbounded<string>()
    const changes = makeRedisProgressChanges(url)
    yield* Effect.addFinalizer(() => Effect.sync(changes.close))
    changes.listen({
      changed: (key) => Queue.offerUnsafe(queue, key),
      connected: (isConnected) => Queue.offerUnsafe(queue, isConnected ? "connected" : "away")
    })
    return { changes, next: Queue.take(queue), waiting: Queue.size(queue) }
  })

const publish = (url: string, text: string) =>
  Effect.promise(async () => {
    const redis = makeLazyRedis(url)
    await redis.use((client) => client.publish("lectern:progress", text))
    redis.close()
  })

describeIf(RedisServer.availability, "News of the mirror", () => {
  it.live("are the keys of what a write changed, each once, and nothing for a write that came too late", () =>
    Effect.gen(function*() {
      const redis = yield* RedisServer.make()
      const { next } = yield* told(redis.url)
      assert.strictEqual(yield* next, "connected")
      yield* Effect.gen(function*() {
        const mirror = yield* ProgressMirror
        const later = receipt({ job: job("RUNNING", { step: "transcoding", revision: 5 }), video: video({ revision: 5 }) })
        assert.strictEqual(yield* mirror.publish(later), "Written")
        assert.strictEqual(yield* mirror.publish(later), "Stale")
        assert.strictEqual(yield* mirror.publish(receipt({ job: job("PENDING", { revision: 4 }) })), "Stale")
        assert.strictEqual(yield* mirror.tick(receipt({ job: job("RUNNING", { step: "transcoding", revision: 5 }) }), {
          tick: 1,
          fraction: 0.5,
          remainingSeconds: 3
        }), "Written")
      }).pipe(Effect.provide(Layer.fresh(ProgressMirrorRedis.layer({ url: Redacted.make(redis.url) }))))
      yield* publish(redis.url, "the last")
      const keys = [yield* next, yield* next, yield* next, yield* next]
      assert.deepStrictEqual(keys.map((key) => key.replace(/:video:\d+$/, ":video")), [
        "tenant:7:video", `tenant:7:job:${jobId}`, `tenant:7:job:${jobId}`, "the last"
      ])
    }))

  it.live("are said to be away when Redis dies and when it hangs, and come again by themselves", () =>
    Effect.gen(function*() {
      const redis = yield* RedisServer.make()
      const { next } = yield* told(redis.url)
      assert.strictEqual(yield* next, "connected")
      yield* redis.kill
      assert.strictEqual(yield* next, "away")
      yield* redis.restart
      assert.strictEqual(yield* next, "connected")
      yield* redis.freeze
      assert.strictEqual(yield* next, "away")
      yield* redis.thaw
      assert.strictEqual(yield* next, "connected")
      yield* publish(redis.url, "a")
      assert.strictEqual(yield* next, "a")
    }))
})

it.live("News from nowhere are none, and throw nothing", () =>
  Effect.gen(function*() {
    const { port } = yield* ClosedPort.make
    for (const url of [`redis://127.0.0.1:${port}`, "no address"]) {
      const { changes, waiting } = yield* told(url)
      assert.strictEqual(yield* waiting, 0)
      changes.close()
    }
  }))
