import { movingPause, pollPause } from "./pollPause.ts"
import type { StoredVersion } from "./storedJson.ts"
import type { StoredProgressValue } from "./StoredProgressValue.ts"

/** Fields beside those of the contract, by which a page tells "no news" from "no progress". JSON leaves out what is undefined. */
export interface FreshnessFields {
  /** Milliseconds since 1970 at which the answer was true; missing for a writer that does not say. */
  readonly asOf: number | undefined
  /** Milliseconds since 1970 from which silence is suspicious; `null` for what has ended and stays as it is. */
  readonly staleAfter: number | null | undefined
  readonly attempt: number | undefined
  readonly revision: number | undefined
  /** Milliseconds; `null` for what has ended. */
  readonly nextPollMs: number | null
}

export interface Freshness {
  readonly fields: FreshnessFields
  readonly tag: string | null
}

export interface StoredState {
  readonly phase: "waiting" | "moving" | "ended"
  readonly version: StoredVersion | null
  /** Milliseconds since 1970 of the last transition, which is the start of a step. */
  readonly updatedAt: number | null
  /** The progress that is shown. */
  readonly progress: StoredProgressValue | null
}

/** What is at work is mirrored once a second while it moves: after a minute it does not move. */
const movingStaleMillis = 60_000

/** What waits is waiting for a machine, and the sweep publishes nothing while it does. */
const waitingStaleMillis = 15 * 60_000

const pauseOf = ({ phase, progress, updatedAt }: StoredState): number | null =>
  phase === "ended" ? null : phase === "waiting" ? pollPause.waiting : movingPause(progress, updatedAt)

/** The form of the bodies: part of their tags, so that a new form is never taken for an old one. */
const form = "1"

const tagOf = ({ progress, version }: StoredState): string | null => {
  if (version === null) return null
  const status = `${form}-${version.revision}.${version.attempt}`
  if (progress === null) return status
  const { asOf, tick } = progress
  return progress.version === null || tick === null || asOf === null
    ? null
    : `${status}-${progress.version.revision}.${progress.version.attempt}.${tick}.${asOf.toString(36)}`
}

/** Of stored values alone, never of the clock: the same values make the same body, which is what a strong tag promises. */
export const freshnessOf = (state: StoredState): Freshness => {
  const { phase, progress, updatedAt } = state
  const asOf = progress?.asOf ?? updatedAt ?? undefined
  const version = progress?.version ?? state.version
  return {
    tag: tagOf(state),
    fields: {
      asOf,
      staleAfter: asOf === undefined
        ? undefined
        : phase === "ended"
        ? null
        : asOf + (phase === "moving" ? movingStaleMillis : waitingStaleMillis),
      attempt: version?.attempt,
      revision: version?.revision,
      nextPollMs: pauseOf(state)
    }
  }
}
