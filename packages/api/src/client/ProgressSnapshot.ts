import type { Subject } from "./Subject.ts"

/** `running` for every status that is no end, known or not. */
export type ProgressOutcome = "running" | "succeeded" | "failed"

/** Shown as `[7/7] 업로드`. */
export interface ProgressStep {
  /** From 1. */
  readonly index: number
  readonly total: number
  readonly name: string
  /** 0..100 of the step. */
  readonly percent: number
}

/** How far a subject is. Never changed: a new one takes its place. */
export interface ProgressSnapshot {
  readonly subject: Subject
  /** As the server said it (CONTRACT.md, section 2). */
  readonly status: string
  readonly outcome: ProgressOutcome
  /** 0..100; `null` while nobody knows. Never less than before within an attempt; after a failure, how far it came. */
  readonly percent: number | null
  readonly step: ProgressStep | null
  /** Whole seconds. */
  readonly remainingSeconds: number | null
  /** Why it failed, where it did and where that is known. */
  readonly error: string | null
  /** What a job left, at its end. */
  readonly result: unknown
  /** Of a video, at its end. */
  readonly hlsPath: string | null
  /** Of a video, at its end; whole seconds. */
  readonly duration: number | null
  readonly attempt: number | null
  readonly revision: number | null
  /** The whole answer, for fields that this client does not know. */
  readonly body: unknown
}

type Fields = Readonly<Record<string, unknown>>

const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value)

/** The fields of an object; none of anything else. */
export const fieldsOf = (value: unknown): Fields => isFields(value) ? value : {}

export const textOf = (value: unknown): string | null => typeof value === "string" && value !== "" ? value : null

export const numberOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isFinite(value) ? value : null

const clamp = (value: unknown, from: number, to: number): number | null => {
  const number = numberOf(value)
  return number === null ? null : Math.min(Math.max(Math.trunc(number), from), to)
}

/** What is at work, by its names: of a video with a prefix beside its status, of a job in an object of its own. */
type Work = (name: string) => unknown

/** A step is drawn only if all four have the right type. */
const stepOf = (work: Work): ProgressStep | null => {
  const index = numberOf(work("step_index"))
  const total = numberOf(work("step_total"))
  const name = textOf(work("step_name_display") ?? work("step_name"))
  const percent = numberOf(work("step_percent"))
  return index === null || total === null || name === null || percent === null ? null : { index, total, name, percent }
}

/** The bar of an uploaded video that nobody works on yet: what the first poller shows. */
const uploadedPercent = 10

/** `FALLBACK_TO_GPU` among them: the retry on a GPU is a job of its own, which the result names. */
const failures = ["FAILED", "REJECTED_BAD_INPUT", "FALLBACK_TO_GPU", "REVIEW_REQUIRED"]

const outcomeOf = (status: string, done: string, error: string | null): ProgressOutcome =>
  failures.includes(status) || (status === done && error !== null)
    ? "failed"
    : status === done
    ? "succeeded"
    : "running"

/** What an answer of the progress endpoint or of the detail says; `null` for one that is none. */
export const readSnapshot = (subject: Subject, body: unknown): ProgressSnapshot | null => {
  const fields = fieldsOf(body)
  const status = textOf(fields["status"])
  if (status === null) return null
  const isVideo = "video" in subject
  const error = textOf(fields[isVideo ? "error_reason" : "error_message"])
  const outcome = outcomeOf(status, isVideo ? "READY" : "DONE", error)
  const progress = fieldsOf(fields["progress"])
  const work: Work = isVideo ? (name) => fields[`encoding_${name}`] : (name) => progress[name]
  const percent = outcome === "succeeded"
    ? 100
    : outcome === "failed"
    ? null
    : status === "UPLOADED"
    ? uploadedPercent
    : isVideo
    ? clamp(work("progress"), 1, 99)
    : clamp(work("percent"), 0, 100)
  return {
    subject,
    status,
    outcome,
    percent,
    step: stepOf(work),
    remainingSeconds: numberOf(work("remaining_seconds")),
    error: outcome === "failed" ? error : null,
    result: fields["result"] ?? null,
    hlsPath: textOf(fields["hls_path"]),
    duration: numberOf(fields["duration"]),
    attempt: numberOf(fields["attempt"]),
    revision: numberOf(fields["revision"]),
    body
  }
}
