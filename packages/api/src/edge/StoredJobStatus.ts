import { objectOf, textOf } from "./storedJson.ts"
import { storedStatusDecoder } from "./StoredStatus.ts"

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

export const decodeJobStatus = storedStatusDecoder(statuses, (value) => ({
  jobType: textOf(value["job_type"]),
  errorMessage: textOf(value["error_message"]),
  result: objectOf(value["result"])
}))
