import { Effect } from "effect"
import type { ApiFailed, ProgressView } from "./ApiClient.ts"
import type { ProgressBoard } from "./ProgressBoard.ts"
import { remainingText } from "./remaining.ts"

/** How a job ended, as its detail endpoint says it. */
export interface WatchedEnd {
  readonly status: string
  readonly error: string | null
}

export interface Watch {
  readonly label: string
  /** The progress endpoint: cheap, from the mirror alone. */
  readonly progress: Effect.Effect<ProgressView, ApiFailed>
  /** The detail endpoint, from the database: asked only where the mirror knows nothing. */
  readonly detail: Effect.Effect<WatchedEnd, ApiFailed>
  readonly good: ReadonlyArray<string>
  readonly bad: ReadonlyArray<string>
}

/** Nothing is known after so many answers in a row without anything. */
const unknownLimit = 3

/**
 * Polls once a second, as every open tab does, until the job has ended, and draws what it sees.
 *
 * A progress that is not known is shown as such, never as zero (INCIDENTS.md, 11). Only then, and only to learn of the end,
 * is the detail endpoint asked.
 */
export const watchJob = Effect.fnUntraced(function*(board: ProgressBoard, watch: Watch) {
  let unknown = 0
  let highest = 0
  while (true) {
    const seen = yield* watch.progress
    let ended: WatchedEnd | null = null
    if (seen.status === "UNKNOWN") {
      unknown += 1
      if (unknown >= unknownLimit) {
        board.update(watch.label, { percent: null, note: "진행률을 알 수 없음 (progress unknown)", end: "running" })
        ended = yield* watch.detail
      }
    } else {
      unknown = 0
      ended = { status: seen.status, error: seen.error }
    }
    if (ended !== null && watch.good.includes(ended.status) && ended.error === null) {
      board.update(watch.label, { percent: 100, note: ended.status, end: "good" })
      return ended
    }
    if (ended !== null && (watch.bad.includes(ended.status) || (watch.good.includes(ended.status) && ended.error !== null))) {
      board.update(watch.label, { percent: null, note: `${ended.status}: ${ended.error ?? ""}`, end: "bad" })
      return ended
    }
    if (seen.status !== "UNKNOWN") {
      highest = Math.max(highest, seen.percent ?? 0)
      const step = seen.step ?? seen.status
      board.update(watch.label, {
        percent: Math.min(99, highest),
        note: `${step}${remainingText(seen.remainingSeconds)}`,
        end: "running"
      })
    }
    yield* Effect.sleep("1 second")
  }
})

export const videoEnds = { good: ["READY"], bad: ["FAILED"] }
export const jobEnds = {
  good: ["DONE"],
  bad: ["FAILED", "REJECTED_BAD_INPUT", "FALLBACK_TO_GPU", "REVIEW_REQUIRED"]
}
