import { assert, it } from "@effect/vitest"
import { RedisConnection } from "@lectern/adapters/redis"
import { ClosedPort, describeIf, RedisServer, SilentPort } from "@lectern/harness"
import { Effect, Redacted } from "effect"
import { redisCheck } from "../../src/operations/redisCheck.ts"
import { causeOf, passOf } from "./outcomes.ts"

const check = (url: string) => redisCheck({ REDIS_URL: url }, false)
const onServer = <A, E>(url: string, use: (redis: RedisConnection["Service"]) => Effect.Effect<A, E>) =>
  Effect.flatMap(RedisConnection, use).pipe(Effect.provide(RedisConnection.layer({ url: Redacted.make(url) })))

it.live("A closed port, a silent port, an unknown host and an address that is none are told apart", () =>
  Effect.gen(function*() {
    const closed = yield* ClosedPort.make
    const silent = yield* SilentPort.make
    assert.match(causeOf(yield* check(`redis://:s3cret@127.0.0.1:${closed.port}`)), /refused the connection/)
    assert.match(causeOf(yield* check(`redis://:s3cret@127.0.0.1:${silent.port}`)), /gave no answer in time/)
    assert.match(causeOf(yield* check("redis://:s3cret@nowhere.invalid:6379")), /is not known/)
    assert.match(causeOf(yield* check("127.0.0.1:6379/s3cret")), /^REDIS_URL: /)
  }))

it.live("Without REDIS_URL the check fails, and is skipped where only this machine is looked at", () =>
  Effect.gen(function*() {
    assert.match(causeOf(yield* redisCheck({}, false)), /REDIS_URL is not set/)
    assert.strictEqual((yield* redisCheck({}, true))._tag, "Skip")
  }))

describeIf(RedisServer.availability, "The Redis check", () => {
  it.live("passes, leaves no key, and warns of noeviction with the reason", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      assert.match(passOf(yield* check(server.url)).warning?.en ?? "", /noeviction without maxmemory/)
      assert.deepStrictEqual(yield* onServer(server.url, (redis) => redis.use("list", (client) => client.keys("*"))), [])
    }))

  it.live("has nothing to warn of where the oldest copies are dropped", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ "maxmemory": "8mb", "maxmemory-policy": "volatile-ttl" })
      assert.strictEqual(passOf(yield* check(server.url)).warning, null)
    }))

  it.live("says that the password is wrong, or missing, and never what it is", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* onServer(server.url, (redis) => redis.use("lock", (client) => client.config("SET", "requirepass", "right")))
      assert.match(causeOf(yield* check(`redis://:s3cret@127.0.0.1:${server.port}`)), /refused the user or the password/)
      assert.match(causeOf(yield* check(server.url)), /refused the user or the password/)
      passOf(yield* check(`redis://:right@127.0.0.1:${server.port}`))
    }))

  it.live("says that Redis is full, though it answers PING", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make({ "maxmemory": "3mb", "maxmemory-policy": "noeviction" })
      yield* onServer(server.url, (redis) =>
        Effect.andThen(
          Effect.flip(redis.use("fill", async (client) => {
            for (let n = 0;; n++) await client.set(`filler:${n}`, "x".repeat(16_384))
          })),
          // What the filling connection itself took is given back with it: without this there would be a little room.
          redis.use("shrink", (client) => client.config("SET", "maxmemory", "1mb"))
        ))
      assert.match(causeOf(yield* check(server.url)), /full and refuses writes/)
    }))

  it.live("says that it was led to a replica", () =>
    Effect.gen(function*() {
      const primary = yield* RedisServer.make()
      const replica = yield* RedisServer.make()
      yield* onServer(replica.url, (redis) => redis.use("follow", (client) => client.replicaof("127.0.0.1", primary.port)))
      assert.match(causeOf(yield* check(replica.url)), /read-only replica/)
    }))
})
