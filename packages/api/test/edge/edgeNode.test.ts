import { assert, it } from "@effect/vitest"
import { ClosedPort, describeIf, RedisServer, SilentPort } from "@lectern/harness"
import { Effect, Schedule } from "effect"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { connect, type Socket } from "node:net"
import { type EdgeProcess, runEdge, startEdge } from "./edgeProcess.ts"
import { jobPath, token, videoPath } from "./edgeSubject.ts"
import { withRedis } from "./patientRedis.ts"

const unreachable = "지금은 진행 정보를 확인할 수 없습니다"
const nothing = "진행 정보가 없습니다"

const put = (url: string, values: Record<string, string>) => withRedis(url, (client) => client.mset(values))

const ready = { "tenant:7:video:42:status": `{"status":"READY","hls_path":"a.m3u8","duration":61,"revision":5,"attempt":1}` }

/** Answers, as the contract says, with UNKNOWN: a question that hangs fails the test by its timeout. */
const answersUnknown = (edge: Pick<EdgeProcess, "ask">, message: string) =>
  Effect.gen(function*() {
    for (const path of [videoPath, jobPath]) {
      const { body, status } = yield* edge.ask(path).pipe(
        Effect.timeoutOrElse({ duration: "1 second", orElse: () => Effect.die(new Error("an answer outlived its bound")) })
      )
      assert.strictEqual(status, 200)
      assert.strictEqual(body["status"], "UNKNOWN")
      assert.strictEqual(body["message"], message)
    }
  })

const until = <A, E, R>(call: Effect.Effect<A, E, R>, done: (value: A) => boolean) =>
  call.pipe(
    Effect.repeat({ until: done, schedule: Schedule.spaced("10 millis") }),
    Effect.timeoutOrElse({ duration: "5 seconds", orElse: () => Effect.die(new Error("it did not come to that")) })
  )

it.live("The edge starts and answers UNKNOWN while Redis refuses connections, and says why in its log", () =>
  Effect.gen(function*() {
    const { port } = yield* ClosedPort.make
    const edge = yield* startEdge(`redis://127.0.0.1:${port}`)
    yield* answersUnknown(edge, unreachable)
    assert.match(edge.output(), /"level":"WARN".*first unreadable answer.*Cannot reach Redis at 127\.0\.0\.1:\d+/)
    assert.notInclude(edge.output(), token)
  }))

it.live("The edge starts and answers UNKNOWN while Redis accepts and never answers", () =>
  Effect.gen(function*() {
    const { port } = yield* SilentPort.make
    yield* answersUnknown(yield* startEdge(`redis://127.0.0.1:${port}`), unreachable)
  }))

it.live("The edge names all faults of its environment at once, and does not start", () =>
  Effect.gen(function*() {
    const { code, errors } = yield* runEdge({ PORT: "x", AUTH_JWT_SECRET: "short" })
    assert.strictEqual(code, 78)
    for (const fault of ["PORT is", "REDIS_URL is not set", "AUTH_JWT_SECRET has 5 bytes"]) assert.include(errors, fault)
  }))

it.live("The edge is alive without Redis, and ends with 0 when it is told to", () =>
  Effect.gen(function*() {
    const { port } = yield* ClosedPort.make
    const edge = yield* startEdge(`redis://127.0.0.1:${port}`)
    assert.deepStrictEqual(yield* edge.ask("/healthz", { authorization: "" }), { status: 200, body: { status: "ok" } })
    yield* answersUnknown(edge, unreachable)
    edge.process.kill("SIGTERM")
    assert.deepStrictEqual(yield* Effect.promise(() => once(edge.process, "close")), [0, null])
    assert.match(edge.output(), /"message":"answers".*"job 200 unreadable":1,"video 200 unreadable":1/)
  }))

