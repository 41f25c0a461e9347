import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { layerTcp, migrate } from "@lectern/adapters/postgres"
import { ClosedPort, describeIf, PostgresServer, SilentPort } from "@lectern/harness"
import { Effect, Redacted } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { databaseCheck } from "../../src/operations/databaseCheck.ts"
import { preflightChecks } from "../../src/operations/preflight.ts"
import { runChecks } from "../../src/operations/runChecks.ts"
import { causeOf, passOf } from "./outcomes.ts"

const check = (url: string) => databaseCheck({ DATABASE_URL: url }, false)

const execute = (url: string, ...statements: ReadonlyArray<string>) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient
    for (const statement of statements) yield* sql.unsafe(statement)
  }).pipe(Effect.provide(layerTcp({ url: Redacted.make(url) })))

const asRole = (url: string, role: string): string => url.replace("postgres@", `${role}:s3cret@`)

const preflightOf = (id: string, variables: Readonly<Record<string, string>>) =>
  Effect.gen(function*() {
    const [checked] = yield* runChecks(preflightChecks(variables, process.versions.node).filter((it) => it.id === id))
    return checked?.outcome ?? assert.fail(`there is no check ${id}`)
  }).pipe(Effect.provide(NodeServices.layer))

it.live("A closed port and a silent port are told apart", () =>
  Effect.gen(function*() {
    const closed = yield* ClosedPort.make
    const silent = yield* SilentPort.make
    assert.match(causeOf(yield* check(`postgres://a:s3cret@127.0.0.1:${closed.port}/b`)), /refused the connection/)
    assert.match(causeOf(yield* check(`postgres://a:s3cret@127.0.0.1:${silent.port}/b`)), /gave no answer in time/)
  }))

it.live("Without DATABASE_URL the check fails, and is skipped where only this machine is looked at", () =>
  Effect.gen(function*() {
    assert.match(causeOf(yield* databaseCheck({}, false)), /DATABASE_URL is not set/)
    assert.strictEqual((yield* databaseCheck({}, true))._tag, "Skip")
    assert.match(causeOf(yield* check("mysql://a:s3cret@b/c")), /^DATABASE_URL: /)
  }))

describeIf(PostgresServer.availability, "The database check", () => {
  it.live("passes for the worker's role without residue, and names every way in which it may be refused", () =>
    Effect.gen(function*() {
      const server = yield* PostgresServer.make()
      const url = yield* server.createDatabase("readiness")

      assert.match(causeOf(yield* check(url)), /schema is older/)
      assert.match(causeOf(yield* preflightOf("migrations", { DATABASE_URL: url })), /pending: 1 .*, 2 .*, 3 /)
      yield* migrate.pipe(Effect.provide(layerTcp({ url: Redacted.make(url) })))
      passOf(yield* preflightOf("migrations", { DATABASE_URL: url }))
      passOf(yield* preflightOf("clock", { DATABASE_URL: url }))

      yield* execute(
        url,
        "CREATE ROLE worker LOGIN",
        "GRANT SELECT, UPDATE ON jobs, videos TO worker",
        "GRANT SELECT, INSERT, DELETE ON readiness_canaries TO worker",
        "CREATE ROLE looker LOGIN",
        "GRANT SELECT ON ALL TABLES IN SCHEMA public TO looker",
        "CREATE ROLE writer LOGIN",
        "GRANT SELECT, INSERT, DELETE ON readiness_canaries TO writer",
        "CREATE ROLE frozen LOGIN SUPERUSER",
        "ALTER ROLE frozen SET default_transaction_read_only = on",
        "CREATE ROLE stranger NOLOGIN"
      )
      assert.match(passOf(yield* check(asRole(url, "worker"))).detail.en, /role worker wrote, read and removed/)
      const left = yield* Effect.flatMap(SqlClient, (sql) => sql`SELECT id FROM readiness_canaries`).pipe(
        Effect.provide(layerTcp({ url: Redacted.make(url) }))
      )
      assert.deepStrictEqual(left, [])

      assert.match(causeOf(yield* check(asRole(url, "looker"))), /no right to write/)
      assert.match(causeOf(yield* check(asRole(url, "writer"))), /role writer lacks .*UPDATE on jobs/)
      assert.match(causeOf(yield* check(asRole(url, "frozen"))), /is read-only for this role/)
      assert.match(causeOf(yield* check(asRole(url, "stranger"))), /refused the role or its password/)
      assert.match(causeOf(yield* check(url.replace("/readiness", "/elsewhere"))), /does not exist/)

      yield* execute(
        url,
        "SET password_encryption = 'scram-sha-256'",
        "ALTER ROLE worker PASSWORD 'right'",
        `DO $$ BEGIN EXECUTE format(
          'COPY (VALUES (''host all worker 127.0.0.1/32 scram-sha-256''), (''host all all 127.0.0.1/32 trust'')) TO %L',
          current_setting('data_directory') || '/pg_hba.conf'
        ); END $$`,
        "SELECT pg_reload_conf()"
      )
      // The server reads its rules again a little after it was told to.
      const refused = yield* Effect.repeat(check(asRole(url, "worker")), { until: ({ _tag }) => _tag === "Fail" })
      assert.match(causeOf(refused), /refused the role or its password/)

      yield* execute(url, "UPDATE schema_steps SET checksum = 'another' WHERE id = 1")
      assert.match(causeOf(yield* preflightOf("migrations", { DATABASE_URL: url })), /another text: 1 /)
    }))
})
