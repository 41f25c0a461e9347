import type { Clock } from "./Clock.ts"
import * as pace from "./pollingPace.ts"
import type { ProgressTrouble } from "./ProgressWatchError.ts"

export interface ServerCallsOptions {
  readonly token: () => Promise<string>
  readonly fetch: typeof fetch
  readonly clock: Clock
}

/** What came of a question. */
export interface Answer {
  /** `null` without an answer. */
  readonly status: number | null
  /** What the JSON of it says; `undefined` where there is none. */
  readonly body: unknown
  readonly etag: string | null
  /** Milliseconds. */
  readonly retryAfter: number | null
  /** What went wrong, if something did. */
  readonly reason: ProgressTrouble["reason"]
  readonly cause: unknown
}

/** An event of a stream: its `event`, `id` and `data`, each of one line, as the edge writes them. */
export type EventField = (name: "event" | "id" | "data") => string | null

/**
 * Takes the events of a part of a stream, none of a mere sign of life. Returns how many milliseconds the next part may
 * take.
 */
export type StreamListener = (events: ReadonlyArray<EventField>) => number

/**
 * Asks, or listens until the stream ends, breaks or is silent for too long. What `tag` names is known: it is not told
 * again. Never rejects; when `wanted` is aborted, what it resolves with says nothing.
 */
export type CallServer = (
  url: string,
  tag: string | null,
  wanted: AbortSignal,
  listener?: StreamListener
) => Promise<Answer>

/** Milliseconds; the header has seconds or a date. */
const retryAfterOf = (header: string | null): number | null => {
  if (header === null) return null
  const seconds = Number(header)
  // A date is of the machine's time, whatever clock measures the pauses.
  const millis = Number.isNaN(seconds) ? Date.parse(header) - Date.now() : seconds * 1_000
  return Number.isNaN(millis) ? null : pace.obeyed(millis)
}

const fieldsIn = (block: string): EventField => (name) => new RegExp(`^${name}: ?(.*)`, "m").exec(block)?.[1] ?? null

const readStream = async (
  body: ReadableStream<Uint8Array<ArrayBuffer>>,
  listener: StreamListener,
  extend: (millis: number) => void
): Promise<void> => {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader()
  let rest = ""
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return
    const blocks = (rest + value).split("\n\n")
    rest = blocks.pop() ?? ""
    extend(listener(blocks.map(fieldsIn)))
  }
}

/**
 * Calls resolve with the answer as far as it came, as soon as it is read, not wanted any more or late: a `fetch` or a
 * token that hangs holds nobody up. A signal of their own ends what is left of them, such as a body that nobody reads.
 */
export const makeServerCalls =
  ({ clock, fetch, token }: ServerCallsOptions): CallServer => (url, tag, wanted, listener) =>
  new Promise((resolve) => {
    const own = new AbortController()
    const { signal } = own
    const answer: { -readonly [Name in keyof Answer]: Answer[Name] } = {
      status: null,
      body: null,
      etag: null,
      retryAfter: null,
      reason: "Token",
      cause: null
    }
    let cancel = (): void => undefined
    const end = (cause: unknown): void => {
      cancel()
      resolve({ ...answer, cause })
      own.abort()
    }
    const extend = (millis: number): void => {
      cancel()
      if (!signal.aborted) cancel = clock.after(millis, () => end(new Error(`No answer within ${millis} ms`)))
    }
    const call = async (): Promise<void> => {
      const headers: Record<string, string> = { authorization: `Bearer ${await token()}` }
      if (tag !== null) {
        if (listener === undefined) headers["if-none-match"] = tag
        else headers["last-event-id"] = tag.slice(1, -1)
      }
      answer.reason = "Network"
      const response = await fetch(url, { headers, signal })
      answer.status = response.status
      answer.reason = response.ok ? "Body" : "Status"
      answer.etag = response.headers.get("etag")
      answer.retryAfter = retryAfterOf(response.headers.get("retry-after"))
      if (listener === undefined) {
        if (response.status !== 304) answer.body = await response.json()
      } else if (response.ok && response.body !== null) await readStream(response.body, listener, extend)
      end(null)
    }
    extend(listener === undefined ? pace.requestTimeout : pace.eventsOpening)
    wanted.addEventListener("abort", end, { signal })
    call().catch(end)
  })
