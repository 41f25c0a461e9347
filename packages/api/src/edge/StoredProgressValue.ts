import { integerOf, parseStored, type StoredVersion, textOf, versionOf } from "./storedJson.ts"

/** The step that a client draws, as `[4/7] 인코딩`: all of it or none (CONTRACT.md, section 2). */
export interface DrawnStep {
  readonly index: number
  readonly total: number
  readonly name: string
  readonly display: string
  readonly percent: number
}

/** A progress value. A field of the wrong type counts as absent; without a percent of 0 to 100 there is no value. */
export interface StoredProgressValue {
  readonly percent: number
  readonly step: string | null
  /** Whole seconds. */
  readonly remainingSeconds: number | null
  readonly drawn: DrawnStep | null
  /** Counts the samples inside a transition. */
  readonly tick: number | null
  /** Milliseconds since 1970. */
  readonly asOf: number | null
  readonly version: StoredVersion | null
}

const percentOf = (value: unknown): number | null => {
  const percent = integerOf(value)
  return percent !== null && percent >= 0 && percent <= 100 ? percent : null
}

export const decodeProgress = (text: string | null): StoredProgressValue | null => {
  const value = parseStored(text)
  if (value === null) return null
  const percent = percentOf(value["percent"])
  if (percent === null) return null
  const index = integerOf(value["step_index"])
  const total = integerOf(value["step_total"])
  const name = textOf(value["step_name"])
  const display = textOf(value["step_name_display"])
  const stepPercent = percentOf(value["step_percent"])
  return {
    percent,
    step: textOf(value["step"]),
    remainingSeconds: integerOf(value["remaining_seconds"]),
    drawn: index === null || total === null || name === null || display === null || stepPercent === null
      ? null
      : { index, total, name, display, percent: stepPercent },
    tick: integerOf(value["tick"]),
    asOf: integerOf(value["as_of"]),
    version: versionOf(value)
  }
}

/** Whether a progress belongs to a status: one of an older revision or attempt was left over, and is not shown. */
export const belongsTo = (progress: StoredVersion | null, status: StoredVersion | null): boolean =>
  status === null || (progress !== null &&
    (progress.revision > status.revision ||
      (progress.revision === status.revision && progress.attempt >= status.attempt)))
