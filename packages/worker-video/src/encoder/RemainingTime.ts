/** Seconds until the work is done, from the speed at which it has gone since it began. */
export const remainingTime = (startedAt: number, startFraction: number) => {
  return (now: number, fraction: number): number | null => {
    const moved = fraction - startFraction
    return moved <= 0 ? null : ((now - startedAt) / 1000) * ((1 - fraction) / moved)
  }
}
