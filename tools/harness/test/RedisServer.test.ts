import { assert, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { Redis } from "ioredis"
import { createServer, type Server } from "node:net"
import { describeIf, RedisServer } from "../src/index.ts"
import { closed, dial } from "./tcp.ts"

const client = (url: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const redis = new Redis(url, { retryStrategy: () => null })
      // The tests kill servers; each looks at the outcome of its own commands.
      redis.on("error", () => undefined)
      return redis
    }),
    (redis) => Effect.sync(() => redis.disconnect())
  )

/** Somebody else on a port, who answers everything as a Redis would answer PING. */
const stranger = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<Server>((resume) => {
      const server = createServer((socket) => {
        // Who asked may be gone, with a reset, before it has read the answer.
        socket.on("error", () => socket.destroy())
        socket.resume().end("+PONG\r\n")
      })
      server.listen(port, "127.0.0.1", () => resume(Effect.succeed(server)))
    }),
    (server) => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )

describeIf(RedisServer.availability, "RedisServer", () => {
  it.effect("answers as soon as it is made, and only with what was written to it", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const redis = yield* client(server.url)
      assert.strictEqual(yield* Effect.promise(() => redis.dbsize()), 0)
      yield* Effect.promise(() => redis.set("a", "1"))
      assert.strictEqual(yield* Effect.promise(() => redis.get("a")), "1")
      yield* server.flushAll
      assert.strictEqual(yield* Effect.promise(() => redis.get("a")), null)
    }))

  it.effect("takes the options of redis.conf", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ maxmemory: "3mb", "maxmemory-policy": "noeviction" })
      const redis = yield* client(server.url)
      assert.deepStrictEqual(yield* Effect.promise(() => redis.config("GET", "maxmemory")), ["maxmemory", "3145728"])
      const refused = yield* Effect.promise(async () => {
        for (let i = 0;; i++) {
          const refusal = await redis.set(`k${i}`, "x".repeat(65_536)).then(() => undefined, String)
          if (refusal !== undefined) return refusal
        }
      })
      assert.include(refused, "OOM")
    }))

  it.effect("keeps a PING waiting while it is frozen, and answers it when it thaws", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* server.freeze
      const waiting = yield* Effect.forkChild(server.ping)
      // The system still accepts for a stopped process: the connection stands, the answer does not come.
      yield* dial(server.port)
      const silence = yield* Effect.promise(() => {
        const signal = AbortSignal.timeout(200)
        return Effect.runPromiseExit(server.ping, { signal })
      })
      assert.isTrue(silence._tag === "Failure")
      assert.isUndefined(waiting.pollUnsafe())
      yield* server.thaw
      yield* Fiber.join(waiting)
    }))

  it.effect("cuts its connections and refuses new ones when it is killed", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const socket = yield* dial(server.port)
      yield* server.kill
      yield* closed(socket)
      assert.strictEqual(yield* Effect.flip(dial(server.port)), "ECONNREFUSED")
    }))

  it.effect("comes back empty on the same port, as another process", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      const before = yield* server.pid
      const redis = yield* client(server.url)
      yield* Effect.promise(() => redis.set("a", "1"))
      yield* server.kill
      yield* server.restart
      assert.notStrictEqual(yield* server.pid, before)
      const again = yield* client(server.url)
      assert.strictEqual(yield* Effect.promise(() => again.get("a")), null)
    }))

  it.effect("can be killed and restarted while it is frozen", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* server.freeze
      yield* server.restart
      yield* server.ping
    }))

  it.effect("does not take a stranger on its port for itself", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* server.kill
      yield* stranger(server.port)
      const error = yield* Effect.flip(server.restart)
      assert.include(error.message, "ended before it answered")
    }))

  it.effect("dies with its scope, frozen or not", () =>
    Effect.gen(function*() {
      const pids = yield* Effect.scoped(Effect.gen(function*() {
        const frozen = yield* RedisServer.make()
        const running = yield* RedisServer.make()
        const started = [yield* frozen.pid, yield* running.pid]
        yield* frozen.freeze
        return started
      }))
      for (const pid of pids) assert.throws(() => process.kill(pid, 0), "ESRCH")
    }))

  it.effect("says what Redis said when it refuses an option", () =>
    Effect.gen(function*() {
      const error = yield* Effect.scoped(Effect.flip(RedisServer.make({ maxmemory: "plenty" })))
      assert.include(error.message, "maxmemory")
    }))
})
