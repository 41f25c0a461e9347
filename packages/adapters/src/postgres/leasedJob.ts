import { EpochMillis, Job, JobNotFound, type JobRef, type Lease, leaseFault, type LeaseLost } from "@lectern/domain"
import { Effect, Schema } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { JobRow } from "./JobRow.ts"

const decodeJob = Schema.decodeUnknownEffect(
  Schema.Array(Schema.Struct({ record: Schema.Struct({ now: EpochMillis, job: JobRow }) }))
)

/** Locks a job's row until the transaction ends, and reads the database's clock after the wait for it. */
export const lockedJob = (
  sql: SqlClient,
  ref: JobRef
): Effect.Effect<{ readonly now: EpochMillis; readonly job: Job }, JobNotFound | SqlError | Schema.SchemaError> =>
  Effect.gen(function*() {
    const [found] = yield* decodeJob(
      yield* sql`SELECT json_build_object(
          'now', floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint, 'job', j
        ) AS record FROM (
          SELECT * FROM jobs WHERE tenant_id = ${String(ref.tenantId)}::bigint AND id = ${ref.jobId} FOR UPDATE
        ) j`
    )
    if (found === undefined) return yield* new JobNotFound({ jobId: ref.jobId })
    return { now: found.record.now, job: new Job(found.record.job) }
  })

/** The same for the holder of a lease: what follows in the transaction happens under it, or not at all. */
export const leasedJob = (
  sql: SqlClient,
  lease: Lease
): Effect.Effect<
  { readonly now: EpochMillis; readonly job: Job },
  LeaseLost | JobNotFound | SqlError | Schema.SchemaError
> =>
  Effect.flatMap(lockedJob(sql, lease), (found) => {
    const fault = leaseFault(found.job, lease)
    return fault === null ? Effect.succeed(found) : Effect.fail(fault)
  })
