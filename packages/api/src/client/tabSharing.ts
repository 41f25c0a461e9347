import type { Clock } from "./Clock.ts"
import { endHeld } from "./pollingPace.ts"
import { type ProgressSnapshot, readSnapshot } from "./ProgressSnapshot.ts"
import type { Sink, Source } from "./Source.ts"
import type { Subject } from "./Subject.ts"

/** What tabs of one origin share: Web Locks elect who polls, a BroadcastChannel tells the others. */
export interface Tabs {
  readonly locks: Pick<LockManager, "request">
  readonly open: (name: string) => BroadcastChannel
}

/** The runtime's; `null` where one of the two is missing, and then each polls for itself. */
export const webTabs = (): Tabs | null => {
  const { BroadcastChannel, navigator }: Partial<typeof globalThis> = globalThis
  const locks: LockManager | undefined = navigator?.locks
  return BroadcastChannel === undefined || locks === undefined
    ? null
    : { locks, open: (name) => new BroadcastChannel(name) }
}

/**
 * One feed of the source for all tabs that watch the same name. The first to get the lock has it running and passes on
 * what it learns; whoever is paused gives the lock away, so that the one who polls is one that somebody sees. A tab
 * that comes later asks, and is told at once. Whatever goes wrong with sharing makes a tab poll for itself.
 *
 * Answers are passed on as the server gave them, and read again by each tab. Failures are not: the next tab in line
 * finds out with its own token.
 */
export const sharedBetweenTabs = (
  source: Source,
  tabs: Tabs,
  clock: Clock,
  nameOf: (subject: Subject) => Promise<string>
): Source => ({
  watch: (subject, sink) => {
    let joined: AbortController | null = null
    let channel: BroadcastChannel | null = null
    let last: ProgressSnapshot | null = null
    let isLeading = false

    /** What is known; nothing of it is the question what others know. */
    const say = (snapshot: ProgressSnapshot | null): void => {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a channel is of one origin
      channel?.postMessage(snapshot?.body ?? null)
    }
    const own: Sink = {
      ...sink,
      progress: (snapshot) => {
        last = snapshot
        say(snapshot)
        return sink.progress(snapshot)
      }
    }
    const feed = source.watch(subject, own)

    const receive = (message: unknown): void => {
      if (isLeading) {
        if (message === null) say(last)
        return
      }
      const snapshot = readSnapshot(subject, message)
      if (snapshot === null) return
      last = snapshot
      sink.progress(snapshot)
    }

    const join = async (signal: AbortSignal): Promise<void> => {
      const name = await nameOf(subject)
      if (signal.aborted) return
      channel = tabs.open(name)
      channel.addEventListener("message", ({ data }: MessageEvent<unknown>) => receive(data))
      say(null)
      await tabs.locks.request(name, { signal }, async () => {
        if (signal.aborted) return
        isLeading = true
        feed.resume()
        await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }))
      })
    }

    return {
      resume: () => {
        if (joined !== null) return
        joined = new AbortController()
        const { signal } = joined
        join(signal).catch(() => {
          if (!signal.aborted) feed.resume()
        })
      },
      pause: () => {
        const sawEnd = isLeading && last !== null && last.outcome !== "running"
        isLeading = false
        feed.pause()
        channel?.close()
        channel = null
        const left = joined
        joined = null
        if (sawEnd) clock.after(endHeld, () => left?.abort())
        else left?.abort()
      }
    }
  }
})
