import { EncodeClosed, type EncodePart, EncodeParts, type EncodeRef, PartFile, TenantId, VideoId } from "@lectern/domain"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { unavailableWhen } from "./databaseFailure.ts"
import { withinLimit } from "./withTransaction.ts"

const clock = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"

const rowsOf = <S extends Schema.Top>(record: S) => Schema.Array(Schema.Struct({ record }))

const decodeToken = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ token: Schema.String })]))
const decodeClaims = Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ claim: Schema.Int })))
const decodeParts = Schema.decodeUnknownEffect(
  rowsOf(
    Schema.Struct({
      part: Schema.NullOr(
        Schema.Struct({
          name: Schema.String,
          claim: Schema.Int,
          owner: Schema.String,
          held: Schema.Boolean,
          files: Schema.NullOr(Schema.Array(PartFile))
        })
      )
    })
  )
)
const decodeLeft = Schema.decodeUnknownEffect(
  rowsOf(
    Schema.Struct({
      tenantId: TenantId,
      videoId: VideoId,
      key: Schema.String,
      token: Schema.String,
      fate: Schema.Literals(["VideoGone", "Published", "Unfinished"]),
      published: Schema.NullOr(Schema.Array(Schema.String))
    })
  )
)
const encodeFiles = Schema.encodeEffect(Schema.fromJsonString(Schema.Array(PartFile)))
const encodePaths = Schema.encodeEffect(Schema.fromJsonString(Schema.Array(Schema.String)))

/**
 * Parts in two tables beside the jobs. Each method is one statement; every one that finds the encode open touches it.
 */