it.live("The edge ends when it is told to, whoever has said nothing or half a question, and answers what it was asked before", () =>
  Effect.gen(function*() {
    const { port } = yield* SilentPort.make
    const edge = yield* startEdge(`redis://127.0.0.1:${port}`)
    const open = (text: string) =>
      Effect.acquireRelease(
        Effect.callback<Socket>((resume) => {
          const socket = connect(edge.port, "127.0.0.1", () => {
            socket.write(text)
            resume(Effect.succeed(socket))
          })
          socket.on("error", () => undefined)
        }),
        (socket) => Effect.sync(() => socket.destroy())
      )
    yield* open("")
    yield* open("GET /healthz HT")
    const asking = yield* open(`GET ${videoPath} HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    // An answer on another connection: what was sent before has arrived.
    yield* edge.ask("/healthz")
    const ended = once(edge.process, "close")
    edge.process.kill("SIGTERM")
    assert.include(String(yield* Effect.promise(() => once(asking, "data"))), "HTTP/1.1 200 OK")
    assert.deepStrictEqual(yield* Effect.promise(() => ended), [0, null])
  }))

describeIf(RedisServer.availability, "The edge on Node, over a real Redis", () => {
  it.live("shows what the mirror holds, and UNKNOWN for what it does not, for garbage and after a flush", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const edge = yield* startEdge(server.url)
      yield* answersUnknown(edge, nothing)
      yield* put(server.url, ready)
      assert.include((yield* edge.ask(videoPath)).body, { status: "READY", hls_path: "a.m3u8", duration: 61 })
      yield* put(server.url, { "tenant:7:video:42:status": "\u0000{", "tenant:7:job:job-1:status": "[[[" })
      yield* answersUnknown(edge, nothing)
      yield* put(server.url, ready)
      yield* server.flushAll
      yield* answersUnknown(edge, nothing)
    }))

  it.live("answers UNKNOWN while Redis is frozen, and the right body after it thaws", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* put(server.url, ready)
      const edge = yield* startEdge(server.url)
      assert.strictEqual((yield* edge.ask(videoPath)).body["status"], "READY")
      yield* server.freeze
      yield* answersUnknown(edge, unreachable)
      yield* server.thaw
      yield* until(edge.ask(videoPath), ({ body }) => body["status"] === "READY")
    }))

  it.live("answers UNKNOWN while Redis is dead, and what it holds after it came back", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const edge = yield* startEdge(server.url)
      yield* server.kill
      yield* answersUnknown(edge, unreachable)
      yield* server.restart
      yield* put(server.url, ready)
      yield* until(edge.ask(videoPath), ({ body }) => body["status"] === "READY")
    }))

  it.live("does not grow while Redis is frozen and everybody goes on asking", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const edge = yield* startEdge(server.url)
      const wave = Effect.forEach(Array.from({ length: 800 }, (_, id) => id + 1), (id) =>
        edge.ask(`/api/v1/media/videos/${id}/progress/`), { concurrency: 64, discard: true })
      const residentMegabytes = () =>
        Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${edge.process.pid}/status`, "utf8"))?.[1]) / 1024
      yield* server.freeze
      yield* wave
      const before = residentMegabytes()
      yield* wave
      yield* wave
      assert.isBelow(residentMegabytes() - before, 60)
    }))

  it.live("refuses headers of over 8 KB, and goes on", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const edge = yield* startEdge(server.url)
      const answer = yield* Effect.callback<string>((resume) => {
        let text = ""
        const socket = connect(edge.port, "127.0.0.1", () =>
          socket.write(`GET ${videoPath} HTTP/1.1\r\nHost: a\r\nX-Long: ${"x".repeat(9_000)}\r\n\r\n`))
        socket.on("data", (chunk) => text += chunk.toString("latin1"))
        socket.on("error", () => undefined)
        socket.on("close", () => resume(Effect.succeed(text)))
      })
      assert.match(answer, /^HTTP\/1\.1 431 /)
      assert.strictEqual((yield* edge.ask(videoPath)).status, 200)
    }))
})
