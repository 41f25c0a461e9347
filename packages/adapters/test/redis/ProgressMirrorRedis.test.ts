import { assert, it } from "@effect/vitest"
import {
  type Job,
  JobId,
  jobSubject,
  ProgressMirror,
  ProgressReader,
  type Subject,
  TenantId,
  VideoId,
  videoSubject
} from "@lectern/domain"
import { MirrorMemory, ProgressMirrorMemory } from "@lectern/domain/memory"
import { describeIf, RedisServer } from "@lectern/harness"
import { type Context, Effect, Layer, Redacted } from "effect"
import { TestClock } from "effect/testing"
import * as fc from "fast-check"
import type { Redis } from "ioredis"
import { ProgressMirrorRedis, ProgressReaderRedis, RedisConnection } from "../../src/redis/index.ts"
import { job, jobId, MirrorControl, progressMirrorSuite, receipt, tenant, video } from "../conformance/ProgressMirrorSuite.ts"

const connected = Layer.unwrap(Effect.map(RedisServer, ({ url }) => RedisConnection.layer({ url: Redacted.make(url) })))
const ports = Layer.mergeAll(ProgressMirrorRedis.layerWith(), ProgressReaderRedis.layerWith())

/** A mirror in a Redis of its own, the connection to it, and the server. */
const redisMirror = ports.pipe(Layer.provideMerge(connected), Layer.provideMerge(RedisServer.layer()))

const command = <A>(run: (redis: Redis) => Promise<A>) =>
  Effect.flatMap(RedisConnection, (connection) => connection.use("prepare a test", run))

const memoryControl = Layer.effect(
  MirrorControl,
  Effect.map(MirrorMemory, ({ flush }) => ({ flush, expireStatus: () => TestClock.adjust("6 hours") }))
)

const redisControl = Layer.effect(
  MirrorControl,
  Effect.map(RedisConnection, (connection) => ({
    flush: Effect.asVoid(Effect.orDie(connection.use("flush", (redis) => redis.flushall()))),
    expireStatus: (key: string) => Effect.asVoid(Effect.orDie(connection.use("expire", (redis) => redis.pexpire(key, 0))))
  }))
)

progressMirrorSuite("the memory", { available: true }, Layer.provideMerge(memoryControl, ProgressMirrorMemory.layer))
progressMirrorSuite("Redis", RedisServer.availability, Layer.provideMerge(redisControl, redisMirror))

const statusKey = `tenant:7:job:${jobId}:status`
const progressKey = `tenant:7:job:${jobId}:progress`
const running = (fields: Partial<typeof Job.Type> = {}) => receipt({ job: job("RUNNING", { step: "transcoding", ...fields }) })

const theJob = jobSubject(jobId)
const anotherId = JobId.make("job:with:colons 한글")
const anotherJob = jobSubject(anotherId)
const theVideo = videoSubject(VideoId.make(42))

const operation = fc.oneof(
  { weight: 1, arbitrary: fc.constant({ _tag: "Flush" as const }) },
  {
    weight: 12,
    arbitrary: fc.record({
      _tag: fc.constant("Write" as const),
      subject: fc.constantFrom("job", "another job", "video", "both"),
      status: fc.constantFrom("PENDING" as const, "RUNNING" as const, "RETRYING" as const, "DONE" as const, "CANCELLED" as const),
      step: fc.constantFrom(null, "probing", "transcoding"),
      revision: fc.integer({ min: 1, max: 4 }),
      attempt: fc.integer({ min: 0, max: 2 }),
      tick: fc.option(fc.integer({ min: 1, max: 3 }))
    })
  }
)
type Operation = typeof operation extends fc.Arbitrary<infer A> ? A : never

const receiptOf = (write: Extract<Operation, { readonly _tag: "Write" }>) => {
  const { attempt, revision, status, step, subject } = write
  const ofJob = job(status, { revision, attempt, step, ...(subject === "another job" ? { id: anotherId } : {}) })
  const ofVideo = video({ revision, status: status === "DONE" ? "READY" : "PROCESSING" })
  return receipt({ job: subject === "video" ? null : ofJob, video: subject === "video" || subject === "both" ? ofVideo : null })
}

type Ports = ProgressMirror | ProgressReader | MirrorControl

