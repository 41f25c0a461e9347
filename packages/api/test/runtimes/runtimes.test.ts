/**
 * The same promises on every runtime, each the real one, over a real Redis to which everything happens that can.
 *
 * No test asserts a time (the house's rule): an answer that takes five seconds fails, for it hangs. That the handler
 * itself takes 200 ms at the most is tested with a clock of the test's own (test/edge/boundedRead.test.ts); what
 * answers really take, `bench/src/edge-faults.ts` measures.
 */
import { assert, it } from "@effect/vitest"
import { ClosedPort, describeIf, RedisServer, SilentPort } from "@lectern/harness"
import { Effect } from "effect"
import { once } from "node:events"
import { foreignToken, jobPath, secret, token, videoPath } from "../edge/edgeSubject.ts"
import { withRedis } from "../edge/patientRedis.ts"
import {
  contenders,
  type EdgeRuntime,
  put,
  redisHolding,
  residentMegabytes,
  type RuntimeName,
  runToEnd,
  startRuntime,
  unheard,
  until
} from "./edgeRuntime.ts"

const videoKey = "tenant:7:video:42:status"
const jobKey = "tenant:7:job:job-1:status"
const ready = { [videoKey]: `{"status":"READY","hls_path":"a.m3u8","duration":61,"revision":5,"attempt":1}` }

const isUnknown = (answer: { readonly status: number; readonly body: Readonly<Record<string, unknown>> }): void => {
  assert.strictEqual(answer.status, 200)
  assert.strictEqual(answer.body["status"], "UNKNOWN")
  assert.isString(answer.body["message"])
}

const answersUnknown = (edge: EdgeRuntime) =>
  Effect.forEach([videoPath, jobPath], (path) => Effect.map(edge.ask(path), isUnknown), { discard: true })

/** Always 200, until the right body comes: on a busy machine Redis may seem to be away for a moment. */
const answersReady = (edge: EdgeRuntime) =>
  until(
    Effect.tap(edge.ask(videoPath), ({ status }) => Effect.sync(() => assert.strictEqual(status, 200))),
    ({ body }) => body["status"] === "READY"
  ).pipe(
    Effect.map(({ body }) =>
      assert.include(body, { id: 42, status: "READY", state: "READY", hls_path: "a.m3u8", duration: 61 }))
  )

/** What somebody may have written, none of which is a status of ours. */
const garbage: ReadonlyArray<string | Buffer> = [
  "",
  "\u0000{",
  "[[[",
  "null",
  "17",
  `"READY"`,
  `["READY"]`,
  `{"status":"READY`,
  `{"status":7}`,
  `{"status":"DANCING"}`,
  `{"status":{"toString":"READY"}}`,
  `{"__proto__":{"status":"READY"}}`,
  "[".repeat(100_000),
  "x".repeat(1_000_000),
  Buffer.from([0xff, 0xfe, 0x00, 0xc3, 0x28])
]

