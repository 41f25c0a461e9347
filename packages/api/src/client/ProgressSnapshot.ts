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

const clamp = (value: number | null, from: number, to: number): number | null =>
  value === null ? null : Math.min(Math.max(Math.trunc(value), from), to)

/** A step is drawn only if all four have the right type. */
const stepOf = (index: unknown, total: unknown, name: unknown, percent: unknown): ProgressStep | null => {
  const step = { index: numberOf(index), total: numberOf(total), name: textOf(name), percent: numberOf(percent) }
  return step.index === null || step.total === null || step.name === null || step.percent === null
    ? null
    : { index: step.index, total: step.total, name: step.name, percent: step.percent }
}

/** The bar of an uploaded video that nobody works on yet: what the first poller shows. */
const uploadedPercent = 10

type Shown = Pick<
  ProgressSnapshot,
  "outcome" | "percent" | "step" | "remainingSeconds" | "error" | "result" | "hlsPath" | "duration"
>

const videoShown = (status: string, body: Fields): Shown => {
  const outcome = status === "READY" ? "succeeded" : status === "FAILED" ? "failed" : "running"
  return {
    outcome,
    percent: outcome === "succeeded"
      ? 100
      : status === "UPLOADED"
      ? uploadedPercent
      : outcome === "failed"
      ? null
      : clamp(numberOf(body["encoding_progress"]), 1, 99),
    step: stepOf(
      body["encoding_step_index"],
      body["encoding_step_total"],
      body["encoding_step_name"],
      body["encoding_step_percent"]
    ),
    remainingSeconds: numberOf(body["encoding_remaining_seconds"]),
    error: outcome === "failed" ? textOf(body["error_reason"]) : null,
    result: null,
    hlsPath: textOf(body["hls_path"]),
    duration: numberOf(body["duration"])
  }
}

/** `FALLBACK_TO_GPU` among them: the retry on a GPU is a job of its own, which the result names. */
const failedJobs: ReadonlySet<string> = new Set(["FAILED", "REJECTED_BAD_INPUT", "FALLBACK_TO_GPU", "REVIEW_REQUIRED"])

const jobShown = (status: string, body: Fields): Shown => {
  const error = textOf(body["error_message"])
  const failed = failedJobs.has(status) || (status === "DONE" && error !== null)
  const outcome = failed ? "failed" : status === "DONE" ? "succeeded" : "running"
  const progress = fieldsOf(body["progress"])
  return {
    outcome,
    percent: outcome === "succeeded" ? 100 : failed ? null : clamp(numberOf(progress["percent"]), 0, 100),
    step: stepOf(
      progress["step_index"],
      progress["step_total"],
      progress["step_name_display"] ?? progress["step_name"],
      progress["step_percent"]
    ),
    remainingSeconds: numberOf(progress["remaining_seconds"]),
    error: failed ? error : null,
    result: body["result"] ?? null,
    hlsPath: null,
    duration: null
  }
}

/** What an answer of the progress endpoint or of the detail says; `null` for one that is none. */
export const readSnapshot = (subject: Subject, body: unknown): ProgressSnapshot | null => {
  const fields = fieldsOf(body)
  const status = textOf(fields["status"])
  return status === null ? null : {
    subject,
    status,
    ...("video" in subject ? videoShown(status, fields) : jobShown(status, fields)),
    attempt: numberOf(fields["attempt"]),
    revision: numberOf(fields["revision"]),
    body
  }
}
