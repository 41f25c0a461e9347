/** How a process of the edge ends on every runtime: with an answer in hand, and with a stream that is open. */
import { assert, it } from "@effect/vitest"
import { describeIf, freePort, RedisServer, SilentPort } from "@lectern/harness"
import { Effect, Queue } from "effect"
import { once } from "node:events"
import { connect } from "node:net"
import { createProgressClient } from "../../src/client/index.ts"
import { token, videoPath } from "../edge/edgeSubject.ts"
import { eventsPath, hears, listen, processing, publish, ready } from "../edge/eventStream.ts"
import { type Contender, contenders, end, startRuntime, until } from "./edgeRuntime.ts"

/** A real client, by the real clock: what it was told, and which paths it asked. */
const startClient = (port: number) =>
  Effect.gen(function*() {
    const told = yield* Queue.unbounded<string>()
    const asked: Array<string> = []
    const client = createProgressClient({
      baseUrl: `http://127.0.0.1:${port}`,
      token,
      fetch: (input, init) => {
        asked.push(new URL(new Request(input).url).pathname)
        return fetch(input, init)
      }
    })
    const watch = client.watch({ video: 42 }, {
      onProgress: ({ status }) => void Queue.offerUnsafe(told, status),
      onTrouble: ({ reason }) => void Queue.offerUnsafe(told, reason)
    })
    yield* Effect.addFinalizer(() => Effect.sync(watch.stop))
    return { asked, hears: (wanted: string) => Effect.repeat(Queue.take(told), { until: (one) => one === wanted }) }
  })

/** Asks, has the process told to end before it can have answered, and returns what came. */
const answerAtTheEnd = (contender: Contender, redisUrl: string) =>
  Effect.scoped(Effect.gen(function*() {
    const edge = yield* startRuntime(contender, redisUrl)
    let answer = ""
    const asking = connect(edge.port, "127.0.0.1").on("error", () => undefined)
      .on("data", (chunk) => answer += chunk.toString("latin1"))
    const closed = once(asking, "close")
    asking.write(`GET ${videoPath} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    // An answer on another connection: what was sent before has arrived.
    yield* edge.ask("/healthz")
    assert.deepStrictEqual(yield* end(edge, "SIGTERM"), [0, null])
    yield* Effect.promise(() => closed)
    return answer
  }))

for (const contender of contenders) {
  it.live(`The edge on ${contender.name} answers what it was asked before it was told to end`, () =>
    Effect.gen(function*() {
      const { port } = yield* SilentPort.make
      // Again, for on a busy machine an answer may outlast the grace.
      yield* until(
        answerAtTheEnd(contender, `redis://127.0.0.1:${port}`),
        (answer) => answer.startsWith("HTTP/1.1 200 OK")
      )
    }))
}

for (const contender of contenders.filter(({ hasEvents }) => hasEvents)) {
  describeIf(RedisServer.availability, `A stream that is open on ${contender.name}`, () => {
    it.live("keeps the process from ending neither on SIGTERM nor on Ctrl-C", () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make()
        yield* publish(redis.url, processing)
        for (const signal of ["SIGTERM", "SIGINT"] as const) {
          const edge = yield* startRuntime(contender, redis.url)
          const { next } = yield* listen(edge.port)
          yield* hears(next, "PROCESSING")
          assert.deepStrictEqual(yield* end(edge, signal), [0, null])
        }
      }))

    it.live("leaves its client to polling, which finds the next process", () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make()
        yield* publish(redis.url, processing)
        const PORT = String(yield* freePort)
        const edge = yield* startRuntime(contender, redis.url, { PORT })
        const client = yield* startClient(edge.port)
        yield* client.hears("PROCESSING")
        assert.deepStrictEqual(client.asked, [eventsPath])
        assert.deepStrictEqual(yield* end(edge, "SIGTERM"), [0, null])
        yield* client.hears("Network")
        yield* publish(redis.url, ready)
        yield* startRuntime(contender, redis.url, { PORT })
        yield* client.hears("READY")
        assert.include(client.asked, videoPath)
      }))
  })
}
