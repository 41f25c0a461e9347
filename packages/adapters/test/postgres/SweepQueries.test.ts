/**
 * The sweeps ask every few seconds, for ever: what they ask must cost by what they find, not by what was ever stored.
 */
import { assert, layer } from "@effect/vitest"
import { JobStore } from "@lectern/domain"
import { Context, Effect, Layer, Ref, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { JobStorePostgres, layerSqlSessions, migrate, PgliteHost } from "../../src/postgres/index.ts"

interface Asked {
  readonly text: string
  readonly values: ReadonlyArray<unknown>
}

/** The last statement that the store sent. */
class LastAsked extends Context.Service<LastAsked, Ref.Ref<Asked>>()("@lectern/adapters/test/LastAsked") {}

const lastAsked = Layer.effect(LastAsked, Ref.make<Asked>({ text: "", values: [] }))

const watchedClient = Layer.unwrap(Effect.gen(function*() {
  const host = yield* PgliteHost
  const last = yield* LastAsked
  return layerSqlSessions({
    driver: "watched",
    acquire: Effect.map(host.acquire, (session) => ({
      query: async (text, values, rowMode) => {
        Effect.runSync(Ref.set(last, { text, values }))
        return session.query(text, values, rowMode)
      }
    }))
  })
}))

/** 20,000 videos and imports that are long done, and a few that are not. */
const history = Effect.gen(function*() {
  yield* migrate
  const sql = yield* SqlClient
  const encode = (status: string, lease: string, from: number, to: number) =>
    sql.unsafe(`INSERT INTO jobs (tenant_id, id, kind, video_id, status, revision, attempt, failures, lease_owner, lease_until,
        run_after, dispatched_at, external_id, created_at, updated_at)
      SELECT 1, 'job-' || n, 'video_encode', n, '${status}', 1, 1, 0, ${lease}, 0, 5, 'run-' || n, n, n
      FROM generate_series(${from}, ${to}) n`)
  yield* sql.withTransaction(Effect.gen(function*() {
    yield* sql`INSERT INTO videos (tenant_id, id, title, filename, content_type, file_key, file_size, status, duration, hls_path,
        thumbnail_path, encode_job_id, revision, created_at, updated_at)
      SELECT 1, n, 't', 'f', 'video/mp4', 'k' || n, 1, CASE WHEN n > 20000 THEN 'PROCESSING' ELSE 'READY' END, 1, 'h', 't',
        'job-' || n, 1, n, n
      FROM generate_series(1, 20020) n`
    yield* encode("DONE", "NULL, NULL", 1, 20_000)
    yield* encode("PENDING", "NULL, NULL", 20_001, 20_010)
    yield* encode("RUNNING", "'w', 0", 20_011, 20_020)
    yield* sql`INSERT INTO jobs (tenant_id, id, kind, status, revision, attempt, failures, run_after, dispatched_at, external_id,
        created_at, updated_at)
      SELECT 1, 'import-' || n, 'student_import', 'PENDING', 1, 0, 0, 0, 5, 'message-' || n, n, n FROM generate_series(1, 10) n`
    yield* sql`UPDATE videos SET deleted_at = 1 WHERE id = 7`
  }))
  yield* sql`ANALYZE`
})

const database = Layer.effectDiscard(history).pipe(
  Layer.provideMerge(watchedClient),
  Layer.provideMerge(lastAsked),
  Layer.provideMerge(PgliteHost.layer({ dataDir: null }))
)

interface Plan {
  readonly "Node Type": string
  readonly "Relation Name"?: string | undefined
  readonly Plans?: ReadonlyArray<Plan> | undefined
}
const Plan: Schema.Codec<Plan> = Schema.Struct({
  "Node Type": Schema.String,
  "Relation Name": Schema.optional(Schema.String),
  Plans: Schema.optional(Schema.Array(Schema.suspend((): Schema.Codec<Plan> => Plan)))
})
const decodePlans = Schema.decodeUnknownSync(
  Schema.Array(Schema.Struct({ "QUERY PLAN": Schema.Array(Schema.Struct({ Plan })) }))
)

const nodes = (plan: Plan): ReadonlyArray<Plan> => [plan, ...(plan.Plans ?? []).flatMap(nodes)]

layer(JobStorePostgres.layer.pipe(Layer.provideMerge(database)), { excludeTestServices: true })("a sweep's query", (it) => {
  const sweeps = {
    findUndispatched: { rows: 10, ask: (store: JobStore["Service"]) => store.findUndispatched({ olderThanMillis: 0, limit: 100 }) },
    findExpired: { rows: 10, ask: (store: JobStore["Service"]) => store.findExpired(100) },
    findDispatchedEncodes: { rows: 20, ask: (store: JobStore["Service"]) => store.findDispatchedEncodes(100) },
    findGivenUp: { rows: 0, ask: (store: JobStore["Service"]) => store.findGivenUp(100) },
    findDeleting: { rows: 1, ask: (store: JobStore["Service"]) => store.findDeleting(100) },
    findLive: { rows: 31, ask: (store: JobStore["Service"]) => store.findLive({ changedSince: 20_000, limit: 100 }) }
  }
  for (const [name, { ask, rows }] of Object.entries(sweeps)) {
    it.effect(`${name} reads no table from end to end`, () =>
      Effect.gen(function*() {
        const store = yield* JobStore
        const found = yield* ask(store)
        assert.strictEqual(found.length, rows)
        const asked = yield* Ref.get(yield* LastAsked)
        const host = yield* PgliteHost
        const { rows: plans } = yield* Effect.scoped(Effect.flatMap(host.acquire, (session) =>
          Effect.promise(() => session.query(`EXPLAIN (FORMAT JSON) ${asked.text}`, asked.values, "object"))))
        const read = decodePlans(plans).flatMap((row) => row["QUERY PLAN"].flatMap(({ Plan }) => nodes(Plan)))
        assert.isAbove(read.filter((node) => node["Node Type"].includes("Index")).length, 0)
        assert.deepStrictEqual(read.filter((node) => node["Node Type"] === "Seq Scan"), [])
      }))
  }
})
