import {
  JobId,
  RunHistory,
  runHistoryKeptMillis,
  runHistoryRestMillis,
  type RunSighting,
  SeenWords,
  TenantId,
  wordsKeptOfARun
} from "@lectern/domain"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { unavailableWhen } from "./databaseFailure.ts"
import { withinLimit } from "./withTransaction.ts"

const clock = "floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint"

const Sighting = Schema.Struct({
  tenant_id: TenantId,
  job_id: JobId,
  run_id: Schema.String,
  status: Schema.String,
  status_reason: Schema.NullOr(Schema.String),
  container_reason: Schema.NullOr(Schema.String),
  exit_code: Schema.NullOr(Schema.Int),
  log_stream: Schema.NullOr(Schema.String)
})
const encodeSightings = Schema.encodeEffect(Schema.fromJsonString(Schema.Array(Sighting)))

const toRow = ({ jobId, runId, tenantId, words }: RunSighting): typeof Sighting.Type => ({
  tenant_id: tenantId,
  job_id: jobId,
  run_id: runId,
  status: words.status,
  status_reason: words.statusReason,
  container_reason: words.containerReason,
  exit_code: words.exitCode,
  log_stream: words.logStream
})

const decodeSeen = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ record: SeenWords })))

/** The history in a table beside the jobs; a job that is deleted takes its own along. */
export const layer: Layer.Layer<RunHistory, never, SqlClient> = Layer.effect(
  RunHistory,
  Effect.map(SqlClient, (sql) => {
    /** What was said a moment ago in the same words is not written again: no row is locked or made for it. */
    const insert = (sightings: string) =>
      sql`WITH said AS (
          SELECT s.*, md5(json_build_array(
              s.status, s.status_reason, s.container_reason, s.exit_code, s.log_stream
            )::text) AS digest
          FROM json_to_recordset(${sightings}::json) AS s(
            tenant_id bigint, job_id text, run_id text, status text, status_reason text, container_reason text,
            exit_code integer, log_stream text
          )
        )
        INSERT INTO encode_run_words (
          tenant_id, job_id, run_id, digest, status, status_reason, container_reason, exit_code, log_stream,
          first_seen_at, last_seen_at
        )
        SELECT DISTINCT ON (s.tenant_id, s.job_id, s.run_id, s.digest)
          s.tenant_id, s.job_id, s.run_id, s.digest, s.status, s.status_reason, s.container_reason, s.exit_code,
          s.log_stream, ${sql.literal(clock)}, ${sql.literal(clock)}
        FROM said s JOIN jobs j ON j.tenant_id = s.tenant_id AND j.id = s.job_id
        WHERE NOT EXISTS (
          SELECT FROM encode_run_words k
          WHERE k.tenant_id = s.tenant_id AND k.job_id = s.job_id AND k.run_id = s.run_id AND k.digest = s.digest
            AND k.last_seen_at > ${sql.literal(clock)} - ${String(runHistoryRestMillis)}::bigint
        ) AND (
          EXISTS (
            SELECT FROM encode_run_words k
            WHERE k.tenant_id = s.tenant_id AND k.job_id = s.job_id AND k.run_id = s.run_id AND k.digest = s.digest
          ) OR (
            SELECT count(*) FROM encode_run_words k
            WHERE k.tenant_id = s.tenant_id AND k.job_id = s.job_id AND k.run_id = s.run_id
          ) < ${String(wordsKeptOfARun)}::bigint
        )
        ON CONFLICT (tenant_id, job_id, run_id, digest) DO UPDATE SET last_seen_at = excluded.last_seen_at
        RETURNING 1 AS written`

    const forgetOld = sql`DELETE FROM encode_run_words
      WHERE last_seen_at < ${sql.literal(clock)} - ${String(runHistoryKeptMillis)}::bigint`

    return RunHistory.of({
      note: Effect.fn("RunHistory.note")(function*(sightings) {
        if (sightings.length === 0) return
        yield* withinLimit(Effect.gen(function*() {
          const written = yield* insert(yield* encodeSightings(sightings.map(toRow)))
          if (written.length > 0) yield* forgetOld
        })).pipe(unavailableWhen("note what was said of runs"))
      }),
      of: Effect.fn("RunHistory.of")((jobOrRun) =>
        withinLimit(Effect.flatMap(
          sql`SELECT json_build_object(
              'runId', run_id, 'status', status, 'statusReason', status_reason, 'containerReason', container_reason,
              'exitCode', exit_code, 'logStream', log_stream, 'firstSeenAt', first_seen_at, 'lastSeenAt', last_seen_at
            ) AS record
            FROM encode_run_words WHERE job_id = ${jobOrRun} OR run_id = ${jobOrRun}
            ORDER BY first_seen_at, run_id`,
          decodeSeen
        )).pipe(
          Effect.map((rows) => rows.map(({ record }) => record)),
          unavailableWhen("read what was said of runs")
        )
      )
    })
  })
)
