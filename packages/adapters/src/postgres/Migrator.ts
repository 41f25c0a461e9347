import { Effect, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { createHash } from "node:crypto"
import { migrations } from "./migrations/index.ts"
import type { Migration } from "./migrations/Migration.ts"
import { withTransaction } from "./withTransaction.ts"

/** The database's schema was made by a text that is not ours. Nothing was changed. */
export class MigrationChanged extends Schema.TaggedError<MigrationChanged>()("MigrationChanged", {
  id: Schema.Int,
  name: Schema.String,
  applied: Schema.String,
  ours: Schema.String
}) {
  override get message(): string {
    return `Cannot migrate: step ${this.id} "${this.name}" was applied with checksum ${this.applied} `
      + `and is ${this.ours} now; `
      + "write a new step instead of changing one that was applied"
  }
}

export interface MigrationReport {
  /** The steps that were applied now, by their numbers. */
  readonly applied: ReadonlyArray<number>
  /** The database's last step; higher than the last of ours when a newer program has migrated it. */
  readonly current: number
}

/** Any number that nothing else in the same database locks: "lectern" in ASCII, shortened. */
const lockKey = "1818588020"

/**
 * One migration is allowed more than a statement's usual limit, and so is the wait for another process that migrates.
 */
const patienceMillis = 300_000

const AppliedRow = Schema.Struct({ record: Schema.Struct({ id: Schema.Int, checksum: Schema.String }) })
const decodeApplied = Schema.decodeUnknownEffect(Schema.Array(AppliedRow))

export const checksumOf = (migration: Migration): string =>
  createHash("sha256").update(migration.statements.join(";\n")).digest("hex").slice(0, 16)

/**
 * Applies `steps` that the database lacks, all or none. Processes that start together wait for each other. The lock
 * belongs to the transaction, so that it works through a pooler that gives each transaction another session.
 */
export const migrateWith = (
  steps: ReadonlyArray<Migration>
): Effect.Effect<MigrationReport, MigrationChanged | SqlError | Schema.SchemaError, SqlClient> =>
  Effect.gen(function*() {
    const sql = yield* SqlClient
    return yield* withTransaction(
      sql,
      Effect.gen(function*() {
        yield* sql.unsafe(`SET LOCAL statement_timeout = ${patienceMillis}`)
        yield* sql.unsafe(`SET LOCAL lock_timeout = ${patienceMillis}`)
        yield* sql`SELECT 1 AS locked FROM pg_advisory_xact_lock(${lockKey}::bigint)`
        yield* sql`CREATE TABLE IF NOT EXISTS schema_steps (
          id integer PRIMARY KEY,
          name text NOT NULL,
          checksum text NOT NULL,
          applied_at timestamptz NOT NULL DEFAULT clock_timestamp()
        )`
        const rows = yield* decodeApplied(
          yield* sql`SELECT json_build_object('id', id, 'checksum', checksum) AS record FROM schema_steps ORDER BY id`
        )
        const known = new Map(rows.map(({ record }) => [record.id, record.checksum]))
        const applied: Array<number> = []
        for (const step of steps) {
          const ours = checksumOf(step)
          const before = known.get(step.id)
          if (before === ours) continue
          if (before !== undefined) {
            return yield* new MigrationChanged({ id: step.id, name: step.name, applied: before, ours })
          }
          for (const statement of step.statements) yield* sql.unsafe(statement)
          yield* sql`INSERT INTO schema_steps (id, name, checksum)
            VALUES (${String(step.id)}::text::integer, ${step.name}, ${ours})`
          applied.push(step.id)
        }
        return { applied, current: Math.max(0, ...known.keys(), ...applied) }
      }),
      { millis: patienceMillis }
    )
  }).pipe(Effect.withSpan("Migrator.migrate"))

/** Brings the database's schema up to this program's. */
export const migrate = migrateWith(migrations)

/** How the database's schema stands to this program's. */
export interface MigrationState {
  /** The steps that the database lacks. */
  readonly pending: ReadonlyArray<string>
  /** The steps that were applied with another text than ours. */
  readonly changed: ReadonlyArray<string>
  /** How many steps the database has that this program does not know. */
  readonly unknown: number
}

/** Looks and changes nothing. */
export const migrationState: Effect.Effect<MigrationState, SqlError | Schema.SchemaError, SqlClient> = Effect.gen(function*() {
  const sql = yield* SqlClient
  const [{ made }] = yield* decodeMade(yield* sql`SELECT to_regclass('schema_steps') IS NOT NULL AS made`)
  const rows = made
    ? yield* decodeApplied(
      yield* sql`SELECT json_build_object('id', id, 'checksum', checksum) AS record FROM schema_steps ORDER BY id`
    )
    : []
  const known = new Map(rows.map(({ record }) => [record.id, record.checksum]))
  const label = (step: Migration): string => `${step.id} "${step.name}"`
  return {
    pending: migrations.filter(({ id }) => !known.has(id)).map(label),
    changed: migrations.filter((step) => known.has(step.id) && known.get(step.id) !== checksumOf(step)).map(label),
    unknown: rows.filter(({ record }) => !migrations.some(({ id }) => id === record.id)).length
  }
}).pipe(Effect.withSpan("Migrator.state"))

const decodeMade = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ made: Schema.Boolean })]))
