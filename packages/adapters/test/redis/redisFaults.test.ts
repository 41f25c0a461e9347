import { assert, it } from "@effect/vitest"
import { jobSubject, MirrorUnavailable, ProgressMirror, ProgressReader } from "@lectern/domain"
import { ClosedPort, describeIf, RedisServer, SilentPort } from "@lectern/harness"
import { Effect, Layer, Redacted, Schedule } from "effect"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import {
  makeLazyRedis,
  ProgressMirrorRedis,
  ProgressReaderRedis,
  RedisConnection,
  RedisNotConnected,
  redisPing,
  RedisUrlInvalid
} from "../../src/redis/index.ts"
import { job, jobId, receipt, tenant } from "../conformance/ProgressMirrorSuite.ts"

/** What a call may take at most: the first connection, two commands, and the delay of a busy machine. */
const bound = "900 millis"

const running = (revision: number) => receipt({ job: job("RUNNING", { step: "transcoding", revision }) })
const publish = (revision: number) => Effect.flatMap(ProgressMirror, (mirror) => mirror.publish(running(revision)))
const read = Effect.flatMap(ProgressReader, (reader) => reader.read(tenant, [jobSubject(jobId)]))

const mirrorAt = (url: string) =>
  Layer.mergeAll(ProgressMirrorRedis.layerWith(), ProgressReaderRedis.layerWith()).pipe(
    Layer.provideMerge(RedisConnection.layer({ url: Redacted.make(url) }))
  )

const failureOf = <A, E, R>(call: Effect.Effect<A, E, R>) =>
  Effect.flip(call).pipe(
    Effect.timeoutOrElse({ duration: bound, orElse: () => Effect.die(new Error("a call outlived its bound")) })
  )

/** Every call of the mirror, failed within its bound: a call that hangs fails the test by its timeout. */
const allFail = Effect.gen(function*() {
  assert.instanceOf(yield* failureOf(publish(9)), MirrorUnavailable)
  assert.instanceOf(yield* failureOf(read), MirrorUnavailable)
  assert.instanceOf(yield* failureOf(redisPing), MirrorUnavailable)
})

/** Waits for the connection to be back, as a worker does that publishes its next sample. */
const recovered = <A, E, R>(call: Effect.Effect<A, E, R>) =>
  call.pipe(
    Effect.retry(Schedule.spaced("10 millis")),
    Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => Effect.die(new Error("the connection did not come back")) })
  )

const collectGarbage = (): void => {
  setFlagsFromString("--expose-gc")
  runInNewContext("gc")()
}