/** What each write answered, and what stands there after each. */
const history = (operations: ReadonlyArray<Operation>): Effect.Effect<ReadonlyArray<unknown>, unknown, Ports> =>
  Effect.gen(function*() {
    const mirror = yield* ProgressMirror
    const reader = yield* ProgressReader
    const { flush } = yield* MirrorControl
    const subjects: ReadonlyArray<Subject> = [theJob, anotherJob, theVideo]
    yield* flush
    return yield* Effect.forEach(operations, (operation) =>
      Effect.gen(function*() {
        const tick = operation._tag === "Write" ? operation.tick : null
        const answer = operation._tag === "Flush"
          ? yield* flush
          : tick === null
          ? yield* mirror.publish(receiptOf(operation))
          : yield* mirror.tick(receiptOf(operation), { tick, fraction: tick / 3, remainingSeconds: null })
        return { answer, stored: yield* reader.read(tenant, subjects) }
      }))
  })

describeIf(RedisServer.availability, "The mirror in Redis", () => {
  it.effect("answers and holds after every write what the memory does, whatever the order of the writes", () =>
    Effect.gen(function*() {
      const inRedis = yield* Layer.build(Layer.provideMerge(redisControl, redisMirror))
      const inMemory = yield* Layer.build(Layer.provideMerge(memoryControl, ProgressMirrorMemory.layer))
      const run = (ports: Context.Context<Ports>, operations: ReadonlyArray<Operation>) =>
        Effect.runPromiseWith(ports)(Effect.provide(history(operations), frozenClock))
      const frozenClock = yield* Layer.build(TestClock.layer())
      yield* Effect.promise(() =>
        fc.assert(
          fc.asyncProperty(fc.array(operation, { minLength: 1, maxLength: 25 }), async (operations) => {
            assert.deepStrictEqual(await run(inRedis, operations), await run(inMemory, operations))
          }),
          { numRuns: 200 }
        )
      )
    }))

  it.effect("gives an active status six hours and progress a day, a terminal status an hour, and renews by every write", () =>
    Effect.gen(function*() {
      const mirror = yield* ProgressMirror
      const ttl = (key: string) => command((redis) => redis.ttl(key))
      const age = command((redis) => redis.multi().expire(statusKey, 5).expire(progressKey, 5).exec())
      const near = (seconds: number, expected: number) => assert.isTrue(seconds > expected - 60 && seconds <= expected)
      yield* mirror.publish(running())
      near(yield* ttl(statusKey), 21_600)
      near(yield* ttl(progressKey), 86_400)
      yield* age
      yield* mirror.tick(running(), { tick: 1, fraction: 0.5, remainingSeconds: null })
      near(yield* ttl(statusKey), 21_600)
      near(yield* ttl(progressKey), 86_400)
      yield* age
      yield* mirror.publish(running({ revision: 6 }))
      near(yield* ttl(statusKey), 21_600)
      near(yield* ttl(progressKey), 86_400)
      yield* mirror.publish(receipt({ job: job("FAILED", { revision: 7 }) }))
      near(yield* ttl(statusKey), 3_600)
      assert.strictEqual(yield* ttl(progressKey), -2)
    }).pipe(Effect.provide(redisMirror)))

  it.effect("takes its times to live from the configuration", () =>
    Effect.gen(function*() {
      const { url } = yield* RedisServer
      const layer = ProgressMirrorRedis.layer({ url: Redacted.make(url), timeToLive: { active: 100, terminal: 200, progress: 300 } })
      yield* Effect.flatMap(ProgressMirror, (mirror) => mirror.publish(running())).pipe(Effect.provide(layer))
      assert.isAtMost(yield* command((redis) => redis.ttl(statusKey)), 100)
      assert.isAbove(yield* command((redis) => redis.ttl(progressKey)), 200)
    }).pipe(Effect.provide(redisMirror)))

  for (
    const [what, plant] of [
      ["text", (redis: Redis, key: string) => redis.set(key, "\u0000 not json")],
      ["nothing", (redis: Redis, key: string) => redis.set(key, "")],
      ["null", (redis: Redis, key: string) => redis.set(key, "null")],
      ["an array", (redis: Redis, key: string) => redis.set(key, "[1,2]")],
      ["deep nesting", (redis: Redis, key: string) => redis.set(key, "[".repeat(5_000))],
      ["another writer's JSON", (redis: Redis, key: string) => redis.set(key, `{"status":"PROCESSING","percent":99}`)],
      ["a version of texts", (redis: Redis, key: string) =>
        redis.set(key, `{"status":"A","percent":1,"revision":"99","attempt":"1","tick":"1"}`)],
      ["a version that is no number", (redis: Redis, key: string) =>
        redis.set(key, `{"status":"A","percent":1,"revision":nan,"attempt":1e999,"tick":1}`)],
      ["a version without a value", (redis: Redis, key: string) => redis.set(key, `{"revision":99,"attempt":1,"tick":1}`)],
      ["a list", (redis: Redis, key: string) => redis.rpush(key, "a")],
      ["a hash", (redis: Redis, key: string) => redis.hset(key, "status", "DONE")]
    ] as const
  ) {
    it.effect(`overwrites ${what} that somebody left in its keys`, () =>
      Effect.gen(function*() {
        const mirror = yield* ProgressMirror
        const reader = yield* ProgressReader
        yield* command((redis) => Promise.all([plant(redis, statusKey), plant(redis, progressKey)]))
        assert.strictEqual(yield* mirror.tick(running(), { tick: 1, fraction: 0, remainingSeconds: null }), "Written")
        const [stored] = yield* reader.read(tenant, [theJob])
        assert.include(stored?.status, `"RUNNING"`)
        assert.include(stored?.progress, `"transcoding"`)
      }).pipe(Effect.provide(redisMirror)))
  }

  it.effect("writes on after the server has forgotten the script", () =>
    Effect.gen(function*() {
      const mirror = yield* ProgressMirror
      yield* mirror.publish(running())
      yield* command((redis) => redis.script("FLUSH"))
      assert.strictEqual(yield* mirror.publish(running({ revision: 6 })), "Written")
    }).pipe(Effect.provide(redisMirror)))

  it.effect("asks Redis once for a write of two subjects and once for a read of many", () =>
    Effect.gen(function*() {
      const mirror = yield* ProgressMirror
      const reader = yield* ProgressReader
      const calls = Effect.map(command((redis) => redis.info("commandstats")), (text) =>
        ["evalsha", "eval", "mget"].map((name) => Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(text)?.[1] ?? 0)))
      yield* mirror.publish(running())
      yield* command((redis) => redis.config("RESETSTAT"))
      yield* mirror.publish(receipt({ job: job("RUNNING", { revision: 6, step: "probing" }), video: video({ revision: 2 }) }))
      yield* reader.read(tenant, [theJob, anotherJob, theVideo])
      assert.deepStrictEqual(yield* calls, [1, 0, 1])
    }).pipe(Effect.provide(redisMirror)))
})

