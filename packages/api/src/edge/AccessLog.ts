import { type EdgeLogLevel, edgeLogLine } from "./edgeLogLine.ts"

/**
 * What the edge tells about its requests.
 *
 * Every open tab asks once a second: a line for each answer costs more than the answer, is read by nobody and hides the
 * rest. So by default the log has one line for each ten seconds with any traffic, with counts by route, status and outcome
 * and how long the answers took; and at once one line for the first of each kind of trouble in those ten seconds: Redis could not
 * be read, a token was refused, the handler failed. `each` writes a line per request instead, for a day of looking closely.
 * Neither names a token, a subject or what was stored.
 */
export interface AccessLog {
  readonly record: (answered: Answered) => void
  /** Writes what is not written yet: at the end of the process, and now and then where traffic may stop. */
  readonly flush: () => void
}

export type EdgeRouteName = "video" | "job" | "tray" | "events" | "other"
export type EdgeOutcome = "known" | "unknown" | "unreadable" | "refused" | "limited" | "failed" | "none"

export interface Answered {
  readonly route: EdgeRouteName
  readonly method: string
  readonly status: number
  readonly outcome: EdgeOutcome
  readonly tenantId: number | null
  /** Milliseconds from the question to the answer. */
  readonly millis: number
  /** Of trouble. */
  readonly cause?: unknown
}

export interface AccessLogOptions {
  readonly mode: "summary" | "each"
  /** Takes whole lines of JSON, each with its line feed. */
  readonly write: (lines: string) => void
  /** Milliseconds since 1970. */
  readonly now?: () => number
}

const windowMillis = 10_000

/** Upper ends of the buckets, in milliseconds; what took longer is in the last one. */
const buckets = [1, 2, 5, 10, 25, 50, 100, 250, 300, 1000] as const

const noDurations = (): Array<number> => [...buckets, Infinity].map(() => 0)

const isTrouble = (outcome: EdgeOutcome): boolean =>
  outcome === "unreadable" || outcome === "refused" || outcome === "failed"

const levelOf = (outcome: EdgeOutcome): EdgeLogLevel =>
  outcome === "failed" ? "ERROR" : isTrouble(outcome) ? "WARN" : "INFO"

/** The upper end of the bucket in which the given part (0..1) of the answers is reached; `null` beyond the last. */
const quantile = (counts: ReadonlyArray<number>, total: number, part: number): number | null => {
  let seen = 0
  for (const [index, count] of counts.entries()) {
    seen += count
    if (seen >= total * part) return buckets[index] ?? null
  }
  return null
}

const makeSummary = (write: (lines: string) => void, now: () => number): AccessLog => {
  let counts = new Map<string, number>()
  let reported = new Set<string>()
  let durations = noDurations()
  let total = 0
  let startedAt = now()

  const flush = (): void => {
    if (total === 0) return
    const time = now()
    write(edgeLogLine({
      time,
      level: "INFO",
      message: "answers",
      detail: {
        seconds: Math.round((time - startedAt) / 100) / 10,
        total,
        counts: Object.fromEntries([...counts].sort(([a], [b]) => a < b ? -1 : 1)),
        millis: { p50: quantile(durations, total, 0.5), p99: quantile(durations, total, 0.99) }
      }
    }))
    counts = new Map()
    reported = new Set()
    durations = noDurations()
    total = 0
    startedAt = time
  }

  return {
    flush,
    record: (answered) => {
      const time = now()
      if (total === 0) startedAt = time
      else if (time - startedAt >= windowMillis) flush()
      const { millis, outcome, route, status } = answered
      const kind = `${route} ${status} ${outcome}`
      counts.set(kind, (counts.get(kind) ?? 0) + 1)
      total += 1
      let bucket = 0
      while (bucket < buckets.length && millis > (buckets[bucket] ?? 0)) bucket += 1
      durations[bucket] = (durations[bucket] ?? 0) + 1
      if (isTrouble(outcome) && !reported.has(kind)) {
        reported.add(kind)
        write(edgeLogLine({
          time,
          level: levelOf(outcome),
          message: `first ${outcome} answer`,
          tenant: answered.tenantId,
          cause: answered.cause,
          detail: { route, status }
        }))
      }
    }
  }
}

/** Characters that are collected before they are written, where a line is written for each request. */
const bufferChars = 16_384

const makeEach = (write: (lines: string) => void, now: () => number): AccessLog => {
  let buffer = ""
  const flush = (): void => {
    if (buffer === "") return
    const lines = buffer
    buffer = ""
    write(lines)
  }
  return {
    flush,
    record: ({ cause, method, millis, outcome, route, status, tenantId }) => {
      buffer += edgeLogLine({
        time: now(),
        level: levelOf(outcome),
        message: "request",
        tenant: tenantId,
        cause,
        detail: { method, route, status, outcome, millis: Math.round(millis * 100) / 100 }
      })
      if (buffer.length >= bufferChars) flush()
    }
  }
}

export const makeAccessLog = (options: AccessLogOptions): AccessLog =>
  (options.mode === "each" ? makeEach : makeSummary)(options.write, options.now ?? Date.now)

/** For tests, and for whoever logs around the handler. */
export const noAccessLog: AccessLog = { record: () => undefined, flush: () => undefined }
