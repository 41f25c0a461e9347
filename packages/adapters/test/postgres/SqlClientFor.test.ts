import { assert, it } from "@effect/vitest"
import { describeIf, NeonProxy, PostgresServer } from "@lectern/harness"
import { ConfigProvider, Effect, Layer, Redacted } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { layerFor } from "../../src/postgres/index.ts"

const driverFor = (url: string, env: Record<string, string> = {}) =>
  Effect.map(SqlClient, ({ driver }) => driver).pipe(
    Effect.provide(layerFor(Redacted.make(url))),
    Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(env)))
  )

it.live("takes Neon's driver for Neon's hosts and TCP for others, unless it is told", () =>
  Effect.gen(function*() {
    const neon = "postgres://u:p@ep-cool-1.ap-southeast-1.aws.neon.tech/db"
    const other = "postgresql://u:p@db.example.com:5433/db"
    const tcp = yield* driverFor(other)
    assert.notStrictEqual(tcp, "neon")
    assert.strictEqual(yield* driverFor(neon), "neon")
    assert.strictEqual(yield* driverFor("postgres://u:p@fakeneon.tech/db"), tcp)
    assert.strictEqual(yield* driverFor(other, { DATABASE_DRIVER: "neon" }), "neon")
    assert.strictEqual(yield* driverFor(neon, { DATABASE_DRIVER: "tcp" }), tcp)
  }))

it.live("refuses what is no Postgres URL, without repeating it", () =>
  Effect.gen(function*() {
    for (const url of ["", "secret", "mysql://u:secret@h/db"]) {
      const refused = yield* Effect.flip(driverFor(url))
      assert.match(refused.message, /^Cannot use DATABASE_URL: /)
      assert.notInclude(refused.message, "secret")
    }
    assert.strictEqual((yield* Effect.flip(driverFor("postgres://h/db", { DATABASE_DRIVER: "odbc" })))._tag, "ConfigError")
  }))

describeIf(PostgresServer.availability, "NEON_WS_PROXY", () => {
  it.live("leads Neon's driver to a proxy of one's own", () =>
    Effect.gen(function*() {
      const server = yield* PostgresServer
      const proxy = yield* NeonProxy
      const env = { DATABASE_DRIVER: "neon", NEON_WS_PROXY: `127.0.0.1:${proxy.port}/v1?address=` }
      const rows = yield* Effect.flatMap(SqlClient, (sql) => sql`SELECT ${"글"}::text AS a`).pipe(
        Effect.provide(layerFor(Redacted.make(server.url))),
        Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown(env)))
      )
      assert.deepStrictEqual(rows, [{ a: "글" }])
    }).pipe(Effect.provide(NeonProxy.layer.pipe(Layer.provideMerge(PostgresServer.layer)))))
})
