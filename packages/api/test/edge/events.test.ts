/** Streams of events as they are deployed: the program for Node, over a real Redis that is written to as the mirror writes. */
import { assert, it } from "@effect/vitest"
import { makeLazyRedis } from "@lectern/adapters/redis"
import { ClosedPort, describeIf, RedisServer } from "@lectern/harness"
import { Effect, Queue, Schedule, Stream } from "effect"
import { once } from "node:events"
import { connect } from "node:net"
import { expect } from "vitest"
import { makeEdgeServer } from "../../src/node/index.ts"
import { startEdge } from "./edgeProcess.ts"
import { ask, edgeOver, holding, token, videoPath } from "./edgeSubject.ts"

const eventsPath = `${videoPath}events/`
const ready = `{"status":"READY","hls_path":"a.m3u8","duration":61,"revision":6,"attempt":1}`
const processing = `{"status":"PROCESSING","revision":5,"attempt":1}`

const publish = (url: string, status: string, isTold = true) =>
  Effect.promise(async () => {
    const redis = makeLazyRedis(url)
    await redis.use(async (client) => {
      await client.set("tenant:7:video:42:status", status)
      if (isTold) await client.publish("lectern:progress", "tenant:7:video:42")
    })
    redis.close()
  })

const subscribed = (url: string) =>
  Effect.promise(async () => {
    const redis = makeLazyRedis(url)
    const reply = await redis.use((client) => client.pubsub("NUMSUB", "lectern:progress"))
    redis.close()
    return Number(reply[1])
  }).pipe(Effect.repeat({ until: (count) => count > 0, schedule: Schedule.spaced("10 millis") }))

/** The events of a stream as they come, their names and the status that they tell. */
const listen = (port: number, headers: Record<string, string> = {}) =>
  Effect.gen(function*() {
    const response = yield* Effect.promise((signal) =>
      fetch(`http://127.0.0.1:${port}${eventsPath}`, { headers: { authorization: `Bearer ${token}`, ...headers }, signal })
    )
    const body = response.body
    if (body === null) return assert.fail("There is no stream")
    const queue = yield* Queue.unbounded<string>()
    yield* Stream.fromReadableStream({ evaluate: () => body, onError: (cause) => new Error("The stream broke", { cause }) }).pipe(
      Stream.decodeText(),
      Stream.splitLines,
      Stream.filter((line) => /^(event|data):/.test(line) && line !== "event: progress" && line !== "data: {}"),
      Stream.runForEach((line) => Queue.offer(queue, /"status":"(\w+)"/.exec(line)?.[1] ?? line)),
      Effect.ensuring(Queue.offer(queue, "closed")),
      Effect.forkScoped
    )
    return { response, next: Queue.take(queue) }
  })

describeIf(RedisServer.availability, "A stream of events on Node", () => {
  it.live("tells what is known, each change as it is written, and its end", () =>
    Effect.gen(function*() {
      const redis = yield* RedisServer.make()
      yield* publish(redis.url, processing)
      const edge = yield* startEdge(redis.url)
      const { next, response } = yield* listen(edge.port)
      assert.strictEqual(response.headers.get("content-type"), "text/event-stream; charset=utf-8")
      assert.strictEqual(response.headers.get("access-control-allow-origin"), "*")
      assert.strictEqual(yield* next, "PROCESSING")
      yield* subscribed(redis.url)
      yield* publish(redis.url, ready)
      assert.deepStrictEqual([yield* next, yield* next, yield* next], ["READY", "event: end", "closed"])
    }))

  it.live("outlives a Redis that dies: it says so, and tells what was written meanwhile", () =>
    Effect.gen(function*() {
      const redis = yield* RedisServer.make()
      yield* publish(redis.url, processing)
      const edge = yield* startEdge(redis.url)
      const { next } = yield* listen(edge.port)
      assert.strictEqual(yield* next, "PROCESSING")
      yield* redis.kill
      assert.strictEqual(yield* next, "event: away")
      yield* redis.restart
      yield* publish(redis.url, ready, false)
      // A Redis that came back empty is told of before what was written into it.
      const told: Array<string> = []
      while (told.at(-1) !== "closed") told.push(yield* next)
      assert.strictEqual(told[0], "event: back")
      assert.deepStrictEqual(told.slice(-3), ["READY", "event: end", "closed"])
    }))

  it.live("says that Redis is away while it is frozen, and goes on after it thaws", () =>
    Effect.gen(function*() {
      const redis = yield* RedisServer.make()
      yield* publish(redis.url, processing)
      const edge = yield* startEdge(redis.url)
      const { next } = yield* listen(edge.port)
      assert.strictEqual(yield* next, "PROCESSING")
      yield* subscribed(redis.url)
      yield* redis.freeze
      assert.strictEqual(yield* next, "event: away")
      yield* redis.thaw
      assert.strictEqual(yield* next, "event: back")
      yield* publish(redis.url, ready)
      assert.strictEqual(yield* next, "READY")
    }))

  it.live("is one subscription for all listeners, and ends with the process", () =>
    Effect.gen(function*() {
      const redis = yield* RedisServer.make()
      yield* publish(redis.url, processing)
      const edge = yield* startEdge(redis.url)
      const streams = yield* Effect.forEach(Array.from({ length: 30 }), () => listen(edge.port))
      for (const { next } of streams) assert.strictEqual(yield* next, "PROCESSING")
      assert.strictEqual(yield* subscribed(redis.url), 1)
      edge.process.kill("SIGTERM")
      for (const { next } of streams) assert.strictEqual(yield* next, "closed")
      assert.deepStrictEqual(yield* Effect.promise(() => once(edge.process, "close")), [0, null])
    }))
})