export const layer: Layer.Layer<EncodeParts, never, SqlClient> = Layer.effect(
  EncodeParts,
  Effect.map(SqlClient, (sql) => {
    const now = sql.literal(clock)
    const named = ({ key, tenantId, videoId }: EncodeRef) =>
      sql`tenant_id = ${String(tenantId)}::bigint AND video_id = ${String(videoId)}::bigint AND key = ${key}`
    /** The open encode as a table of one row, or none. */
    const touched = (ref: EncodeRef) =>
      sql`WITH touched AS (
        UPDATE encodes SET touched_at = ${now} WHERE ${named(ref)} RETURNING tenant_id, video_id, key
      )`

    return EncodeParts.of({
      open: Effect.fn("EncodeParts.open")((ref, token) =>
        withinLimit(
          Effect.flatMap(
            sql`INSERT INTO encodes (tenant_id, video_id, key, token, touched_at)
              VALUES (${String(ref.tenantId)}::bigint, ${String(ref.videoId)}::bigint, ${ref.key}, ${token}, ${now})
              ON CONFLICT (tenant_id, video_id, key) DO UPDATE SET touched_at = excluded.touched_at
              RETURNING token`,
            decodeToken
          )
        ).pipe(
          Effect.map(([row]) => row.token),
          unavailableWhen("open an encode")
        )
      ),
      parts: Effect.fn("EncodeParts.parts")(function*(ref) {
        const rows = yield* withinLimit(
          Effect.flatMap(
            sql`SELECT json_build_object('part', CASE WHEN p.part IS NULL THEN NULL ELSE json_build_object(
                'name', p.part, 'claim', p.claim, 'owner', p.owner, 'held', p.lease_until > ${now}, 'files', p.files
              ) END) AS record
              FROM (SELECT * FROM encodes WHERE ${named(ref)}) e LEFT JOIN encode_parts p USING (tenant_id, video_id, key)`,
            decodeParts
          )
        ).pipe(unavailableWhen("read the parts of an encode"))
        if (rows.length === 0) return yield* new EncodeClosed({ videoId: ref.videoId, key: ref.key })
        return rows.flatMap(({ record: { part } }): ReadonlyArray<EncodePart> => part === null ? [] : [part])
      }),
      claim: Effect.fn("EncodeParts.claim")((ref, part, { leaseMillis, owner }) =>
        withinLimit(
          Effect.flatMap(
            sql`${touched(ref)}
              INSERT INTO encode_parts AS known (tenant_id, video_id, key, part, claim, owner, lease_until)
              SELECT tenant_id, video_id, key, ${part}::text, 1, ${owner}::text, ${now} + ${String(leaseMillis)}::bigint
              FROM touched
              ON CONFLICT (tenant_id, video_id, key, part) DO UPDATE SET
                claim = known.claim + 1, owner = excluded.owner, lease_until = excluded.lease_until
              WHERE known.files IS NULL AND (known.owner = excluded.owner OR known.lease_until <= ${now})
              RETURNING claim`,
            decodeClaims
          )
        ).pipe(
          Effect.map(([row]) => row?.claim ?? null),
          unavailableWhen("claim a part of an encode")
        )
      ),
      renew: Effect.fn("EncodeParts.renew")((ref, { leaseMillis, owner }) =>
        withinLimit(
          sql`${touched(ref)}
            UPDATE encode_parts p SET lease_until = ${now} + ${String(leaseMillis)}::bigint
            FROM touched t
            WHERE p.tenant_id = t.tenant_id AND p.video_id = t.video_id AND p.key = t.key
              AND p.owner = ${owner} AND p.files IS NULL`
        ).pipe(Effect.asVoid, unavailableWhen("renew the parts of an encode"))
      ),
      finish: Effect.fn("EncodeParts.finish")(function*(ref, part, claim, files) {
        const claims = yield* withinLimit(
          Effect.flatMap(encodeFiles(files), (json) =>
            Effect.flatMap(
              sql`${touched(ref)}
                UPDATE encode_parts p SET files = coalesce(p.files, ${json}::jsonb)
                FROM touched t
                WHERE p.tenant_id = t.tenant_id AND p.video_id = t.video_id AND p.key = t.key
                  AND p.part = ${part} AND p.claim = ${claim}
                RETURNING p.claim`,
              decodeClaims
            ))
        ).pipe(unavailableWhen("finish a part of an encode"))
        return claims.length > 0
      }),
      publishing: Effect.fn("EncodeParts.publishing")((ref, jobId, paths) =>
        withinLimit(
          Effect.flatMap(encodePaths(paths), (json) =>
            sql`UPDATE encodes SET published = ${json}::jsonb, published_by = ${jobId}, touched_at = ${now} WHERE ${named(ref)}`)
        ).pipe(Effect.asVoid, unavailableWhen("note what an encode publishes"))
      ),
      close: Effect.fn("EncodeParts.close")((ref) =>
        withinLimit(sql`DELETE FROM encodes WHERE ${named(ref)}`).pipe(Effect.asVoid, unavailableWhen("close an encode"))
      ),
      closePublished: Effect.fn("EncodeParts.closePublished")((tenantId, videoId, jobId) =>
        withinLimit(
          sql`DELETE FROM encodes e USING videos v
            WHERE e.tenant_id = ${String(tenantId)}::bigint AND e.video_id = ${String(videoId)}::bigint
              AND v.tenant_id = e.tenant_id AND v.id = e.video_id AND v.encode_job_id = ${jobId}`
        ).pipe(Effect.asVoid, unavailableWhen("close the encodes of a published video"))
      ),
      closeAll: Effect.fn("EncodeParts.closeAll")((tenantId, videoId) =>
        withinLimit(
          sql`DELETE FROM encodes
            WHERE tenant_id = ${String(tenantId)}::bigint AND video_id = ${String(videoId)}::bigint`
        ).pipe(Effect.asVoid, unavailableWhen("close the encodes of a video"))
      ),
      findLeft: Effect.fn("EncodeParts.findLeft")(({ failedIdleMillis, idleMillis, limit }) =>
        withinLimit(
          Effect.flatMap(
            sql`SELECT json_build_object(
                'tenantId', tenant_id, 'videoId', video_id, 'key', key, 'token', token, 'fate', fate, 'published', published
              ) AS record
              FROM (
                SELECT e.*, CASE
                  WHEN v.id IS NULL OR v.deleted_at IS NOT NULL THEN 'VideoGone'
                  WHEN j.status = 'DONE' AND e.published_by = j.id THEN 'Published'
                  ELSE 'Unfinished' END AS fate
                FROM encodes e
                LEFT JOIN videos v ON v.tenant_id = e.tenant_id AND v.id = e.video_id
                LEFT JOIN jobs j ON j.tenant_id = v.tenant_id AND j.id = v.encode_job_id
                WHERE v.id IS NULL OR v.deleted_at IS NOT NULL
                  OR j.status NOT IN ('PENDING', 'VALIDATING', 'RUNNING', 'RETRYING')
              ) AS left_encodes
              WHERE touched_at <= ${now} - CASE fate
                WHEN 'Unfinished' THEN ${String(failedIdleMillis)}::bigint ELSE ${String(idleMillis)}::bigint END
              ORDER BY touched_at LIMIT ${limit}`,
            decodeLeft
          )
        ).pipe(
          Effect.map((rows) => rows.map(({ record }) => record)),
          unavailableWhen("look for encodes that were left")
        )
      )
    })
  })
)
