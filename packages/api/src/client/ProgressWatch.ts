import type { Join } from "./pageSharing.ts"
import type { ProgressSnapshot } from "./ProgressSnapshot.ts"
import type { ProgressTrouble, ProgressWatchError } from "./ProgressWatchError.ts"
import type { Subject } from "./Subject.ts"

export interface WatchOptions {
  /** Ends the watch without a word. */
  readonly signal?: AbortSignal
  /** Every change, the last one included. */
  readonly onProgress?: (snapshot: ProgressSnapshot) => void
  /** Exactly once, when it has succeeded or failed; never after the watch was stopped. */
  readonly onTerminal?: (snapshot: ProgressSnapshot) => void
  /** At most once, instead of `onTerminal`: the watch cannot go on. */
  readonly onError?: (error: ProgressWatchError) => void
  /** A poll failed and is tried again. Only of this tab's own polls. */
  readonly onTrouble?: (trouble: ProgressTrouble) => void
}

/**
 * A watch that runs, whether or not it is iterated. It yields changes up to the last one; a reader that is slow gets
 * the latest and not each. A `ProgressWatchError` is thrown to whoever iterates.
 */
export interface ProgressWatch extends AsyncIterableIterator<ProgressSnapshot, undefined> {
  readonly return: () => Promise<IteratorResult<ProgressSnapshot, undefined>>
  /** Ends the watch without a word; an iteration of it ends. */
  readonly stop: () => void
}

type Result = IteratorResult<ProgressSnapshot, undefined>

interface Waiting {
  readonly resolve: (result: Result) => void
  readonly reject: (error: ProgressWatchError) => void
}

/** Calls back. What a callback throws is the page's, as it is with an event's listener, and stops nothing of ours. */
const call = <A>(callback: ((value: A) => void) | undefined, value: A): void => {
  try {
    callback?.(value)
  } catch (cause) {
    queueMicrotask(() => {
      throw cause
    })
  }
}

export const startWatch = (join: Join, subject: Subject, options: WatchOptions): ProgressWatch => {
  const { signal } = options
  const waiting: Array<Waiting> = []
  let unread: ProgressSnapshot | null = null
  let error: ProgressWatchError | null = null
  let isOver = false
  let leave = (): void => undefined

  const finish = (): void => {
    if (isOver) return
    isOver = true
    signal?.removeEventListener("abort", stop)
    leave()
  }
  const over: Result = { done: true, value: undefined }
  const release = (): void => {
    for (const { resolve } of waiting.splice(0)) resolve(over)
  }
  const stop = (): void => {
    finish()
    unread = null
    error = null
    release()
  }

  const progress = (snapshot: ProgressSnapshot): void => {
    // Stopped by another's callback, while all were being told.
    if (isOver) return
    const isTerminal = snapshot.outcome !== "running"
    if (isTerminal) finish()
    const reader = waiting.shift()
    if (reader === undefined) unread = snapshot
    else reader.resolve({ done: false, value: snapshot })
    if (isTerminal) release()
    call(options.onProgress, snapshot)
    if (isTerminal) call(options.onTerminal, snapshot)
  }

  const failed = (cause: ProgressWatchError): void => {
    if (isOver) return
    finish()
    const reader = waiting.shift()
    if (reader === undefined) error = cause
    else reader.reject(cause)
    release()
    call(options.onError, cause)
  }

  const trouble = (trouble: ProgressTrouble): void => {
    if (!isOver) call(options.onTrouble, trouble)
  }

  const next = (): Promise<Result> => {
    if (unread !== null) {
      const value = unread
      unread = null
      return Promise.resolve({ done: false, value })
    }
    if (error !== null) {
      const cause = error
      error = null
      return Promise.reject(cause)
    }
    return isOver ? Promise.resolve(over) : new Promise((resolve, reject) => waiting.push({ resolve, reject }))
  }

  if (signal?.aborted === true) isOver = true
  else {
    signal?.addEventListener("abort", stop)
    leave = join(subject, { progress, failed, trouble })
  }

  const watch: ProgressWatch = {
    next,
    stop,
    return: () => {
      stop()
      return Promise.resolve(over)
    },
    [Symbol.asyncIterator]: () => watch
  }
  return watch
}
