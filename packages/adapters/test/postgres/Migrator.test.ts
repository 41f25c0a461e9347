import { assert, layer } from "@effect/vitest"
import { describeIf, PostgresServer } from "@lectern/harness"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { layerPglite, migrate, PgliteHost } from "../../src/postgres/index.ts"
import { checksumOf, migrateWith } from "../../src/postgres/Migrator.ts"
import { migrations } from "../../src/postgres/migrations/index.ts"
import { tcp, TestDatabase } from "./TestDatabase.ts"

const suite = <E>(name: string, database: Layer.Layer<SqlClient, E>): void => {
  layer(Layer.fresh(database), { excludeTestServices: true })(`Migrator: ${name}`, (it) => {
    it.effect("applies each step once when five processes start together", () =>
      Effect.gen(function*() {
        const reports = yield* Effect.all(Array.from({ length: 5 }, () => migrate), { concurrency: "unbounded" })
        const ids = migrations.map(({ id }) => id)
        assert.deepStrictEqual(reports.flatMap(({ applied }) => applied).sort((a, b) => a - b), ids)
        assert.deepStrictEqual(reports.map(({ current }) => current), reports.map(() => ids.length))
        const sql = yield* SqlClient
        const rows = yield* sql`SELECT checksum FROM schema_steps ORDER BY id`
        assert.deepStrictEqual(rows, migrations.map((step) => ({ checksum: checksumOf(step) })))
      }))

    it.effect("refuses a step whose text has changed since it was applied, and applies nothing after it", () =>
      Effect.gen(function*() {
        yield* migrate
        const changed = migrations.map((step) => step.id === 1 ? { ...step, statements: [...step.statements, "SELECT 1"] } : step)
        const later = { id: 99, name: "later", statements: ["CREATE TABLE later (a integer)"] }
        const error = yield* Effect.flip(migrateWith([...changed, later]))
        assert.include(error.message, "Cannot migrate: step 1 \"videos and jobs\" was applied with checksum")
        const sql = yield* SqlClient
        assert.deepStrictEqual(yield* sql`SELECT to_regclass('later')::text AS found`, [{ found: null }])
      }))

    it.effect("leaves nothing of a step that fails half-way", () =>
      Effect.gen(function*() {
        yield* migrate
        const broken = { id: 98, name: "broken", statements: ["CREATE TABLE half (a integer)", "CREATE TABLE half (a integer)"] }
        assert.strictEqual((yield* Effect.flip(migrateWith([...migrations, broken])))._tag, "SqlError")
        const sql = yield* SqlClient
        assert.deepStrictEqual(yield* sql`SELECT to_regclass('half')::text AS found`, [{ found: null }])
        assert.strictEqual((yield* migrate).current, migrations.length)
      }))

    it.effect("gets on with a database that a newer program has migrated", () =>
      Effect.gen(function*() {
        const newer = { id: 97, name: "newer", statements: ["CREATE TABLE newer (a integer)"] }
        yield* migrateWith([...migrations, newer])
        assert.deepStrictEqual(yield* migrate, { applied: [], current: 97 })
      }))
  })
}

suite("PGlite", layerPglite.pipe(Layer.provide(PgliteHost.layer({ dataDir: null }))))

describeIf(PostgresServer.availability, "Postgres", () => {
  suite("Postgres over TCP", tcp.pipe(Layer.provide(TestDatabase.layer), Layer.provide(PostgresServer.layer)))
})
