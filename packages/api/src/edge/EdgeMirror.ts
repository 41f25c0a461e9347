import type { CountHits, ProgressChanges, ReadProgress } from "./index.ts"

/** What the edge does in Redis, by whatever way it comes there. */
export interface EdgeMirror {
  readonly read: ReadProgress
  /** The shared counters of the rate limit. */
  readonly count: CountHits
  /** Missing where one cannot listen to Redis. There are no streams of events then: their paths are none, and clients poll. */
  readonly changes?: ProgressChanges
  readonly close: () => void
}
