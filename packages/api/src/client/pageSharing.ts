import { advance } from "./advance.ts"
import type { PageVisibility } from "./PageVisibility.ts"
import type { ProgressSnapshot } from "./ProgressSnapshot.ts"
import type { Feed, Sink, Source } from "./Source.ts"
import { type Subject, subjectKey } from "./Subject.ts"

/** One of those who watch: told in order, and each change once. */
export interface Listener extends Pick<Sink, "trouble" | "failed"> {
  readonly progress: (snapshot: ProgressSnapshot) => void
}

interface Shared {
  readonly sinks: Set<Listener>
  readonly end: () => void
  last: ProgressSnapshot | null
}

/** Joins the watch of a subject; the returned function leaves it. */
export type Join = (subject: Subject, sink: Listener) => () => void

/**
 * One feed for all who watch the same subject in this page, paused while nobody sees the page and ended when nobody
 * watches. Each is told what is known already, after the call has returned, and from then on what has changed.
 */
export const sharedInPage = (source: Source, page: PageVisibility): Join => {
  const watched = new Map<string, Shared>()

  const open = (subject: Subject, key: string): Shared => {
    const sinks = new Set<Listener>()
    const each = (tell: (sink: Listener) => void): void => Array.from(sinks).forEach(tell)
    const feed: Feed = source.watch(subject, {
      progress: (snapshot) => {
        const shown = advance(shared.last, snapshot)
        if (shown === null) return false
        shared.last = shown
        // Ended first: whoever starts a new watch from a callback shall not join one that is over.
        if (shown.outcome !== "running") shared.end()
        each((sink) => sink.progress(shown))
        return true
      },
      trouble: (trouble) => {
        each((sink) => sink.trouble(trouble))
      },
      failed: (error) => {
        shared.end()
        each((sink) => sink.failed(error))
      }
    })
    const follow = (): void => page.isHidden() ? feed.pause() : feed.resume()
    const forget = page.onChange(follow)
    const shared: Shared = {
      sinks,
      last: null,
      end: () => {
        if (watched.get(key) === shared) watched.delete(key)
        forget()
        feed.pause()
      }
    }
    watched.set(key, shared)
    // Later, so that nobody is told anything before the call that joins has returned.
    queueMicrotask(() => {
      if (watched.get(key) === shared) follow()
    })
    return shared
  }

  return (subject, sink) => {
    const key = subjectKey(subject)
    const shared = watched.get(key) ?? open(subject, key)
    shared.sinks.add(sink)
    const { last } = shared
    if (last !== null) {
      queueMicrotask(() => {
        // What came in the meantime was told to all.
        if (shared.sinks.has(sink) && shared.last === last) sink.progress(last)
      })
    }
    return () => {
      shared.sinks.delete(sink)
      if (shared.sinks.size === 0) shared.end()
    }
  }
}