const heapInUse = (): number => {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

it.live("A mirror whose Redis refuses connections is built, and fails each call within its bound", () =>
  Effect.gen(function*() {
    const { port } = yield* ClosedPort.make
    yield* Effect.provide(allFail, mirrorAt(`redis://127.0.0.1:${port}`))
  }))

it.live("A mirror whose Redis accepts and never answers is built, and fails each call within its bound", () =>
  Effect.gen(function*() {
    const { port } = yield* SilentPort.make
    yield* Effect.provide(allFail, mirrorAt(`redis://127.0.0.1:${port}`))
  }))

it.live("A mirror with an address that is none is built, and its failures say why", () =>
  Effect.gen(function*() {
    const fault = yield* Effect.flip(publish(1))
    assert.instanceOf(fault.cause, RedisUrlInvalid)
  }).pipe(Effect.provide(mirrorAt("127.0.0.1"))))

it.live("A mirror opens no connection before its first use, and none after its end", () =>
  Effect.gen(function*() {
    const port = yield* SilentPort.make
    const redis = makeLazyRedis(`redis://127.0.0.1:${port.port}`)
    assert.strictEqual(yield* port.connections, 0)
    yield* Effect.promise(() => redis.use((client) => client.ping()).catch(() => undefined))
    assert.strictEqual(yield* port.connections, 1)
    redis.close()
    const after = yield* Effect.promise(() => redis.use((client) => client.ping()).catch((cause: unknown) => cause))
    assert.instanceOf(after, RedisNotConnected)
  }))

describeIf(RedisServer.availability, "The mirror while its Redis fails", () => {
  it.live("frozen: fails each call within its bound, and writes again after it thaws", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* Effect.gen(function*() {
        yield* publish(1)
        yield* server.freeze
        yield* allFail
        yield* server.thaw
        assert.strictEqual(yield* recovered(publish(10)), "Written")
      }).pipe(Effect.provide(mirrorAt(server.url)))
    }))

  it.live("frozen: what was given up is not sent later over newer data", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* Effect.gen(function*() {
        yield* publish(1)
        yield* server.freeze
        // The socket is dropped in the middle of these: from then on nothing can have been sent.
        yield* Effect.flip(publish(2)).pipe(Effect.repeat({
          until: (fault) => fault.cause instanceof RedisNotConnected
        }))
        yield* Effect.flip(publish(99))
        yield* server.thaw
        assert.strictEqual(yield* recovered(publish(3)), "Written")
        assert.include((yield* read)[0]?.status, `"revision":3`)
      }).pipe(Effect.provide(mirrorAt(server.url)))
    }))

  it.live("frozen: thousands of calls leave the heap as it was", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* Effect.gen(function*() {
        yield* publish(1)
        yield* server.freeze
        const wave = Effect.forEach(Array.from({ length: 2_000 }), () => Effect.ignore(publish(2)), {
          concurrency: "unbounded",
          discard: true
        })
        yield* wave
        const before = heapInUse()
        for (let n = 0; n < 5; n++) yield* wave
        assert.isBelow(heapInUse() - before, 8_000_000)
      }).pipe(Effect.provide(mirrorAt(server.url)))
    }))

  it.live("killed: fails each call; restarted: writes again with nothing said to it", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* Effect.gen(function*() {
        yield* publish(1)
        yield* server.kill
        yield* allFail
        yield* server.restart
        assert.strictEqual(yield* recovered(publish(2)), "Written")
        yield* redisPing
      }).pipe(Effect.provide(mirrorAt(server.url)))
    }))

  it.live("away at the start: is there once Redis is", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* server.kill
      yield* Effect.gen(function*() {
        yield* allFail
        yield* server.restart
        assert.strictEqual(yield* recovered(publish(2)), "Written")
      }).pipe(Effect.provide(mirrorAt(server.url)))
    }))

  it.live("flushed: the next sample brings status and progress back", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* Effect.gen(function*() {
        const mirror = yield* ProgressMirror
        yield* publish(1)
        yield* server.flushAll
        assert.deepStrictEqual(yield* read, [{ status: null, progress: null }])
        yield* mirror.tick(running(1), { tick: 1, fraction: 0.5, remainingSeconds: null })
        const [stored] = yield* read
        assert.include(stored?.status, `"RUNNING"`)
        assert.include(stored?.progress, `"tick":1`)
      }).pipe(Effect.provide(mirrorAt(server.url)))
    }))

  it.live("full: it answers PING, yet writes and readiness fail and say so, and what it holds is still read", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ maxmemory: "3mb", "maxmemory-policy": "noeviction" })
      yield* Effect.gen(function*() {
        const connection = yield* RedisConnection
        yield* publish(1)
        yield* redisPing
        // To the brim: what is left when a large value no longer fits takes small ones yet.
        for (const bytes of [16_384, 64]) {
          yield* Effect.flip(connection.use("fill", async (redis) => {
            for (let n = 0;; n++) await redis.set(`filler:${bytes}:${n}`, "x".repeat(bytes))
          }))
        }
        assert.strictEqual(yield* connection.use("ping", (redis) => redis.ping()), "PONG")
        const refused = yield* Effect.flip(publish(2))
        assert.match(String(refused.cause), /OOM/)
        assert.match(String((yield* Effect.flip(redisPing)).cause), /OOM|EXECABORT/)
        assert.include((yield* read)[0]?.status, `"revision":1`)
        yield* server.flushAll
        yield* redisPing
        assert.strictEqual(yield* publish(2), "Written")
      }).pipe(Effect.provide(mirrorAt(server.url)))
    }))

  it.live("the canary of readiness leaves nothing behind", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* Effect.gen(function*() {
        yield* Effect.all([redisPing, redisPing, redisPing], { concurrency: "unbounded" })
        const connection = yield* RedisConnection
        assert.strictEqual(yield* connection.use("count", (redis) => redis.dbsize()), 0)
      }).pipe(Effect.provide(mirrorAt(server.url)))
    }))

  it.live("a server that wants a password: taken from the address, refused without", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const admin = makeLazyRedis(server.url)
      yield* Effect.promise(() => admin.use((redis) => redis.config("SET", "requirepass", "p@ss/word")))
      admin.close()
      yield* Effect.provide(Effect.flip(publish(1)), mirrorAt(server.url))
      const url = `redis://:p%40ss%2Fword@127.0.0.1:${server.port}/2`
      assert.strictEqual(yield* Effect.provide(publish(1), mirrorAt(url)), "Written")
    }))
})
