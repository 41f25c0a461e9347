import type { ReadProgress } from "./SharedReader.ts"

export interface BoundedReadOptions {
  /** May reject, throw and hang. */
  readonly read: ReadProgress
  /** Milliseconds after which a read is given up. */
  readonly timeoutMillis: number
  /** Runs a task when everything that has arrived by now is dealt with: an answer that waits for us is not late. */
  readonly defer: (task: () => void) => void
  /** Runs a task once after so many milliseconds, unless what it returns is called; the runtime's timer by default. */
  readonly after?: (millis: number, task: () => void) => () => void
}

/** A read that did not end within its time. */
export class ReadTimedOut extends Error {
  override readonly name = "ReadTimedOut"
}

/** A read that was not begun: the mirror is silent, and another read is finding out whether it still is. */
export class MirrorSilent extends Error {
  override readonly name = "MirrorSilent"
}

const timerAfter = (millis: number, task: () => void): () => void => {
  const timer = setTimeout(task, millis)
  return () => clearTimeout(timer)
}

/**
 * A read that rejects within its time, whatever the mirror does. After one that got no answer in time the mirror counts
 * as silent: then one read at a time goes through to it, with the same time to wait, and any other is rejected at once,
 * so that a crowd does not wait for what one has waited for in vain. The first that ends in time, with a failure too,
 * lets all through again.
 */
export const makeBoundedRead = (options: BoundedReadOptions): ReadProgress => {
  const { after = timerAfter, defer, read, timeoutMillis } = options
  let isSilent = false
  let isProbing = false
  // A reader that throws instead of rejecting must not leave the timer behind.
  const ask: ReadProgress = async (tenantId, subjects) => read(tenantId, subjects)

  return (tenantId, subjects) => {
    if (isSilent && isProbing) return Promise.reject(new MirrorSilent("Cannot read progress: the mirror is silent"))
    const isProbe = isSilent
    if (isProbe) isProbing = true
    return new Promise((resolve, reject) => {
      const end = (silent: boolean): void => {
        isSilent = silent
        if (isProbe) isProbing = false
      }
      let isOver = false
      const giveUp = (): void => {
        if (isOver) return
        isOver = true
        end(true)
        reject(new ReadTimedOut(`Cannot read progress: no answer within ${timeoutMillis} ms`))
      }
      const cancel = after(timeoutMillis, () => defer(giveUp))
      const inTime = (): boolean => {
        if (isOver) return false
        isOver = true
        cancel()
        end(false)
        return true
      }
      ask(tenantId, subjects).then(
        (stored) => inTime() && resolve(stored),
        (fault: unknown) => inTime() && reject(fault instanceof Error ? fault : new Error(String(fault)))
      )
    })
  }
}
