import { hasMoved } from "./advance.ts"
import type { Clock } from "./Clock.ts"
import { obeyed, pace, pauseAfterAnswer, pauseAfterFailure, pauseAskedFor } from "./pollingPace.ts"
import { fieldsOf, numberOf, type ProgressSnapshot, readSnapshot, textOf } from "./ProgressSnapshot.ts"
import { type ProgressTrouble, ProgressWatchError, type ProgressWatchReason } from "./ProgressWatchError.ts"
import type { Sink, Source } from "./Source.ts"
import { type Subject, subjectKey, subjectPath } from "./Subject.ts"

export interface PollingOptions {
  /** Where the progress endpoints are, without a slash at the end. */
  readonly baseUrl: string
  /** Where the details are. */
  readonly originUrl: string
  readonly token: () => Promise<string>
  readonly fetch: typeof fetch
  readonly clock: Clock
  /** 0 up to 1. */
  readonly random: () => number
}

/** An answer as far as it matters. */
type Answer =
  | { readonly _tag: "Body"; readonly body: unknown; readonly etag: string | null; readonly retryAfter: number | null }
  | { readonly _tag: "NotModified"; readonly retryAfter: number | null }
  | { readonly _tag: "Refused"; readonly status: 400 | 401 | 403 | 404; readonly body: unknown }
  | {
    readonly _tag: "Trouble"
    readonly reason: ProgressTrouble["reason"]
    readonly status: number | null
    readonly cause: unknown
    readonly retryAfter: number | null
  }

const reasons = { 400: "BadSubject", 401: "Unauthorized", 403: "Forbidden", 404: "NotFound" } as const satisfies Record<
  number,
  ProgressWatchReason
>

const isRefusal = (status: number): status is keyof typeof reasons => status in reasons

/** Milliseconds; the header has seconds or a date. */
const retryAfterOf = (header: string | null): number | null => {
  if (header === null) return null
  // A date is of the machine's time, whatever clock measures the pauses.
  const millis = /^\s*\d+\s*$/.test(header) ? Number(header) * 1_000 : Date.parse(header) - Date.now()
  return Number.isNaN(millis) ? null : obeyed(millis)
}

/**
 * Settles with the work, or rejects as soon as the signal is aborted: a `fetch` or a token that hangs holds nobody up.
 */
const unlessAborted = async <A>(signal: AbortSignal, work: Promise<A>): Promise<A> => {
  let abort = (): void => undefined
  const aborted = new Promise<never>((_, reject) => {
    abort = () => reject(signal.reason)
  })
  if (signal.aborted) abort()
  signal.addEventListener("abort", abort)
  try {
    return await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener("abort", abort)
  }
}