it.live("A stream of events begins without Redis: UNKNOWN, and that it is away", () =>
  Effect.gen(function*() {
    const { port } = yield* ClosedPort.make
    const edge = yield* startEdge(`redis://127.0.0.1:${port}`)
    const { next } = yield* listen(edge.port)
    assert.deepStrictEqual([yield* next, yield* next], ["event: away", "UNKNOWN"])
  }))

it.live("Connections that say nothing hold up nobody", () =>
  Effect.gen(function*() {
    const { port } = yield* ClosedPort.make
    const edge = yield* startEdge(`redis://127.0.0.1:${port}`)
    const sockets = Array.from({ length: 500 }, () => connect(edge.port, "127.0.0.1"))
    yield* Effect.addFinalizer(() => Effect.sync(() => sockets.forEach((socket) => socket.destroy())))
    yield* Effect.promise(() => Promise.all(sockets.map((socket) => once(socket, "connect"))))
    assert.strictEqual((yield* edge.ask(videoPath)).status, 200)
  }))

it("The web-standard handler streams events where they are asked for, and lets go of who leaves", async () => {
  const edge = edgeOver(holding({ status: processing }), { events: {} })
  const response = await edge.handler(
    new Request(`http://edge.school${eventsPath}`, { headers: { authorization: `Bearer ${token}` } })
  )
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader()
  let text = ""
  while (!text.includes("\n\nid: ")) text += (await reader?.read())?.value ?? ""
  expect(text).toMatch(/^retry: 3000\n\nid: 1-5\.1\nevent: progress\ndata: \{"id":42,"status":"PROCESSING".*\}\n\n$/)
  expect(edge.listeners()).toBe(1)
  await reader?.cancel()
  expect(edge.listeners()).toBe(0)
})

it("Streams of events ask for a token and a right id as polls do, and are no path where there are none", async () => {
  const { handler, listeners } = edgeOver(holding({}), { events: {} })
  const statusOf = async (path: string, init: Parameters<typeof ask>[2] = {}) => (await ask(handler, path, init)).status
  expect(await statusOf(eventsPath, { headers: { authorization: "" } })).toBe(401)
  expect(await statusOf("/api/v1/media/videos/-1/progress/events/")).toBe(400)
  expect(await statusOf("/api/v1/progress/events/?videos=x")).toBe(400)
  expect(await statusOf(eventsPath, { method: "POST" })).toBe(405)
  expect(await statusOf(eventsPath, { method: "HEAD" })).toBe(200)
  expect(await statusOf(eventsPath.slice(0, -1))).toBe(404)
  expect(listeners()).toBe(0)
  expect((await ask(edgeOver(holding({})).handler, eventsPath)).status).toBe(404)
})

it("A stream that finds no room is refused with when to come back", async () => {
  const { handler } = edgeOver(holding({ status: processing }), { events: { maxListeners: 0 } })
  const { headers, status } = await ask(handler, eventsPath)
  expect([status, headers.get("retry-after")]).toEqual([503, "60"])
})

it("A listener that never reads is cut, and costs the others nothing", async () => {
  let revision = 0
  let changed: (key: string) => void = () => undefined
  const { promise: connected, resolve: onConnected } = Promise.withResolvers<void>()
  const edge = edgeOver(
    async (_tenant, subjects) =>
      subjects.map(() => ({
        status: JSON.stringify({ status: "PENDING", error_message: "x".repeat(10_000), revision: revision += 1, attempt: 1 }),
        progress: null
      })),
    {
      events: {
        changes: {
          listen: (listener) => {
            changed = listener.changed
            onConnected()
          },
          close: () => undefined
        }
      }
    }
  )
  const server = makeEdgeServer(edge)
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
  const address = server.address()
  const port = typeof address === "object" && address !== null ? address.port : 0
  const socket = connect(port, "127.0.0.1").on("error", () => undefined)
  socket.pause()
  socket.write(`GET /api/v1/jobs/job-1/progress/events/ HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`)
  await connected
  expect(edge.listeners()).toBe(1)
  // What the system's own buffers hold is written before anything waits in the process.
  let told = 0
  while (edge.listeners() > 0) {
    told += 1
    changed("tenant:7:job:job-1")
    await new Promise(setImmediate)
  }
  expect(told).toBeGreaterThan(1)
  socket.destroy()
  server.closeAllConnections()
  await new Promise((resolve) => server.close(resolve))
})
