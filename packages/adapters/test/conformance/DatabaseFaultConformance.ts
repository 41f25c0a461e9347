import { assert, layer } from "@effect/vitest"
import type { JobStoreFault } from "@lectern/domain"
import { Effect, Layer } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { unavailableWhen } from "../../src/postgres/databaseFailure.ts"

type Statement = (sql: SqlClient) => Effect.Effect<unknown, SqlError>

const nul = "a\0b"
const huge = "9".repeat(31)
/** Too long for an index even after its compression. */
const unpackable = () => Buffer.from(crypto.getRandomValues(new Uint8Array(30_000))).toString("base64")

const refused: Readonly<Record<JobStoreFault, Readonly<Record<string, Statement>>>> = {
  value: {
    "a NUL in a text": (sql) => sql`SELECT ${nul}::text`,
    "a NUL in JSON": (sql) => sql`SELECT ${JSON.stringify(nul)}::jsonb`,
    "half a character in JSON": (sql) => sql`SELECT ${JSON.stringify("\ud800")}::jsonb`,
    "a number out of range": (sql) => sql`SELECT ${huge}::bigint`,
    "a number that is none": (sql) => sql`SELECT ${"one"}::bigint`,
    "a text that is too long for its column": (sql) => sql`INSERT INTO kept (short) VALUES (${"abc"})`,
    "a text that is too long for its index": (sql) => sql`INSERT INTO kept (name) VALUES (${unpackable()})`
  },
  bug: {
    "a row that is there already": (sql) => sql`INSERT INTO kept (name) VALUES ('a'), ('a')`,
    "a row that breaks a rule": (sql) => sql`INSERT INTO kept (number) VALUES (0)`,
    "a row without what it needs": (sql) => sql`INSERT INTO kept (number) VALUES (NULL)`,
    "a table that is not there": (sql) => sql`SELECT * FROM nowhere`,
    "a statement that is none": (sql) => sql`SELEC 1`
  },
  away: Object.fromEntries(
    ["08006", "28P01", "40001", "40P01", "53300", "55P03", "57014", "57P01"].map((state) => [
      `a server that says ${state}`,
      (sql) => sql.unsafe(`DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${state}'; END $$`)
    ])
  )
}

const table = Layer.effectDiscard(Effect.flatMap(SqlClient, (sql) =>
  sql`CREATE TABLE kept (
    name text UNIQUE, short varchar(2), number integer NOT NULL DEFAULT 1 CHECK (number > 0)
  )`))

/** What the port's failure says of each kind of refusal, whatever driver it came by; and that nothing is kept of it. */
export const databaseFaultSuite = <E>(name: string, database: Layer.Layer<SqlClient, E>): void =>
  layer(Layer.provideMerge(table, database), { excludeTestServices: true })(`a refusal of ${name}`, (it) => {
    for (const [fault, statements] of Object.entries(refused)) {
      for (const [what, statement] of Object.entries(statements)) {
        it.effect(`is of the kind "${fault}" for ${what}`, () =>
          Effect.gen(function*() {
            const sql = yield* SqlClient
            const failure = yield* Effect.flip(statement(sql).pipe(unavailableWhen("try")))
            assert.deepStrictEqual([failure.reason, failure.retryable], [fault, fault === "away"])
            assert.deepStrictEqual(yield* sql`SELECT count(*)::integer AS rows FROM kept`, [{ rows: 0 }])
          }))
      }
    }
  })
