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

const over: Result = { done: true, value: undefined }

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
  let unread: ProgressSnapshot | null = null
  let error: ProgressWatchError | null = null
  let isOver = false
  let leave = (): void => undefined
  let readers: Array<() => void> = []

  const wakeReaders = (): void => {
    for (const wake of readers) wake()
    readers = []
  }
  const finish = (): void => {
    isOver = true
    signal?.removeEventListener("abort", stop)
    leave()
  }
  const stop = (): void => {
    finish()
    unread = error = null
    wakeReaders()
  }

  const progress = (snapshot: ProgressSnapshot): void => {
    // Stopped by another's callback, while all were being told.
    if (isOver) return
    const isTerminal = snapshot.outcome !== "running"
    if (isTerminal) finish()
    unread = snapshot
    wakeReaders()
    call(options.onProgress, snapshot)
    if (isTerminal) call(options.onTerminal, snapshot)
  }

  const failed = (cause: ProgressWatchError): void => {
    if (isOver) return
    finish()
    error = cause
    wakeReaders()
    call(options.onError, cause)
  }

  const trouble = (trouble: ProgressTrouble): void => {
    if (!isOver) call(options.onTrouble, trouble)
  }

  const next = async (): Promise<Result> => {
    for (;;) {
      const value = unread
      unread = null
      if (value !== null) return { done: false, value }
      const cause = error
      error = null
      if (cause !== null) throw cause
      if (isOver) return over
      await new Promise<void>((wake) => readers.push(wake))
    }
  }

  if (signal?.aborted === true) isOver = true
  else {
    signal?.addEventListener("abort", stop)
    leave = join(subject, { progress, failed, trouble })
  }

  const watch: ProgressWatch = {
    next,
    stop,
    return: async () => {
      stop()
      return over
    },
    [Symbol.asyncIterator]: () => watch
  }
  return watch
}
