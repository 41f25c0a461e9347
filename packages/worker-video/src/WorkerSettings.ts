import {
  type BadConfiguration,
  logVariables,
  readEnvironment,
  type S3Settings,
  s3Settings,
  serviceContradictions,
  serviceVariables
} from "@lectern/adapters/environment"
import { type JobRef, JobId, TenantId } from "@lectern/domain"
import { Effect, Option, Redacted, Schema } from "effect"

/** What Batch, or the parent process in its place, tells a run. CONTRACT.md, section 7. */
const workerVariables = {
  ...serviceVariables,
  ...logVariables,
  VIDEO_JOB_ID: JobId,
  VIDEO_TENANT_ID: Schema.NumberFromString.pipe(Schema.decodeTo(TenantId)),
  AWS_BATCH_JOB_ID: Schema.optionalKey(Schema.NonEmptyString),
  AWS_BATCH_JOB_ARRAY_INDEX: Schema.optionalKey(
    Schema.NumberFromString.check(Schema.isInt(), Schema.isGreaterThanOrEqualTo(0))
  ),
  LECTERN_WORK_DIR: Schema.optionalKey(Schema.NonEmptyString),
  LECTERN_OBJECTS_DIR: Schema.optionalKey(Schema.NonEmptyString),
  LECTERN_LEASE_SECONDS: Schema.optionalKey(
    Schema.NumberFromString.check(Schema.isInt(), Schema.isBetween({ minimum: 10, maximum: 3_600 }))
  )
}

export interface WorkerSettings {
  readonly job: JobRef
  /**
   * The runtime's id of this run, where it has told us. The run holds its job under this name: that is how the sweep knows
   * that a job's holder has ended, without waiting for its lease.
   */
  readonly runId: string | null
  /** Which container of an array job this is, from 0; `null` in a job that is no array. */
  readonly arrayIndex: number | null
  /** The parent's, over its channel, where it is `Parent`. */
  readonly database: { readonly _tag: "Url"; readonly url: Redacted.Redacted<string> } | { readonly _tag: "Parent" }
  /** `null`: the parent's, if there is a parent; else none, which hurts nobody. */
  readonly redis: Redacted.Redacted<string> | null
  readonly objects:
    | { readonly _tag: "Bucket"; readonly s3: S3Settings; readonly pathStyle: boolean }
    | { readonly _tag: "Folder"; readonly root: string }
  /** Where the run may make its work directory; `null` for the machine's own place for such. */
  readonly workRoot: string | null
  /** How long others leave the job alone without a heartbeat. */
  readonly leaseMillis: number
}

const defaultLeaseSeconds = 60

/** Everything that a run needs to know, or every reason why it cannot. */
export const readWorkerSettings = Effect.fnUntraced(function*(
  variables: Readonly<Record<string, string | undefined>>,
  hasParent: boolean
): Effect.fn.Return<WorkerSettings, BadConfiguration> {
  const found = yield* readEnvironment(workerVariables, variables, (isSet) => [
    ...serviceContradictions(isSet),
    ...(isSet("DATABASE_URL") || hasParent ? [] : ["DATABASE_URL: needed where no parent process lends its own"]),
    ...(["R2_ENDPOINT", "S3_ENDPOINT", "LECTERN_OBJECTS_DIR"].some(isSet)
      ? []
      : ["R2_ENDPOINT, S3_ENDPOINT or LECTERN_OBJECTS_DIR: one of them is needed"])
  ])
  const s3 = s3Settings(found)
  return {
    job: { tenantId: found.VIDEO_TENANT_ID, jobId: found.VIDEO_JOB_ID },
    // The id of a child is that of its array, a colon, and its index; the sweep knows the array.
    runId: found.AWS_BATCH_JOB_ID?.replace(/:\d+$/, "") ?? null,
    arrayIndex: found.AWS_BATCH_JOB_ARRAY_INDEX ?? null,
    database: found.DATABASE_URL === undefined
      ? { _tag: "Parent" }
      : { _tag: "Url", url: Redacted.make(found.DATABASE_URL) },
    redis: found.REDIS_URL === undefined ? null : Redacted.make(found.REDIS_URL),
    objects: Option.match(s3, {
      onSome: (settings) => ({ _tag: "Bucket", s3: settings, pathStyle: found.R2_ENDPOINT === undefined }),
      onNone: () => ({ _tag: "Folder", root: found.LECTERN_OBJECTS_DIR ?? "" })
    }),
    workRoot: found.LECTERN_WORK_DIR ?? null,
    leaseMillis: (found.LECTERN_LEASE_SECONDS ?? defaultLeaseSeconds) * 1000
  }
})
