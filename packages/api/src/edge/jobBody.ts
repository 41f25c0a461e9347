import type { JobId, StoredProgress } from "@lectern/domain"
import { freshnessOf } from "./freshness.ts"
import { pollPause } from "./pollPause.ts"
import type { ProgressBody } from "./ProgressBody.ts"
import { decodeJobStatus, type JobWireStatus } from "./StoredJobStatus.ts"
import { belongsTo, decodeProgress, type StoredProgressValue } from "./StoredProgressValue.ts"
import { unknownMessages } from "./unknownMessages.ts"

const unknownBody = (id: JobId, message: string, nextPollMillis: number): ProgressBody => ({
  known: false,
  tag: null,
  nextPollMillis,
  text: JSON.stringify({
    job_id: id,
    job_type: null,
    status: "UNKNOWN",
    progress: null,
    error_message: null,
    message,
    nextPollMs: nextPollMillis
  })
})

const ended: ReadonlySet<JobWireStatus> = new Set(
  ["DONE", "FAILED", "REJECTED_BAD_INPUT", "FALLBACK_TO_GPU", "REVIEW_REQUIRED"]
)

const wireProgress = ({ drawn, percent, step }: StoredProgressValue) => ({
  step,
  percent,
  step_index: drawn?.index ?? null,
  step_total: drawn?.total ?? null,
  step_name: drawn?.name ?? null,
  step_name_display: drawn?.display ?? null,
  step_percent: drawn?.percent ?? null
})

/** The body for a job (CONTRACT.md, section 2), whatever Redis held: `null` stands for a Redis that could not be read. */
export const jobBody = (id: JobId, stored: StoredProgress | null): ProgressBody => {
  if (stored === null) return unknownBody(id, unknownMessages.unreachable, pollPause.unreachable)
  const status = decodeJobStatus(stored.status)
  if (status === null) return unknownBody(id, unknownMessages.nothing, pollPause.unknown)
  const decoded = status.status === "RUNNING" ? decodeProgress(stored.progress) : null
  const progress = decoded !== null && belongsTo(decoded.version, status.version) ? decoded : null
  const { fields, tag } = freshnessOf({
    phase: ended.has(status.status) ? "ended" : status.status === "RUNNING" ? "moving" : "waiting",
    version: status.version,
    updatedAt: status.updatedAt,
    progress
  })
  const text = JSON.stringify({
    job_id: id,
    job_type: status.jobType,
    status: status.status,
    progress: progress === null ? null : wireProgress(progress),
    ...(ended.has(status.status) && status.result !== null ? { result: status.result } : {}),
    error_message: status.errorMessage,
    asOf: fields.asOf,
    staleAfter: fields.staleAfter,
    attempt: fields.attempt,
    revision: fields.revision,
    nextPollMs: fields.nextPollMs
  })
  return { known: true, text, tag, nextPollMillis: fields.nextPollMs }
}
