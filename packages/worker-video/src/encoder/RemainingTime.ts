/** Before so much of the work is done there is no speed worth speaking of: a program fills its queues first. */
const leastMoved = 0.02

/**
 * Seconds until the work is done, from the speed at which it has gone since it began here, at `startFraction`; `null`
 * as long as too little has been measured.
 */
export const remainingTime =
  (startedAt: number, startFraction: number) =>
  (now: number, fraction: number): number | null => {
    const moved = fraction - startFraction
    return moved < leastMoved * (1 - startFraction) ? null : ((now - startedAt) / 1000) * ((1 - fraction) / moved)
  }
