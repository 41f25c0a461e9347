import {
  applySystemCommand,
  applyWorkerCommand,
  beginSubmission,
  type Claim,
  claimJob,
  createJob,
  defaultJobPolicy,
  dropSubmission,
  EpochMillis,
  Job,
  JobId,
  JobKind,
  JobNotFound,
  type JobPolicy,
  type JobRecord,
  type JobRef,
  JobStatus,
  JobStore,
  leaseFault,
  recordSubmission,
  type SubmissionBegun,
  type SubmissionRecorded,
  successorOf,
  TenantId,
  Tier,
  Video,
  VideoId,
  VideoNotFound,
  VideoPolicy,
  type VideoRecord,
  withJob
} from "@lectern/domain"
import { commit } from "@lectern/domain/committed"
import { Effect, Layer, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { retryCollisions, unavailableWhen } from "./databaseFailure.ts"
import { insertJob } from "./insertJob.ts"
import { encodeJobRow, JobRow, mutableJobColumns } from "./JobRow.ts"
import { encodeVideoRow, mutableVideoColumns, videoColumns, VideoRow } from "./VideoRow.ts"
import { withinLimit, withTransaction } from "./withTransaction.ts"

/** Milliseconds by the database's clock, read when the row around it is: after the wait for a lock, not before. */
const clock = "floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint"
/** The same, as of the statement's start, so that an index can be searched by it. */
const statementClock = "floor(extract(epoch FROM statement_timestamp()) * 1000)::bigint"
/** Spelt as in the partial indexes, which the planner recognises by it. */
const unfinished = "status IN ('PENDING', 'VALIDATING', 'RUNNING', 'RETRYING')"

/** The same of what is over. */
const finished = "status NOT IN ('PENDING', 'VALIDATING', 'RUNNING', 'RETRYING')"

const many = <S extends Schema.Constraint>(schema: S) =>
  Schema.decodeUnknownEffect(Schema.Array(Schema.Struct({ record: schema })))

const decodeNow = many(Schema.Struct({ now: EpochMillis }))
const decodeNextId = many(Schema.Struct({ now: EpochMillis, id: VideoId }))
const decodeJobs = many(Schema.Struct({ now: EpochMillis, job: JobRow }))
const decodeVideos = many(Schema.Struct({ now: EpochMillis, video: VideoRow }))
const decodeRecords = many(Schema.Struct({ job: Schema.NullOr(JobRow), video: Schema.NullOr(VideoRow) }))
const decodePage = many(Schema.Struct({ count: Schema.Int, videos: Schema.Array(VideoRow) }))
const decodeUndispatched = many(Schema.Struct({
  tenantId: TenantId,
  jobId: JobId,
  kind: JobKind,
  tier: Tier,
  attempt: Schema.Int,
  submissions: Schema.Int,
  payload: Schema.Json,
  createdAt: EpochMillis
}))
const decodeExpired = many(Schema.Struct({ tenantId: TenantId, jobId: JobId, attempt: Schema.Int }))
const decodeDispatched = many(Schema.Struct({
  tenantId: TenantId,
  jobId: JobId,
  attempt: Schema.Int,
  status: JobStatus,
  externalId: Schema.String
}))

const toJob = (row: typeof JobRow.Type | null): Job | null => row === null ? null : new Job(row)
const toVideo = (row: typeof VideoRow.Type | null): Video | null => row === null ? null : new Video(row)

/**
 * The job store on Postgres. Rows are locked in one order, the video before its job, and are decided on by the
 * database's clock.
 *
 * A commit whose answer was lost is an error: the transition may have happened, and a worker's command said again is
 * harmless.
 */
export const layerWith = (policy: JobPolicy): Layer.Layer<JobStore, never, SqlClient> =>
  Layer.effect(
    JobStore,
    Effect.map(SqlClient, (sql) => {
      type DatabaseError = SqlError | Schema.SchemaError

      /** One transaction. `name` is what a failure says could not be done. */
      const transaction = <A, E>(
        method: string,
        name: string,
        subject: { readonly tenantId?: TenantId; readonly jobId?: JobId; readonly videoId?: VideoId },
        work: Effect.Effect<A, E | DatabaseError>
      ) =>
        retryCollisions(withTransaction(sql, work)).pipe(
          unavailableWhen(name),
          Effect.withSpan(`JobStore.${method}`, { attributes: attributesOf(subject) })
        )

      /** One statement, which is a transaction by itself. */
      const statement = <A, E>(method: string, name: string, work: Effect.Effect<A, E | DatabaseError>) =>
        withinLimit(work).pipe(unavailableWhen(name), Effect.withSpan(`JobStore.${method}`))

      const databaseNow = Effect.map(
        Effect.flatMap(sql`SELECT json_build_object('now', ${sql.literal(clock)}) AS record`, decodeNow),
        one((row) => row.now)
      )

      const lockVideoWhere = (tenantId: TenantId, id: ReturnType<typeof sql.literal>) =>
        Effect.map(
          Effect.flatMap(
            sql`SELECT json_build_object('now', ${sql.literal(clock)}, 'video', v) AS record FROM (
              SELECT * FROM videos WHERE tenant_id = ${String(tenantId)}::bigint AND id = ${id} FOR UPDATE
            ) v`,
            decodeVideos
          ),
          ([row]) => row === undefined ? null : { now: row.record.now, video: new Video(row.record.video) }
        )

      const lockVideo = (tenantId: TenantId, videoId: VideoId) =>
        Effect.flatMap(
          lockVideoWhere(tenantId, sql`${String(videoId)}::bigint`),
          (found) => found === null ? Effect.fail(new VideoNotFound({ videoId })) : Effect.succeed(found)
        )

      const lockVisibleVideo = (tenantId: TenantId, videoId: VideoId) =>
        Effect.filterOrFail(
          lockVideo(tenantId, videoId),
          ({ video }) => video.deletedAt === null,
          () => new VideoNotFound({ videoId })
        )

      const lockJobIfAny = (ref: JobRef) =>
        Effect.map(
          Effect.flatMap(
            sql`SELECT json_build_object('now', ${sql.literal(clock)}, 'job', j) AS record FROM (
              SELECT * FROM jobs WHERE tenant_id = ${String(ref.tenantId)}::bigint AND id = ${ref.jobId} FOR UPDATE
            ) j`,
            decodeJobs
          ),
          ([row]) => row === undefined ? null : { now: row.record.now, job: new Job(row.record.job) }
        )

      const lockJob = (ref: JobRef) =>
        Effect.flatMap(
          lockJobIfAny(ref),
          (found) => found === null ? Effect.fail(new JobNotFound({ jobId: ref.jobId })) : Effect.succeed(found)
        )

      /** A job's video never changes, so that it can be looked up before either is locked. */
      const lockRecord = Effect.fnUntraced(function*(ref: JobRef) {
        const video = yield* lockVideoWhere(
          ref.tenantId,
          sql`(SELECT video_id FROM jobs WHERE tenant_id = ${String(ref.tenantId)}::bigint AND id = ${ref.jobId})`
        )
        const { job, now } = yield* lockJob(ref)
        const record: JobRecord = { job, video: video?.video ?? null }
        return { record, now }
      })

      const updateJob = (job: Job) =>
        Effect.flatMap(encodeJobRow(job), (row) =>
          sql`UPDATE jobs SET (${sql.literal(mutableJobColumns)}) = (
              SELECT ${sql.literal(mutableJobColumns)} FROM json_populate_record(NULL::jobs, ${row}::json)
            ) WHERE tenant_id = ${String(job.tenantId)}::bigint AND id = ${job.id}`)

      const insertVideo = (video: Video) =>
        Effect.flatMap(encodeVideoRow(video), (row) =>
          sql`INSERT INTO videos (${sql.literal(videoColumns)})
            SELECT ${sql.literal(videoColumns)} FROM json_populate_record(NULL::videos, ${row}::json)`)

      const updateVideo = (video: Video) =>
        Effect.flatMap(encodeVideoRow(video), (row) =>
          sql`UPDATE videos SET (${sql.literal(mutableVideoColumns)}) = (
              SELECT ${sql.literal(mutableVideoColumns)} FROM json_populate_record(NULL::videos, ${row}::json)
            ) WHERE tenant_id = ${String(video.tenantId)}::bigint AND id = ${String(video.id)}::bigint`)

      const become = Effect.fnUntraced(function*(record: JobRecord, job: Job, now: EpochMillis) {
        const next = withJob(record, job, now)
        if (job === record.job) return next
        if (next.video !== null) yield* updateVideo(next.video)
        yield* updateJob(next.job)
        return next
      })

      const beginEncode = Effect.fnUntraced(function*(video: Video, jobId: JobId, now: EpochMillis) {
        const job = createJob(
          {
            tenantId: video.tenantId,
            id: jobId,
            kind: "video_encode",
            videoId: video.id,
            payload: { file_key: video.fileKey }
          },
          now
        )
        yield* insertJob(sql, job)
        yield* updateVideo(video)
        const record: JobRecord = { job, video }
        return record
      })

      return JobStore.of({
        createVideo: (tenantId, input) =>
          transaction(
            "createVideo",
            "create a video",
            { tenantId },
            Effect.gen(function*() {
              const { id, now } = yield* Effect.map(
                Effect.flatMap(
                  sql`SELECT json_build_object(
                    'now', ${sql.literal(clock)}, 'id', nextval(pg_get_serial_sequence('videos', 'id'))
                  ) AS record`,
                  decodeNextId
                ),
                one((row) => row)
              )
              const video = VideoPolicy.createVideo(tenantId, id, input, now)
              yield* insertVideo(video)
              const record: VideoRecord = { video, job: null }
              return record
            })
          ).pipe(Effect.map(commit)),

        completeUpload: (tenantId, videoId, upload) =>
          transaction(
            "completeUpload",
            `complete the upload of video ${videoId}`,
            { tenantId, videoId },
            Effect.gen(function*() {
              const { now, video } = yield* lockVisibleVideo(tenantId, videoId)
              const uploaded = yield* Effect.fromResult(VideoPolicy.completeUpload(video, upload, now))
              return yield* beginEncode(uploaded, upload.jobId, now)
            })
          ).pipe(Effect.map(commit)),

        retryEncode: (tenantId, videoId, jobId) =>
          transaction(
            "retryEncode",
            `retry the encode of video ${videoId}`,
            { tenantId, videoId },
            Effect.gen(function*() {
              const { now, video } = yield* lockVisibleVideo(tenantId, videoId)
              const waiting = yield* Effect.fromResult(VideoPolicy.retryEncode(video, jobId, now))
              return yield* beginEncode(waiting, jobId, now)
            })
          ).pipe(Effect.map(commit)),

        beginDelete: (tenantId, videoId) =>
          transaction(
            "beginDelete",
            `delete video ${videoId}`,
            { tenantId, videoId },
            Effect.gen(function*() {
              const { now, video } = yield* lockVideo(tenantId, videoId)
              const encode = video.encodeJobId === null
                ? null
                : yield* lockJobIfAny({ tenantId, jobId: video.encodeJobId })
              const job = encode === null ? null : encode.job
              const unchanged: VideoRecord = { video, job }
              if (video.deletedAt !== null) return unchanged
              const cancelled = job === null
                ? null
                : applySystemCommand(job, { _tag: "Cancel", message: "삭제된 영상입니다" }, now, policy)
              const hidden = VideoPolicy.beginDelete(video, now)
              yield* updateVideo(hidden)
              if (cancelled !== null) yield* updateJob(cancelled)
              const record: VideoRecord = { video: hidden, job: cancelled ?? job }
              return record
            })
          ).pipe(Effect.map(commit)),

        finishDelete: (tenantId, videoId) =>
          transaction(
            "finishDelete",
            `finish the deletion of video ${videoId}`,
            { tenantId, videoId },
            Effect.gen(function*() {
              const found = yield* lockVideoWhere(tenantId, sql`${String(videoId)}::bigint`)
              if (found === null || found.video.deletedAt === null) return
              yield* sql`DELETE FROM jobs
                WHERE tenant_id = ${String(tenantId)}::bigint AND video_id = ${String(videoId)}::bigint`
              yield* sql`DELETE FROM videos
                WHERE tenant_id = ${String(tenantId)}::bigint AND id = ${String(videoId)}::bigint`
            })
          ),

        createJob: (tenantId, input) =>
          transaction(
            "createJob",
            `create job "${input.id}"`,
            { tenantId, jobId: input.id },
            Effect.gen(function*() {
              const job = createJob({ ...input, tenantId, videoId: null }, yield* databaseNow)
              yield* insertJob(sql, job)
              const record: JobRecord = { job, video: null }
              return record
            })
          ).pipe(Effect.map(commit)),

        claim: (tenantId, jobId, request) =>
          transaction(
            "claim",
            `claim job "${jobId}"`,
            { tenantId, jobId },
            Effect.gen(function*() {
              const { now, record } = yield* lockRecord({ tenantId, jobId })
              const decision = claimJob(record.job, request, now, policy)
              return "job" in decision
                ? { decision, record: yield* become(record, decision.job, now) }
                : { decision, record }
            })
          ).pipe(Effect.map(({ decision, record }): Claim => {
            switch (decision._tag) {
              case "Claimed":
                return { _tag: "Claimed", lease: decision.lease, receipt: commit(record) }
              case "GaveUp":
                return { _tag: "GaveUp", receipt: commit(record) }
              case "Expired":
                return { _tag: "Expired", until: decision.until, receipt: commit(record) }
              case "Busy":
              case "NotDue":
              case "Finished":
                return decision
            }
          })),

        transition: (lease, command) =>
          transaction(
            "transition",
            `record "${command._tag}" for job "${lease.jobId}"`,
            lease,
            Effect.gen(function*() {
              const { now, record } = yield* lockRecord(lease)
              const job = yield* Effect.fromResult(applyWorkerCommand(record.job, lease, command, now, policy))
              const next = yield* become(record, job, now)
              const successor = job === record.job ? null : successorOf(job, command, now)
              if (successor === null) return next
              yield* insertJob(sql, successor)
              return { ...next, successor }
            })
          ).pipe(Effect.map(commit)),

        heartbeat: (lease, leaseMillis) =>
          transaction(
            "heartbeat",
            `renew the lease of job "${lease.jobId}"`,
            lease,
            Effect.gen(function*() {
              const { job, now } = yield* lockJob(lease)
              const fault = leaseFault(job, lease)
              if (fault !== null) return yield* fault
              yield* sql`UPDATE jobs SET lease_until = ${String(now + leaseMillis)}::bigint
                WHERE tenant_id = ${String(job.tenantId)}::bigint AND id = ${job.id}`
            })
          ),

        intervene: (ref, command) =>
          transaction(
            "intervene",
            `${command._tag.toLowerCase()} job "${ref.jobId}"`,
            ref,
            Effect.gen(function*() {
              const { now, record } = yield* lockRecord(ref)
              const job = applySystemCommand(record.job, command, now, policy)
              return job === null ? null : yield* become(record, job, now)
            })
          ).pipe(Effect.map((record) => record === null ? null : commit(record))),

        beginSubmission: (ref, seen, findableAfterMillis) =>
          transaction(
            "beginSubmission",
            `begin to submit job "${ref.jobId}"`,
            ref,
            Effect.gen(function*() {
              const found = yield* lockJobIfAny(ref)
              if (found === null) return { _tag: "MovedOn" } satisfies SubmissionBegun
              const { begun, job } = beginSubmission(found.job, seen, findableAfterMillis, found.now)
              if (job !== found.job) yield* updateJob(job)
              return begun
            })
          ),

        recordSubmission: (ref, submission, runId) =>
          transaction(
            "recordSubmission",
            `note the run of job "${ref.jobId}"`,
            ref,
            Effect.gen(function*() {
              const found = yield* lockJobIfAny(ref)
              if (found === null) return "Superseded" satisfies SubmissionRecorded
              const { job, recorded } = recordSubmission(found.job, submission, runId, found.now)
              if (job !== found.job) yield* updateJob(job)
              return recorded
            })
          ),

        dropSubmission: (ref, submission) =>
          transaction(
            "dropSubmission",
            `note that job "${ref.jobId}" was not submitted`,
            ref,
            Effect.gen(function*() {
              const found = yield* lockJobIfAny(ref)
              if (found === null) return
              const job = dropSubmission(found.job, submission)
              if (job !== found.job) yield* updateJob(job)
            })
          ),

        markDispatched: (ref, attempt, externalId) =>
          statement(
            "markDispatched",
            `note that job "${ref.jobId}" was handed over`,
            // A run may have claimed the job before its submitter came to note the run's id, but not ended the attempt.
            Effect.asVoid(sql`UPDATE jobs SET dispatched_at = ${sql.literal(clock)}, external_id = ${externalId}
              WHERE tenant_id = ${String(ref.tenantId)}::bigint AND id = ${ref.jobId}
                AND attempt = ${String(attempt)}::integer
                  + CASE WHEN status IN ('VALIDATING', 'RUNNING') THEN 1 ELSE 0 END
                AND submitting_since IS NULL AND ${sql.literal(unfinished)}`)
          ),

        getVideo: (tenantId, videoId) =>
          statement(
            "getVideo",
            `read video ${videoId}`,
            Effect.flatMap(
              Effect.flatMap(
                sql`SELECT json_build_object('video', v, 'job', j) AS record
                  FROM videos v LEFT JOIN jobs j ON j.tenant_id = v.tenant_id AND j.id = v.encode_job_id
                  WHERE v.tenant_id = ${String(tenantId)}::bigint AND v.id = ${String(videoId)}::bigint
                    AND v.deleted_at IS NULL`,
                decodeRecords
              ),
              ([row]): Effect.Effect<VideoRecord, VideoNotFound> => {
                const video = toVideo(row?.record.video ?? null)
                return video === null
                  ? Effect.fail(new VideoNotFound({ videoId }))
                  : Effect.succeed({ video, job: toJob(row?.record.job ?? null) })
              }
            )
          ),

        listVideos: (tenantId, query) =>
          statement(
            "listVideos",
            "list videos",
            Effect.gen(function*() {
              // Compared as a substring, not as a pattern: % and _ stand for themselves.
              const wanted = sql`tenant_id = ${String(tenantId)}::bigint AND deleted_at IS NULL
                AND strpos(lower(title), lower(${query.search ?? ""}::text)) > 0`
              const rows = yield* sql`SELECT json_build_object(
                'count', (SELECT count(*) FROM videos WHERE ${wanted}),
                'videos', (
                  SELECT coalesce(json_agg(page), '[]'::json) FROM (
                    SELECT * FROM videos WHERE ${wanted}
                    ORDER BY id DESC LIMIT ${String(query.limit)}::bigint OFFSET ${String(query.offset)}::bigint
                  ) page
                )
              ) AS record`
              return one((page: { readonly count: number; readonly videos: ReadonlyArray<typeof VideoRow.Type> }) => ({
                count: page.count,
                videos: page.videos.map((row) => new Video(row))
              }))(yield* decodePage(rows))
            })
          ),

        getJob: (tenantId, jobId) =>
          statement(
            "getJob",
            `read job "${jobId}"`,
            Effect.flatMap(
              Effect.flatMap(
                sql`SELECT json_build_object('video', v, 'job', j) AS record
                  FROM jobs j LEFT JOIN videos v ON v.tenant_id = j.tenant_id AND v.id = j.video_id
                  WHERE j.tenant_id = ${String(tenantId)}::bigint AND j.id = ${jobId}`,
                decodeRecords
              ),
              ([row]): Effect.Effect<JobRecord, JobNotFound> => {
                const job = toJob(row?.record.job ?? null)
                return job === null
                  ? Effect.fail(new JobNotFound({ jobId }))
                  : Effect.succeed({ job, video: toVideo(row?.record.video ?? null) })
              }
            )
          ),

        findUndispatched: ({ limit, olderThanMillis }) =>
          statement(
            "findUndispatched",
            "find the jobs that wait to be handed over",
            Effect.map(
              Effect.flatMap(
                sql`SELECT json_build_object(
                    'tenantId', tenant_id, 'jobId', id, 'kind', kind, 'tier', tier, 'attempt', attempt,
                    'submissions', submissions, 'payload', payload, 'createdAt', created_at
                  ) AS record
                  FROM jobs
                  WHERE status IN ('PENDING', 'RETRYING') AND run_after <= ${sql.literal(statementClock)}
                    AND (dispatched_at IS NULL OR (kind <> 'video_encode'
                      AND dispatched_at <= ${sql.literal(statementClock)} - ${String(olderThanMillis)}::bigint))
                  ORDER BY created_at LIMIT ${String(limit)}::bigint`,
                decodeUndispatched
              ),
              records
            )
          ),

        findExpired: (limit) =>
          statement(
            "findExpired",
            "find the jobs whose lease has ended",
            Effect.map(
              Effect.flatMap(
                sql`SELECT json_build_object('tenantId', tenant_id, 'jobId', id, 'attempt', attempt) AS record
                  FROM jobs
                  WHERE status IN ('VALIDATING', 'RUNNING') AND lease_until <= ${sql.literal(statementClock)}
                  ORDER BY lease_until LIMIT ${String(limit)}::bigint`,
                decodeExpired
              ),
              records
            )
          ),

        findDispatchedEncodes: (limit) =>
          statement(
            "findDispatchedEncodes",
            "find the encodes that were handed over",
            Effect.map(
              Effect.flatMap(
                sql`SELECT json_build_object(
                    'tenantId', tenant_id, 'jobId', id, 'attempt', attempt, 'status', status, 'externalId', external_id
                  ) AS record
                  FROM jobs
                  WHERE kind = 'video_encode' AND external_id IS NOT NULL AND ${sql.literal(unfinished)}
                  ORDER BY dispatched_at LIMIT ${String(limit)}::bigint`,
                decodeDispatched
              ),
              records
            )
          ),

        findGivenUp: (limit) =>
          statement(
            "findGivenUp",
            "find the jobs that were given up",
            Effect.map(
              Effect.flatMap(
                sql`SELECT json_build_object('now', 0, 'job', j) AS record
                  FROM jobs j
                  WHERE j.status = 'FAILED' AND j.${sql.literal(finished)}
                    AND (j.video_id IS NULL OR EXISTS (
                      SELECT FROM videos v
                      WHERE v.tenant_id = j.tenant_id AND v.id = j.video_id AND v.encode_job_id = j.id
                        AND v.deleted_at IS NULL
                    ))
                  ORDER BY j.updated_at DESC LIMIT ${String(limit)}::bigint`,
                decodeJobs
              ),
              (rows) => records(rows).map(({ job }) => new Job(job))
            )
          ),

        findDeleting: (limit) =>
          statement(
            "findDeleting",
            "find the videos whose deletion has begun",
            Effect.map(
              Effect.flatMap(
                sql`SELECT json_build_object('video', v, 'job', j) AS record
                  FROM videos v LEFT JOIN jobs j ON j.tenant_id = v.tenant_id AND j.id = v.encode_job_id
                  WHERE v.deleted_at IS NOT NULL
                  ORDER BY v.deleted_at LIMIT ${String(limit)}::bigint`,
                decodeRecords
              ),
              (rows) => records(rows).flatMap(videoRecord)
            )
          ),

        findLive: ({ changedSince, limit }) =>
          statement(
            "findLive",
            "find what may be watched",
            Effect.map(
              Effect.flatMap(
                sql`WITH live AS (
                    SELECT * FROM jobs WHERE ${sql.literal(unfinished)}
                    UNION ALL
                    SELECT * FROM jobs
                    WHERE status NOT IN ('PENDING', 'VALIDATING', 'RUNNING', 'RETRYING')
                      AND updated_at >= ${String(changedSince)}::bigint
                  ), changed AS (
                    SELECT * FROM videos WHERE status = 'PENDING'
                    UNION ALL
                    SELECT * FROM videos WHERE status <> 'PENDING' AND updated_at >= ${String(changedSince)}::bigint
                  )
                  SELECT record FROM (
                    SELECT 1 AS turn, j.updated_at, json_build_object('job', j, 'video', v) AS record
                    FROM live j
                    LEFT JOIN videos v ON v.tenant_id = j.tenant_id AND v.id = j.video_id AND v.encode_job_id = j.id
                    UNION ALL
                    SELECT 2 AS turn, v.updated_at, json_build_object('job', NULL, 'video', v) AS record
                    FROM changed v
                    WHERE NOT EXISTS (SELECT FROM live j WHERE j.tenant_id = v.tenant_id AND j.id = v.encode_job_id)
                  ) watched
                  ORDER BY turn, updated_at DESC LIMIT ${String(limit)}::bigint`,
                decodeRecords
              ),
              (rows) =>
                records(rows).flatMap((record): ReadonlyArray<JobRecord | VideoRecord> => {
                  const job = toJob(record.job)
                  return job === null ? videoRecord(record) : [{ job, video: toVideo(record.video) }]
                }).map((record) => commit(record))
            )
          ),

        ping: statement(
          "ping",
          "write to the database",
          Effect.asVoid(sql`INSERT INTO readiness (checked_at) VALUES (${sql.literal(clock)})
            ON CONFLICT (is_only_row) DO UPDATE SET checked_at = excluded.checked_at`)
        )
      })
    })
  )

export const layer: Layer.Layer<JobStore, never, SqlClient> = layerWith(defaultJobPolicy)

const attributesOf = (subject: {
  readonly tenantId?: TenantId
  readonly jobId?: JobId
  readonly videoId?: VideoId
}): Record<string, unknown> => ({ tenant: subject.tenantId, job: subject.jobId, video: subject.videoId })

const records = <A>(rows: ReadonlyArray<{ readonly record: A }>): ReadonlyArray<A> => rows.map(({ record }) => record)

const videoRecord = (record: {
  readonly job: typeof JobRow.Type | null
  readonly video: typeof VideoRow.Type | null
}): ReadonlyArray<VideoRecord> => {
  const video = toVideo(record.video)
  return video === null ? [] : [{ video, job: toJob(record.job) }]
}

/** For a statement that answers with one row whatever the tables hold. */
const one = <A, B>(f: (record: A) => B) => (rows: ReadonlyArray<{ readonly record: A }>): B => {
  const [row] = rows
  if (row === undefined) throw new Error("A statement without a table answered with no row")
  return f(row.record)
}