describeIf(RedisServer.availability, "The reader of Redis and the older keys", () => {
  const oldKeys = command((redis) =>
    redis.mset({
      "video:42:status": `{"status":"PROCESSING"}`,
      "job:video:42:progress": `{"percent":12}`,
      [`job:${jobId}:progress`]: `{"percent":13}`
    })
  )
  const nothing = { status: null, progress: null }

  const readThrough = (layer: Layer.Layer<ProgressReader, never, RedisConnection>, owner: TenantId) =>
    Effect.flatMap(ProgressReader, (reader) => reader.read(owner, [theVideo, theJob])).pipe(Effect.provide(layer))

  it.effect("reads none of them by default", () =>
    Effect.gen(function*() {
      yield* oldKeys
      assert.deepStrictEqual(yield* readThrough(ProgressReaderRedis.layerWith(), tenant), [nothing, nothing])
    }).pipe(Effect.provide(redisMirror)))

  it.effect("reads them for the tenant that they belong to, and for no other", () =>
    Effect.gen(function*() {
      yield* oldKeys
      const layer = ProgressReaderRedis.layerWith({ legacyKeys: { tenantId: tenant } })
      assert.deepStrictEqual(yield* readThrough(layer, tenant), [
        { status: `{"status":"PROCESSING"}`, progress: `{"percent":12}` },
        { status: null, progress: `{"percent":13}` }
      ])
      assert.deepStrictEqual(yield* readThrough(layer, TenantId.make(8)), [nothing, nothing])
    }).pipe(Effect.provide(redisMirror)))

  it.effect("prefers what the keys with a tenant hold", () =>
    Effect.gen(function*() {
      yield* oldKeys
      yield* Effect.flatMap(ProgressMirror, (mirror) => mirror.publish(running()))
      const [, ofJob] = yield* readThrough(ProgressReaderRedis.layerWith({ legacyKeys: { tenantId: tenant } }), tenant)
      assert.include(ofJob?.status, `"RUNNING"`)
      assert.include(ofJob?.progress, `"transcoding"`)
    }).pipe(Effect.provide(redisMirror)))
})