/** Asks the progress endpoint again and again; the detail when that knows nothing (CONTRACT.md, sections 2 and 3). */
export const makePollingSource = (options: PollingOptions): Source => {
  const { clock, random } = options

  const send = async (url: string, etag: string | null, signal: AbortSignal): Promise<Answer> => {
    let reason: ProgressTrouble["reason"] = "Token"
    let status: number | null = null
    let retryAfter: number | null = null
    try {
      const authorization = `Bearer ${await options.token()}`
      reason = "Network"
      const response = await options.fetch(url, {
        headers: etag === null ? { authorization } : { authorization, "if-none-match": etag },
        signal
      })
      status = response.status
      retryAfter = retryAfterOf(response.headers.get("retry-after"))
      if (status === 304) return { _tag: "NotModified", retryAfter }
      if (isRefusal(status)) {
        // The refusal stands, whatever its body is.
        const body: unknown = await response.json().catch(() => null)
        return { _tag: "Refused", status, body }
      }
      if (status === 200) {
        reason = "Body"
        const body: unknown = await response.json()
        return { _tag: "Body", body, etag: response.headers.get("etag"), retryAfter }
      }
      await response.body?.cancel()
      return { _tag: "Trouble", reason: "Status", status, cause: null, retryAfter }
    } catch (cause) {
      return { _tag: "Trouble", reason, status, cause, retryAfter }
    }
  }

  /** One request. Rejects only when it is no longer wanted. */
  const ask = async (url: string, etag: string | null, signal: AbortSignal): Promise<Answer> => {
    const timeout = new AbortController()
    const late = new Error(`No answer within ${pace.requestTimeout} ms`)
    const cancel = clock.after(pace.requestTimeout, () => timeout.abort(late))
    const either = AbortSignal.any([signal, timeout.signal])
    try {
      return await unlessAborted(either, send(url, etag, either))
    } catch (cause) {
      if (signal.aborted) throw cause
      return { _tag: "Trouble", reason: "Network", status: null, cause, retryAfter: null }
    } finally {
      cancel()
    }
  }

  const pause = async (millis: number, signal: AbortSignal): Promise<void> => {
    if (millis <= 0) return
    let cancel = (): void => undefined
    const over = new Promise<void>((resolve) => {
      cancel = clock.after(millis, resolve)
    })
    try {
      await unlessAborted(signal, over)
    } finally {
      cancel()
    }
  }

  const refusal = (subject: Subject, status: keyof typeof reasons, body: unknown): ProgressWatchError => {
    const { code, detail } = fieldsOf(body)
    return new ProgressWatchError(
      reasons[status],
      `Cannot watch ${subjectKey(subject)}: ${textOf(detail) ?? `the server answered ${status}`}`,
      textOf(code)
    )
  }

  const watch = (subject: Subject, sink: Sink): ReturnType<Source["watch"]> => {
    const path = subjectPath(subject)
    let running: AbortController | null = null
    /** When the next poll may be at the earliest: a pause that the server asked for outlasts a hidden tab. */
    let earliest = -Infinity
    /** From here, though another tab may have polled until now. */
    const startedAt = clock.now()
    let movedAt: number | null = null
    let last: ProgressSnapshot | null = null
    let etag: string | null = null
    let nextPoll: number | null = null
    let polls = 0
    let failures = 0
    let unknown = 0
    let detailAt = -Infinity

    const stop = (): void => {
      running?.abort()
      running = null
    }

    const fail = (error: ProgressWatchError): void => {
      stop()
      sink.failed(error)
    }

    const tell = (snapshot: ProgressSnapshot): void => {
      if (hasMoved(last, snapshot)) movedAt = clock.now()
      last = snapshot
      if (snapshot.outcome !== "running") stop()
      sink.progress(snapshot)
    }

    /**
     * The database's word. That it refuses a token which may watch is no word about the watch: a narrow one may do no
     * more.
     */
    const askDetail = async (detailPath: string, signal: AbortSignal): Promise<void> => {
      detailAt = clock.now()
      const answer = await ask(`${options.originUrl}${detailPath}`, null, signal)
      signal.throwIfAborted()
      if (answer._tag === "Refused") {
        const error = refusal(subject, answer.status, answer.body)
        // By its code: an address without details, such as the edge's, answers 404 too.
        return error.code?.endsWith("_not_found") === true ? fail(error) : undefined
      }
      const snapshot = answer._tag === "Body" ? readSnapshot(subject, answer.body) : null
      if (snapshot !== null) tell(snapshot)
    }

    /** The pause before the next poll after one that failed, told to whoever wants to know. */
    const troubled = ({ cause, reason, retryAfter, status }: Answer & { readonly _tag: "Trouble" }): number => {
      failures += 1
      const retryInMillis = retryAfter === null
        ? pauseAfterFailure(failures, random())
        : retryAfter * (1 + random() * pace.retryAfterJitter)
      if (retryAfter !== null) earliest = clock.now() + retryInMillis
      sink.trouble({ reason, status, cause, retryInMillis })
      return retryInMillis
    }

    /** One poll and what it leads to; the pause before the next one. */
    const poll = async (path: string, signal: AbortSignal): Promise<number> => {
      movedAt ??= clock.now()
      polls += 1
      earliest = clock.now() + pace.fastest
      const answer = await ask(`${options.baseUrl}${path}progress/`, etag, signal)
      signal.throwIfAborted()
      if (answer._tag === "Trouble") return troubled(answer)
      if (answer._tag === "Refused") {
        // A path that is not there is a server being replaced: the endpoint itself never answers so.
        if (answer.status === 404) {
          return troubled({ _tag: "Trouble", reason: "Status", status: 404, cause: null, retryAfter: null })
        }
        fail(refusal(subject, answer.status, answer.body))
        return 0
      }
      if (answer._tag === "Body") {
        const snapshot = readSnapshot(subject, answer.body)
        if (snapshot === null) {
          const { body: cause, retryAfter } = answer
          return troubled({ _tag: "Trouble", reason: "Body", status: 200, cause, retryAfter })
        }
        etag = answer.etag
        nextPoll = numberOf(fieldsOf(answer.body)["nextPollMs"])
        if (snapshot.status === "UNKNOWN") unknown += 1
        else {
          unknown = 0
          tell(snapshot)
        }
      } else if (unknown > 0) unknown += 1
      failures = 0
      if (unknown >= pace.unknownBeforeDetail && clock.now() - detailAt >= pace.detailEvery) {
        await askDetail(path, signal)
      }
      const now = clock.now()
      if (answer.retryAfter !== null) earliest = now + answer.retryAfter
      const age = now - startedAt
      return nextPoll === null ? pauseAfterAnswer(age, now - (movedAt ?? now)) : pauseAskedFor(nextPoll, age, polls)
    }

    const run = async (path: string, signal: AbortSignal): Promise<void> => {
      try {
        await pause(earliest - clock.now(), signal)
        while (!signal.aborted) {
          const next = await poll(path, signal)
          await pause(Math.max(next, earliest - clock.now()), signal)
        }
      } catch (cause) {
        if (!signal.aborted) throw cause
      }
    }

    return {
      resume: () => {
        if (running !== null) return
        if (path === null) return sink.failed(refusal(subject, 400, { detail: "there is no such id" }))
        running = new AbortController()
        void run(path, running.signal)
      },
      pause: stop
    }
  }

  return { watch }
}
