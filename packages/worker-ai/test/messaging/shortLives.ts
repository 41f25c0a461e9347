import { defaultJobPolicy, type JobPolicy } from "@lectern/domain"

/** Workers are killed on purpose here, and often: what would be a poisoned job elsewhere is tried again at once. */
export const shortLives: JobPolicy = {
  ...defaultJobPolicy,
  ofKind: { messaging: { maxFailures: 1_000, maxAttempts: 1_000 } },
  retryDelay: () => 100
}

/** Long enough for a loaded machine, short enough to be waited for ten times. */
export const leaseMillis = 2_000
