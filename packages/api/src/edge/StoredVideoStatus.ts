import { integerOf, parseStored, type StoredVersion, textOf, versionOf } from "./storedJson.ts"

const statuses = ["PENDING", "UPLOADED", "PROCESSING", "READY", "FAILED"] as const
export type VideoWireStatus = typeof statuses[number]

/** A field of the wrong type counts as absent; a status that no client knows makes the whole value none. */
export interface StoredVideoStatus {
  readonly status: VideoWireStatus
  readonly hlsPath: string | null
  /** Seconds. */
  readonly duration: number | null
  readonly errorReason: string | null
  /** Milliseconds since 1970. */
  readonly updatedAt: number | null
  readonly version: StoredVersion | null
}

const known: ReadonlyMap<unknown, VideoWireStatus> = new Map(statuses.map((status) => [status, status]))

export const decodeVideoStatus = (text: string | null): StoredVideoStatus | null => {
  const value = parseStored(text)
  if (value === null) return null
  const status = known.get(value["status"])
  if (status === undefined) return null
  return {
    status,
    hlsPath: textOf(value["hls_path"]),
    duration: integerOf(value["duration"]),
    errorReason: textOf(value["error_reason"]),
    updatedAt: integerOf(value["updated_at"]),
    version: versionOf(value)
  }
}
