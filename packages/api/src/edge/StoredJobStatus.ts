import { integerOf, objectOf, parseStored, type StoredObject, type StoredVersion, textOf, versionOf } from "./storedJson.ts"

const statuses = [
  "PENDING",
  "VALIDATING",
  "RUNNING",
  "RETRYING",
  "DONE",
  "FAILED",
  "REJECTED_BAD_INPUT",
  "FALLBACK_TO_GPU",
  "REVIEW_REQUIRED"
] as const
export type JobWireStatus = typeof statuses[number]

/** A field of the wrong type counts as absent; a status that no client knows makes the whole value none. */
export interface StoredJobStatus {
  readonly status: JobWireStatus
  readonly jobType: string | null
  readonly errorMessage: string | null
  readonly result: StoredObject | null
  /** Milliseconds since 1970. */
  readonly updatedAt: number | null
  readonly version: StoredVersion | null
}

const known: ReadonlyMap<unknown, JobWireStatus> = new Map(statuses.map((status) => [status, status]))

export const decodeJobStatus = (text: string | null): StoredJobStatus | null => {
  const value = parseStored(text)
  if (value === null) return null
  const status = known.get(value["status"])
  if (status === undefined) return null
  return {
    status,
    jobType: textOf(value["job_type"]),
    errorMessage: textOf(value["error_message"]),
    result: objectOf(value["result"]),
    updatedAt: integerOf(value["updated_at"]),
    version: versionOf(value)
  }
}
