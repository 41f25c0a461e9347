import { EncodeMisses } from "@lectern/domain"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { unavailableWhen } from "./databaseFailure.ts"
import { withinLimit } from "./withTransaction.ts"

const clock = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

const decodeMisses = Schema.decodeUnknownEffect(
  Schema.Tuple([Schema.Struct({ record: Schema.Struct({ count: Schema.Int, sinceMillis: Schema.Int }) })])
)

/** The misses in a table beside the jobs; a job that is deleted takes its own along. */
export const layer: Layer.Layer<EncodeMisses, never, SqlClient> = Layer.effect(
  EncodeMisses,
  Effect.map(SqlClient, (sql) =>
    EncodeMisses.of({
      note: Effect.fn("EncodeMisses.note")((run) =>
        withinLimit(
          Effect.flatMap(
            sql`INSERT INTO encode_misses AS known (tenant_id, job_id, external_id, misses, first_missed_at)
              VALUES (${String(run.tenantId)}::bigint, ${run.jobId}, ${run.externalId}, 1, ${sql.literal(clock)})
              ON CONFLICT (tenant_id, job_id) DO UPDATE SET
                external_id = excluded.external_id,
                misses = CASE WHEN known.external_id = excluded.external_id THEN known.misses + 1 ELSE 1 END,
                first_missed_at =
                  CASE WHEN known.external_id = excluded.external_id THEN known.first_missed_at ELSE excluded.first_missed_at END
              RETURNING json_build_object(
                'count', misses, 'sinceMillis', greatest(0, ${sql.literal(clock)} - first_missed_at)
              ) AS record`,
            decodeMisses
          )
        ).pipe(
          Effect.map(([{ record }]) => record),
          unavailableWhen("note that a run is not known")
        )
      ),
      forget: Effect.fn("EncodeMisses.forget")((ref) =>
        withinLimit(
          sql`DELETE FROM encode_misses WHERE tenant_id = ${String(ref.tenantId)}::bigint AND job_id = ${ref.jobId}`
        ).pipe(Effect.asVoid, unavailableWhen("forget that a run was not known"))
      )
    }))
)
