import { Job } from "@lectern/domain"
import { Schema } from "effect"

const columns = {
  tenantId: "tenant_id",
  videoId: "video_id",
  leaseOwner: "lease_owner",
  leaseUntil: "lease_until",
  runAfter: "run_after",
  dispatchedAt: "dispatched_at",
  externalId: "external_id",
  submittingSince: "submitting_since",
  unclaimedRuns: "unclaimed_runs",
  errorCode: "error_code",
  errorMessage: "error_message",
  createdAt: "created_at",
  updatedAt: "updated_at"
} as const

/**
 * A row of `jobs` as JSON. Rows travel as JSON in both directions, because the drivers differ in what they make of a
 * `bigint`: a number, a string or a BigInt.
 */
export const JobRow = Schema.Struct(Job.fields).pipe(Schema.encodeKeys(columns))

const names: Readonly<Record<string, string>> = columns

/**
 * The columns that a job has, and of these the ones that change. Named one by one, so that a newer program may add
 * others.
 */
const all = Object.keys(Job.fields).map((field) => names[field] ?? field)
export const jobColumns = all.join(", ")
export const mutableJobColumns = all.filter((column) => column !== "tenant_id" && column !== "id").join(", ")

/** A job as one parameter, for `json_populate_record(NULL::jobs, $1)`. */
export const encodeJobRow = Schema.encodeEffect(Schema.fromJsonString(JobRow))
