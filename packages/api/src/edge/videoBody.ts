import type { StoredProgress, VideoId } from "@lectern/domain"
import { freshnessOf } from "./freshness.ts"
import { pollPause } from "./pollPause.ts"
import type { ProgressBody } from "./ProgressBody.ts"
import { belongsTo, decodeProgress } from "./StoredProgressValue.ts"
import { decodeVideoStatus } from "./StoredVideoStatus.ts"
import { unknownMessages } from "./unknownMessages.ts"

const unknownBody = (id: VideoId, message: string, nextPollMillis: number): ProgressBody => ({
  known: false,
  tag: null,
  nextPollMillis,
  text: JSON.stringify({
    id,
    status: "UNKNOWN",
    state: "UNKNOWN",
    progress: 0,
    encoding_progress: null,
    encoding_remaining_seconds: null,
    encoding_step_index: null,
    encoding_step_total: null,
    encoding_step_name: null,
    encoding_step_percent: null,
    hls_path: null,
    duration: null,
    error_reason: null,
    message,
    nextPollMs: nextPollMillis
  })
})

/** The body for a video (CONTRACT.md, section 2), whatever Redis held: `null` stands for a Redis that could not be read. */
export const videoBody = (id: VideoId, stored: StoredProgress | null): ProgressBody => {
  if (stored === null) return unknownBody(id, unknownMessages.unreachable, pollPause.unreachable)
  const status = decodeVideoStatus(stored.status)
  if (status === null) return unknownBody(id, unknownMessages.nothing, pollPause.unknown)
  const decoded = status.status === "PROCESSING" ? decodeProgress(stored.progress) : null
  const progress = decoded !== null && belongsTo(decoded.version, status.version) ? decoded : null
  const drawn = progress?.drawn ?? null
  const ended = status.status === "READY" || status.status === "FAILED"
  const { fields, tag } = freshnessOf({
    phase: ended ? "ended" : status.status === "PROCESSING" ? "moving" : "waiting",
    version: status.version,
    updatedAt: status.updatedAt,
    progress
  })
  const text = JSON.stringify({
    id,
    status: status.status,
    state: status.status,
    progress: progress?.percent ?? 0,
    encoding_progress: progress?.percent ?? null,
    encoding_remaining_seconds: progress?.remainingSeconds ?? null,
    encoding_step_index: drawn?.index ?? null,
    encoding_step_total: drawn?.total ?? null,
    encoding_step_name: drawn?.display ?? null,
    encoding_step_percent: drawn?.percent ?? null,
    hls_path: ended ? status.hlsPath : null,
    duration: ended ? status.duration : null,
    error_reason: status.status === "FAILED" ? status.errorReason : null,
    asOf: fields.asOf,
    staleAfter: fields.staleAfter,
    attempt: fields.attempt,
    revision: fields.revision,
    nextPollMs: fields.nextPollMs
  })
  return { known: true, text, tag, nextPollMillis: fields.nextPollMs }
}