for (const contender of contenders) {
  describeIf(RedisServer.availability, `The edge on ${contender.name}`, () => {
    it.live("shows what the mirror holds, to its own tenant alone, and UNKNOWN for what it does not", () =>
      Effect.gen(function*() {
        const server = yield* redisHolding(ready)
        const edge = yield* startRuntime(contender, server.url)
        yield* answersReady(edge)
        isUnknown(yield* edge.ask(jobPath))
        isUnknown(yield* edge.ask(videoPath, { authorization: `Bearer ${foreignToken}` }))
        assert.strictEqual((yield* edge.ask(videoPath, { authorization: "" })).status, 401)
        assert.strictEqual((yield* edge.ask("/api/v1/media/videos/-1/progress/")).status, 400)
        assert.notInclude(edge.output(), token)
      }))

    it.live("answers UNKNOWN for garbage and after a flush, and shows what is written next", () =>
      Effect.gen(function*() {
        const server = yield* redisHolding(ready)
        const edge = yield* startRuntime(contender, server.url)
        for (const text of garbage) {
          yield* put(server.url, { [videoKey]: text, [jobKey]: text })
          yield* answersUnknown(edge)
        }
        yield* put(server.url, ready)
        yield* answersReady(edge)
        yield* server.flushAll
        yield* answersUnknown(edge)
        yield* put(server.url, ready)
        yield* answersReady(edge)
      }))

    it.live("answers UNKNOWN while Redis is frozen, and the right body after it thaws", () =>
      Effect.gen(function*() {
        const server = yield* redisHolding(ready)
        const edge = yield* startRuntime(contender, server.url)
        yield* answersReady(edge)
        yield* server.freeze
        // Before and after the silent connection is given up.
        yield* Effect.repeat(answersUnknown(edge), { times: 3 })
        yield* server.thaw
        yield* answersReady(edge)
      }))

    it.live("starts without Redis, answers UNKNOWN while it is dead, and what it holds when it is back", () =>
      Effect.gen(function*() {
        const server = yield* redisHolding(ready)
        yield* server.kill
        const edge = yield* startRuntime(contender, server.url)
        yield* answersUnknown(edge)
        yield* server.restart
        yield* put(server.url, ready)
        yield* answersReady(edge)
        yield* server.kill
        yield* answersUnknown(edge)
        yield* server.restart
        yield* put(server.url, ready)
        yield* answersReady(edge)
      }))

    it.live("goes on reading a Redis that is full and takes no more writes", () =>
      Effect.gen(function*() {
        const server = yield* redisHolding(ready, { maxmemory: "4mb", "maxmemory-policy": "noeviction" })
        const edge = yield* startRuntime(contender, server.url)
        const fill = withRedis(server.url, (client) => {
          const fillFrom = (index: number): Promise<string> =>
            client.set(`filler:${index}`, "x".repeat(100_000)).then(() => fillFrom(index + 1), String)
          return fillFrom(0)
        })
        yield* until(fill, (refusal) => refusal.includes("OOM"))
        yield* answersReady(edge)
        isUnknown(yield* edge.ask(jobPath))
      }))

    it.live("does not grow while Redis is frozen and everybody goes on asking", () =>
      Effect.gen(function*() {
        const server = yield* redisHolding(ready)
        const edge = yield* startRuntime(contender, server.url, {
          NODE_OPTIONS: "--max-old-space-size=48",
          DENO_V8_FLAGS: "--max-old-space-size=48"
        })
        const wave = Effect.forEach(
          Array.from({ length: 1_000 }, (_, id) => id + 1),
          (id) => Effect.map(edge.ask(`/api/v1/media/videos/${id}/progress/`), isUnknown),
          { concurrency: 250, discard: true }
        )
        yield* server.freeze
        // The first wave fills what is filled once: the code of the connection's end, buffers, a pool of sockets.
        yield* wave
        const before = residentMegabytes(edge)
        yield* Effect.repeat(wave, { times: 2 })
        assert.isBelow(residentMegabytes(edge) - before, contender.mayGrow)
      }))

    it.live("is alive without Redis, and nothing is left of it after Ctrl-C, SIGTERM or SIGKILL", () =>
      Effect.gen(function*() {
        const { port } = yield* ClosedPort.make
        for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
          const edge = yield* startRuntime(contender, `redis://127.0.0.1:${port}`)
          assert.deepStrictEqual(yield* edge.ask("/healthz", { authorization: "" }), { status: 200, body: { status: "ok" } })
          yield* answersUnknown(edge)
          const closed = once(edge.process, "close")
          edge.process.kill(signal)
          // Its outputs are closed: the process and all that it had started are gone.
          const [code] = yield* Effect.promise(() => closed)
          assert.strictEqual(code, signal === "SIGKILL" ? null : 0)
          yield* unheard(edge.port)
        }
      }))
  })
}

it.live("The edge on every runtime names all faults of its environment at once, and does not start", () =>
  Effect.forEach(["node", "deno", "workerd"] satisfies ReadonlyArray<RuntimeName>, (runtime) =>
    Effect.gen(function*() {
      const { code, errors } = yield* runToEnd(runtime, { PORT: "x", AUTH_JWT_SECRET: "short" })
      assert.strictEqual(code, 78, runtime)
      for (const fault of ["PORT is", "REDIS_URL is not set", "AUTH_JWT_SECRET has 5 bytes"]) assert.include(errors, fault)
    }), { discard: true }))

it.live("The edge on every runtime says that its port is taken, and ends", () =>
  Effect.gen(function*() {
    const { port } = yield* SilentPort.make
    const environment = { PORT: String(port), REDIS_URL: "redis://127.0.0.1", AUTH_JWT_SECRET: secret }
    yield* Effect.forEach(["node", "deno", "workerd"] satisfies ReadonlyArray<RuntimeName>, (runtime) =>
      Effect.gen(function*() {
        const { code, errors } = yield* runToEnd(runtime, environment)
        assert.strictEqual(code, 78, runtime)
        assert.match(errors, new RegExp(`^Cannot listen on 127\\.0\\.0\\.1:${port}: .*already in use`))
      }), { discard: true })
  }))

it.live("The edge on workerd answers UNKNOWN while its REST Redis accepts and never answers", () =>
  Effect.gen(function*() {
    const { port } = yield* SilentPort.make
    const silent = {
      name: "workerd",
      runtime: "workerd" as const,
      hasEvents: false,
      mayGrow: 0,
      environment: () => Effect.succeed({ REDIS_REST_URL: `http://127.0.0.1:${port}`, REDIS_REST_TOKEN: "token" })
    }
    yield* answersUnknown(yield* startRuntime(silent, ""))
  }))
