/** Streams of events on every runtime, over a real Redis that is written to as the mirror writes. */
import { assert, it } from "@effect/vitest"
import { ClosedPort, describeIf, RedisServer } from "@lectern/harness"
import { Effect } from "effect"
import { once } from "node:events"
import { connect } from "node:net"
import { signToken } from "../../src/tokens/index.ts"
import { secret, token, videoPath } from "../edge/edgeSubject.ts"
import { eventsPath, hears, listen, processing, publish, ready, subscribed } from "../edge/eventStream.ts"
import { withRedis } from "../edge/patientRedis.ts"
import { contenders, type EdgeRuntime, end, startRuntime, until } from "./edgeRuntime.ts"

const trayPath = "/api/v1/progress/events/?videos=42&jobs=job-1"
const jobEvents = "/api/v1/jobs/job-1/progress/events/"
const onlooker = await signToken({ tenantId: 7, subject: "onlooker", secret, expiresInSeconds: 3_600 })
const asOnlooker = { authorization: `Bearer ${onlooker}` }

/** The status of a stream's answer, and no more of it. */
const statusOf = (edge: EdgeRuntime, path: string) =>
  Effect.promise(async () => {
    const gone = new AbortController()
    const { status } = await fetch(`http://127.0.0.1:${edge.port}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      signal: gone.signal
    })
    gone.abort()
    return status
  })

/** A connection that asks for a stream and then reads nothing, until the scope ends. */
const deafListener = (port: number, path: string) =>
  Effect.acquireRelease(
    Effect.callback<ReturnType<typeof connect>>((resume) => {
      const socket = connect(port, "127.0.0.1").on("error", () => undefined)
      socket.write(`GET ${path} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`)
      socket.once("readable", () => resume(Effect.succeed(socket)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** Writes a long text for the job and tells of it. */
const publishLong = (url: string) => {
  let revision = 0
  return withRedis(url, async (client) => {
    revision += 1
    const status = { status: "PENDING", error_message: `${revision} ${"x".repeat(10_000)}`, revision, attempt: 1 }
    await client.set("tenant:7:job:job-1:status", JSON.stringify(status))
    await client.publish("lectern:progress", "tenant:7:job:job-1")
  })
}

for (const contender of contenders.filter(({ hasEvents }) => hasEvents)) {
  describeIf(RedisServer.availability, `A stream of events on ${contender.name}`, () => {
    it.live("tells what is known, each change as it is written, and its end", () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make()
        yield* publish(redis.url, processing)
        const edge = yield* startRuntime(contender, redis.url)
        const { next, response } = yield* listen(edge.port)
        const tray = yield* listen(edge.port, {}, trayPath)
        assert.strictEqual(response.headers.get("content-type"), "text/event-stream; charset=utf-8")
        assert.strictEqual(response.headers.get("access-control-allow-origin"), "*")
        yield* hears(next, "PROCESSING")
        yield* hears(tray.next, "PROCESSING")
        yield* subscribed(redis.url)
        yield* publish(redis.url, ready)
        yield* hears(next, "READY")
        assert.deepStrictEqual([yield* next, yield* next], ["event: end", "closed"])
        yield* hears(tray.next, "READY")
      }))

    it.live("tells who comes back with its last id what he has not heard, and nothing twice", () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make()
        yield* publish(redis.url, processing)
        const edge = yield* startRuntime(contender, redis.url)
        const returning = yield* listen(edge.port, { "last-event-id": "1-5.1" })
        const late = yield* listen(edge.port, { "last-event-id": "1-4.1" })
        yield* hears(late.next, "PROCESSING")
        yield* subscribed(redis.url)
        yield* publish(redis.url, ready)
        yield* hears(returning.next, "READY")
        const ended = yield* listen(edge.port, { "last-event-id": "1-6.1" })
        yield* hears(ended.next, "event: end")
        assert.strictEqual(yield* ended.next, "closed")
      }))

    it.live("outlives a Redis that dies: it says so, and tells what was written meanwhile", () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make()
        yield* publish(redis.url, processing)
        const edge = yield* startRuntime(contender, redis.url)
        const { next } = yield* listen(edge.port)
        yield* hears(next, "PROCESSING")
        yield* redis.kill
        yield* hears(next, "event: away")
        yield* redis.restart
        yield* publish(redis.url, ready, false)
        // A Redis that came back empty is told of before what was written into it.
        const told: Array<string> = []
        while (told.at(-1) !== "closed") told.push(yield* next)
        assert.include(told, "event: back")
        assert.deepStrictEqual(told.slice(-3), ["READY", "event: end", "closed"])
      }))

    it.live("says that Redis is away while it is frozen, and goes on after it thaws", () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make()
        yield* publish(redis.url, processing)
        const edge = yield* startRuntime(contender, redis.url)
        const { next } = yield* listen(edge.port)
        yield* hears(next, "PROCESSING")
        yield* subscribed(redis.url)
        yield* redis.freeze
        yield* hears(next, "event: away")
        yield* redis.thaw
        yield* hears(next, "event: back")
        yield* publish(redis.url, ready)
        yield* hears(next, "READY")
      }))

    it.live("begins without Redis: UNKNOWN, and that it is away", () =>
      Effect.gen(function*() {
        const { port } = yield* ClosedPort.make
        const { next } = yield* listen((yield* startRuntime(contender, `redis://127.0.0.1:${port}`)).port)
        assert.deepStrictEqual([yield* next, yield* next], ["event: away", "UNKNOWN"])
      }))

    it.live("is one subscription for all listeners, and ends with the process", () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make()
        yield* publish(redis.url, processing)
        const edge = yield* startRuntime(contender, redis.url)
        const streams = yield* Effect.forEach(Array.from({ length: 30 }), () => listen(edge.port))
        for (const { next } of streams) yield* hears(next, "PROCESSING")
        assert.strictEqual(yield* subscribed(redis.url), 1)
        const closed = once(edge.process, "close")
        edge.process.kill("SIGTERM")
        for (const { next } of streams) {
          // workerd has no way to tell its streams that it ends.
          if (contender.runtime !== "workerd") assert.strictEqual(yield* next, "event: closing")
          assert.strictEqual(yield* next, "closed")
        }
        yield* Effect.promise(() => closed)
      }))

    it.live("is refused to a token that has as many as it may, until one of them has gone", () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make()
        const edge = yield* startRuntime(contender, redis.url, { EVENT_STREAMS_PER_TOKEN: "1" })
        const tell = publishLong(redis.url)
        yield* Effect.scoped(Effect.gen(function*() {
          const { next } = yield* listen(edge.port, {}, jobEvents)
          yield* hears(next, "UNKNOWN")
          assert.strictEqual(yield* statusOf(edge, eventsPath), 429)
          const other = yield* listen(edge.port, asOnlooker)
          assert.strictEqual(other.response.status, 200)
        }))
        yield* until(Effect.andThen(tell, statusOf(edge, jobEvents)), (status) => status === 200)
      }))

    it.live("is cut where nobody reads it, costs the others nothing, and keeps no process from ending", () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make()
        const edge = yield* startRuntime(contender, redis.url, { EVENT_STREAMS_PER_TOKEN: "1" })
        yield* deafListener(edge.port, jobEvents)
        const { next } = yield* listen(edge.port, asOnlooker, jobEvents)
        yield* hears(next, "UNKNOWN")
        assert.strictEqual(yield* statusOf(edge, eventsPath), 429)
        yield* subscribed(redis.url)
        const tell = publishLong(redis.url)
        // Each change is heard by who reads before the next one is told.
        const change = Effect.gen(function*() {
          yield* tell
          yield* hears(next, "PENDING")
          return yield* statusOf(edge, eventsPath)
        })
        yield* until(change, (status) => status === 200)
        assert.deepStrictEqual(yield* end(edge, "SIGTERM"), [0, null])
      }))
  })
}

for (const contender of contenders.filter(({ hasEvents }) => !hasEvents)) {
  describeIf(RedisServer.availability, `A stream of events on ${contender.name}`, () => {
    it.live("is no path, so that clients poll", () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make()
        const edge = yield* startRuntime(contender, redis.url)
        for (const path of [eventsPath, jobEvents, trayPath]) assert.strictEqual(yield* statusOf(edge, path), 404)
        assert.strictEqual((yield* edge.ask(videoPath)).status, 200)
      }))
  })
}
