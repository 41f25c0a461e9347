import type { ProgressSnapshot } from "./ProgressSnapshot.ts"
import type { ProgressTrouble, ProgressWatchError } from "./ProgressWatchError.ts"
import type { Subject } from "./Subject.ts"

/** Who wants to know. None of its functions throws. */
export interface Sink {
  /**
   * What is known now. May repeat itself, and may be older than what was said before: whoever shows it puts it in
   * order, says whether it was news, and pauses the feed at an end.
   */
  readonly progress: (snapshot: ProgressSnapshot) => boolean
  readonly trouble: (trouble: ProgressTrouble) => void
  /** There is no more to be had: whoever hears this pauses the feed. */
  readonly failed: (error: ProgressWatchError) => void
}

/** News of one subject. Paused at first. */
export interface Feed {
  /** Delivers the latest state at once, and all that follow. Does nothing while it runs. */
  readonly resume: () => void
  /** Delivers nothing more and holds nothing open. What it has learnt (tags, pauses the server asked for) stays. */
  readonly pause: () => void
}

/** Where news come from. */
export interface Source {
  readonly watch: (subject: Subject, sink: Sink) => Feed
}
