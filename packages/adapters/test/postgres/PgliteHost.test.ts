import { assert, it, layer } from "@effect/vitest"
import { temporaryFolder } from "@lectern/harness"
import { Deferred, Effect, Exit, Fiber, Layer, Scope } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { layerPglite, migrate, PgliteHost } from "../../src/postgres/index.ts"

it.live("keeps what was committed when the folder is opened again, and lets nobody else in meanwhile", () =>
  Effect.gen(function*() {
    const dataDir = yield* temporaryFolder("pglite")
    const open = Layer.fresh(layerPglite.pipe(Layer.provideMerge(PgliteHost.layer({ dataDir }))))
    yield* Effect.gen(function*() {
      yield* migrate
      const sql = yield* SqlClient
      yield* sql`CREATE TABLE kept AS SELECT '글' AS a`
      const refused = yield* Effect.flip(Effect.scoped(Layer.build(Layer.fresh(PgliteHost.layer({ dataDir })))))
      assert.strictEqual(refused._tag, "FolderInUse")
    }).pipe(Effect.provide(open))
    const rows = yield* Effect.flatMap(SqlClient, (sql) => sql`SELECT a FROM kept`).pipe(Effect.provide(open))
    assert.deepStrictEqual(rows, [{ a: "글" }])
  }))

layer(layerPglite.pipe(Layer.provideMerge(PgliteHost.layer({ dataDir: null }))), { excludeTestServices: true })(
  "PgliteHost",
  (it) => {
    it.effect("lets a transaction have the session for itself until it ends", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient
        yield* sql`CREATE TABLE counters (a integer)`
        yield* sql`INSERT INTO counters VALUES (0)`
        const begun = yield* Deferred.make<void>()
        const goOn = yield* Deferred.make<void>()
        const transaction = yield* sql.withTransaction(Effect.gen(function*() {
          yield* sql`UPDATE counters SET a = 1`
          yield* Deferred.succeed(begun, undefined)
          yield* Deferred.await(goOn)
          return yield* Effect.fail("undone" as const)
        })).pipe(Effect.flip, Effect.forkChild)
        yield* Deferred.await(begun)
        const reader = yield* Effect.forkChild(sql`SELECT a FROM counters`)
        yield* Deferred.succeed(goOn, undefined)
        assert.strictEqual(yield* Fiber.join(transaction), "undone")
        assert.deepStrictEqual(yield* Fiber.join(reader), [{ a: 0 }])
      }))

    it.effect("rolls back what a holder left open, and refuses its session afterwards", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient
        const host = yield* PgliteHost
        yield* sql`CREATE TABLE left_open (a integer)`
        const scope = yield* Scope.make()
        const session = yield* Scope.provide(host.acquire, scope)
        yield* Effect.promise(() => session.query("BEGIN", [], "object"))
        yield* Effect.promise(() => session.query("INSERT INTO left_open VALUES ($1::integer)", ["1"], "object"))
        yield* Scope.close(scope, Exit.void)
        assert.deepStrictEqual(yield* sql`SELECT a FROM left_open`, [])
        const late = yield* Effect.promise(() => session.query("SELECT 1", [], "object").then(() => "answered", String))
        assert.include(late, "given back")
      }))

    it.effect("undoes a savepoint alone, and tells a constraint from a syntax error", () =>
      Effect.gen(function*() {
        const sql = yield* SqlClient
        yield* sql`CREATE TABLE uniques (a integer PRIMARY KEY)`
        yield* sql.withTransaction(Effect.gen(function*() {
          yield* sql`INSERT INTO uniques VALUES (1)`
          const refused = yield* Effect.flip(sql.withTransaction(sql`INSERT INTO uniques VALUES (1)`))
          assert.strictEqual(refused.reason._tag, "UniqueViolation")
        }))
        assert.deepStrictEqual(yield* sql`SELECT a FROM uniques`, [{ a: 1 }])
        assert.deepStrictEqual(yield* sql`SELECT a FROM uniques`.values, [[1]])
        assert.strictEqual((yield* Effect.flip(sql`SELEC`)).reason._tag, "SqlSyntaxError")
      }))
  }
)
