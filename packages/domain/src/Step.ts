import type { JobKind } from "./JobKind.ts"

/**
 * One step of a job as its users see it.
 *
 * `from` and `to` are the whole job's percent when the step starts and ends; equal where the contract fixes one number.
 */
export interface Step {
  readonly name: string
  readonly display: string
  /** 1-based; two steps may share the last index (CONTRACT.md, section 5: `uploading` and `done`). */
  readonly index: number
  readonly total: number
  readonly from: number
  readonly to: number
}

const step = (
  total: number,
  index: number,
  name: string,
  display: string,
  from: number,
  to: number = from
): Step => ({ name, display, index, total, from, to })

/** CONTRACT.md, section 5. */
export const videoSteps = {
  presigning: step(7, 1, "presigning", "준비", 5),
  downloading: step(7, 2, "downloading", "다운로드", 15),
  probing: step(7, 3, "probing", "분석", 25),
  transcoding: step(7, 4, "transcoding", "인코딩", 50, 85),
  validating: step(7, 5, "validating", "검증", 85),
  thumbnail: step(7, 6, "thumbnail", "썸네일", 90),
  uploading: step(7, 7, "uploading", "업로드", 95, 100),
  done: step(7, 7, "done", "완료", 100)
} as const satisfies Record<string, Step>

/** CONTRACT.md, section 5. */
export const importSteps = {
  downloading: step(4, 1, "downloading", "다운로드", 10),
  parsing: step(4, 2, "parsing", "파싱", 25, 40),
  creating: step(4, 3, "creating", "등록", 40, 95),
  done: step(4, 4, "done", "완료", 100)
} as const satisfies Record<string, Step>

export const messagingSteps = {
  preparing: step(3, 1, "preparing", "준비", 5),
  sending: step(3, 2, "sending", "발송", 10, 95),
  done: step(3, 3, "done", "완료", 100)
} as const satisfies Record<string, Step>

export const recognitionSteps = {
  downloading: step(4, 1, "downloading", "다운로드", 5),
  validating: step(4, 2, "validating", "검증", 10),
  recognizing: step(4, 3, "recognizing", "인식", 15, 95),
  done: step(4, 4, "done", "완료", 100)
} as const satisfies Record<string, Step>

export type VideoStepName = keyof typeof videoSteps
export type ImportStepName = keyof typeof importSteps
export type MessagingStepName = keyof typeof messagingSteps
export type RecognitionStepName = keyof typeof recognitionSteps
export type StepName = VideoStepName | ImportStepName | MessagingStepName | RecognitionStepName

const catalogue: Record<JobKind, Readonly<Record<string, Step>>> = {
  video_encode: videoSteps,
  student_import: importSteps,
  messaging: messagingSteps,
  ocr: recognitionSteps
}

/**
 * The step of a kind of job by its name; `null` for a name that the kind does not have.
 *
 * Total on purpose: a look-up that threw once hid every progress bar (INCIDENTS.md, 10).
 */
export const findStep = (kind: JobKind, name: string): Step | null => {
  const steps = catalogue[kind]
  return Object.hasOwn(steps, name) ? steps[name] ?? null : null
}

const clamp = (value: number, minimum: number, maximum: number): number =>
  Number.isFinite(value) ? Math.min(maximum, Math.max(minimum, value)) : minimum

/** A binary fraction such as 0.29 times 100 falls short of its whole number by less than this. */
const roundingError = 1e-9

const roundDown = (start: number, end: number, fraction: number): number => {
  const done = clamp(fraction, 0, 1)
  if (done === 1) return end
  return Math.max(start, Math.min(end - 1, Math.floor(start + (end - start) * done + roundingError)))
}

/**
 * Whole percent of the whole job, when `fraction` (0..1) of the step is done.
 *
 * Rounded down, so that 100 is shown by nothing that is not finished.
 */
export const jobPercent = (step: Step, fraction: number): number => roundDown(step.from, step.to, fraction)

/** Whole percent of the step itself; 100 is shown by a finished step alone. */
export const stepPercent = (fraction: number): number => roundDown(0, 100, fraction)
