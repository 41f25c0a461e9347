import type { StoredProgressValue } from "./StoredProgressValue.ts"

/** Milliseconds between two polls, by what a subject is doing. */
export const pollPause = {
  /** The mirror is written once a second at the most: who asks more often sees nothing more. */
  least: 1_000,
  /** A bar that stands longer than this looks dead. */
  most: 10_000,
  /** At work, at a speed that nobody knows yet. */
  unmeasured: 2_000,
  /** Not at work yet. */
  waiting: 3_000,
  /** Nothing is known: not written yet, or never. */
  unknown: 3_000,
  /** The mirror is away: everybody asks, and it has to come back under that. */
  unreachable: 5_000
} as const

const bounded = (millis: number): number => Math.round(Math.min(Math.max(millis, pollPause.least), pollPause.most))

/**
 * How long what is at work takes for its next hundredth: from its remaining time; from the time that the step has taken so far where
 * the remaining time is unknown. Never more than half of what remains, so that the end is seen soon.
 *
 * `stepStartedAt` is in milliseconds since 1970, `null` where it is unknown.
 */
export const movingPause = (progress: StoredProgressValue | null, stepStartedAt: number | null): number => {
  if (progress === null) return pollPause.unmeasured
  const { asOf, drawn, percent, remainingSeconds } = progress
  if (remainingSeconds !== null && remainingSeconds >= 0 && percent < 100) {
    const remaining = 1_000 * remainingSeconds
    return bounded(Math.min(remaining / (100 - percent), remaining / 2))
  }
  if (asOf !== null && stepStartedAt !== null && asOf > stepStartedAt && drawn !== null && drawn.percent > 0) {
    const perHundredth = (asOf - stepStartedAt) / drawn.percent
    return bounded(Math.min(perHundredth, perHundredth * (100 - drawn.percent) / 2))
  }
  return pollPause.unmeasured
}
