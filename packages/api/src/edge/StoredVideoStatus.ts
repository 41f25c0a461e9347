import { integerOf, textOf } from "./storedJson.ts"
import { storedStatusDecoder } from "./StoredStatus.ts"

const statuses = ["PENDING", "UPLOADED", "PROCESSING", "READY", "FAILED"] as const

export const decodeVideoStatus = storedStatusDecoder(statuses, (value) => ({
  hlsPath: textOf(value["hls_path"]),
  /** Seconds. */
  duration: integerOf(value["duration"]),
  errorReason: textOf(value["error_reason"])
}))
