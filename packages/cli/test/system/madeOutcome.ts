/** What a class and a lecture come to, in words that do not change from one run to the next. */
import { Effect } from "effect"
import { type Browser, importResult } from "./Browser.ts"
import type { RunningSystem } from "./RunningSystem.ts"
import { storedObjects } from "./storedObjects.ts"
import { nothingRuns } from "./systemProcesses.ts"
import { readRecord } from "./systemRecord.ts"

export interface Accepted {
  readonly video: number
  readonly roster: string
}

/** Ids are new in each run, and so are the names of an encode's segments and sheets. */
const withoutIds = (name: string): string =>
  name
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, "ID")
    .replaceAll(/[0-9a-f]{12}-[0-9a-f]{8}(?:-\d+)?(?=[_./])/g, "ENCODE")

/** Waits for both ends, stops the system, and reads what it has left: details, rows, objects and exit code. */
export const madeOutcome = Effect.fnUntraced(function*(system: RunningSystem, browser: Browser, { roster, video }: Accepted) {
  const { duration, error_reason, hls_path, id, status } = yield* browser.endedVideo(video)
  const job = yield* browser.endedJob(roster)
  const { created, duplicates, failed, failed_rows, total } = yield* importResult(job)
  const exit = yield* system.stop
  yield* nothingRuns(system.data)
  const { jobs, students } = yield* readRecord(system.data)
  return {
    video: { duration, error_reason, hls_path, id, status },
    roster: { status: job.status, error: job.error_message, created, duplicates, failed, failed_rows, total },
    jobs: jobs.map((row) => ({ kind: row.kind, status: row.status })).sort((a, b) => a.kind.localeCompare(b.kind)),
    students,
    objects: (yield* storedObjects(system.data)).map(withoutIds),
    exit
  }
})
export type Outcome = Effect.Success<ReturnType<typeof madeOutcome>>
