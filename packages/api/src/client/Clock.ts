/** Time, as the client has it. */
export interface Clock {
  /** Milliseconds; only differences count. */
  readonly now: () => number
  /** Runs `task` after so many milliseconds; the returned function cancels it. */
  readonly after: (millis: number, task: () => void) => () => void
}

export const systemClock: Clock = {
  now: () => Date.now(),
  after: (millis, task) => {
    const timer = setTimeout(task, millis)
    return () => clearTimeout(timer)
  }
}
