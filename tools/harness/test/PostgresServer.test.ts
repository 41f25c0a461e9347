import { assert, it, layer } from "@effect/vitest"
import { neonConfig, Pool as NeonPool } from "@neondatabase/serverless"
import { Effect } from "effect"
import { Client } from "pg"
import { WebSocket } from "ws"
import { describeIf, NeonProxy, PostgresServer } from "../src/index.ts"
import { closed, dial } from "./tcp.ts"

const query = (url: string, sql: string) =>
  Effect.promise(async () => {
    const client = new Client({ connectionString: url })
    await client.connect()
    try {
      return (await client.query<Array<unknown>>({ text: sql, rowMode: "array" })).rows
    } finally {
      await client.end()
    }
  })

describeIf(PostgresServer.availability, "PostgresServer", () => {
  layer(PostgresServer.layer)("shared by these tests", (it) => {
    it.effect("creates databases that know nothing of each other", () =>
      Effect.gen(function*() {
        const server = yield* PostgresServer
        const one = yield* server.createDatabase("one")
        const other = yield* server.createDatabase("other")
        yield* query(one, "create table t as select 1 as a")
        assert.deepStrictEqual(yield* query(one, "select a from t"), [[1]])
        assert.deepStrictEqual(yield* query(other, "select to_regclass('t')"), [[null]])
      }))

    it.effect("refuses a database's name that would need quoting", () =>
      Effect.gen(function*() {
        const server = yield* PostgresServer
        const error = yield* Effect.flip(server.createDatabase("a; drop database one"))
        assert.include(error.message, "Cannot create a database with the name")
      }))

    it.effect("counts statements, where it says so", ({ skip }) =>
      Effect.gen(function*() {
        const server = yield* PostgresServer
        if (!server.countsStatements) return skip("this Postgres has no pg_stat_statements")
        const url = yield* server.createDatabase("counted")
        const calls = query(url, "select coalesce(sum(calls), 0)::int from pg_stat_statements where query = 'select $1 as marked'")
        assert.deepStrictEqual(yield* calls, [[0]])
        yield* query(url, "select 7 as marked")
        assert.deepStrictEqual(yield* calls, [[1]])
      }))
  })

  it.effect("cuts its connections when killed, and keeps what was committed when restarted", () =>
    Effect.gen(function*() {
      const server = yield* PostgresServer.make()
      yield* query(server.url, "create table t as select 1 as a")
      const socket = yield* dial(server.port)
      yield* server.kill
      yield* closed(socket)
      assert.strictEqual(yield* Effect.flip(dial(server.port)), "ECONNREFUSED")
      yield* server.restart
      assert.deepStrictEqual(yield* query(server.url, "select a from t"), [[1]])
    }))

  it.effect("is reached by Neon's driver through the proxy, which can cut the connection", () =>
    Effect.gen(function*() {
      const server = yield* PostgresServer.make()
      const proxy = yield* NeonProxy.make([server])
      neonConfig.webSocketConstructor = WebSocket
      neonConfig.wsProxy = proxy.wsProxy
      neonConfig.useSecureWebSocket = false
      neonConfig.pipelineConnect = false
      const pool = yield* Effect.acquireRelease(
        Effect.sync(() => new NeonPool({ connectionString: server.url })),
        (pool) => Effect.promise(() => pool.end())
      )
      const lost = Effect.callback<void>((resume) => void pool.once("error", () => resume(Effect.void)))
      const wide = "x".repeat(1_000_000)
      const result = yield* Effect.promise(() => pool.query<{ a: string }>("select $1 as a", [wide]))
      assert.strictEqual(result.rows[0]?.a, wide)
      assert.strictEqual(yield* proxy.connections, 1)
      yield* Effect.all([lost, proxy.sever], { concurrency: "unbounded" })
      const again = yield* Effect.promise(() => pool.query<{ a: number }>("select 2 as a"))
      assert.strictEqual(again.rows[0]?.a, 2)
    }))

  it.effect("is the only address that the proxy dials", () =>
    Effect.gen(function*() {
      const server = yield* PostgresServer.make()
      const proxy = yield* NeonProxy.make([server])
      const code = yield* Effect.callback<number>((resume) => {
        const socket = new WebSocket(`ws://${proxy.wsProxy("127.0.0.1", proxy.port)}`)
        socket.once("close", (code) => resume(Effect.succeed(code)))
      })
      assert.strictEqual(code, 1008)
    }))
})
