import type { Subject, TenantId } from "@lectern/domain"
import { type TokenVerifier, TokenRefused, type Verdict } from "../tokens/index.ts"
import { type AccessLog, type EdgeOutcome, type EdgeRouteName, noAccessLog } from "./AccessLog.ts"
import { makeBoundedRead } from "./boundedRead.ts"
import { type AllowedOrigins, crossOriginHeaders, preflightHeaders } from "./crossOrigin.ts"
import type { EdgeAnswer, EdgeQuestion } from "./EdgeAnswer.ts"
import { edgeRoute } from "./EdgeRoute.ts"
import { hasCurrent } from "./ifNoneMatch.ts"
import { eventBody } from "./EventSink.ts"
import type { ListenerLimits } from "./ListenerSeats.ts"
import { makeProgressHub, type ProgressChanges } from "./ProgressHub.ts"
import type { RateLimit } from "./RateLimit.ts"
import { makeSharedReader, type ReadProgress, type SharedRead } from "./SharedReader.ts"
import { maySee, readFor, shownBody } from "./shownBody.ts"
import { tokenName } from "./tokenName.ts"

export interface EdgeHandlerOptions {
  /** The mirror. It may reject and it may hang: both are answered with UNKNOWN. */
  readonly read: ReadProgress
  readonly verify: TokenVerifier
  /** `"*"` by default. */
  readonly allowedOrigins?: AllowedOrigins
  /**
   * Milliseconds that a read may take, 200 by default: what remains of 300 is for a crowd that is answered at the same
   * moment.
   */
  readonly readTimeoutMillis?: number
  /** Nothing is logged by default. */
  readonly accessLog?: AccessLog
  /**
   * Runs a task after everything that has arrived by now: what arrives until then is read in one round trip.
   * `setImmediate` where there is one. By default a microtask, which shares the reads of one request's turn alone.
   */
  readonly defer?: (task: () => void) => void
  /** Who asks too often gets 429 and when to come back; nobody does by default. */
  readonly rateLimit?: RateLimit
  /**
   * Serves streams of events too; without it their paths are none. Not for a runtime where one request may not write to
   * another's connection. Without `changes` the mirror is read every two seconds for those who listen.
   */
  readonly events?: { readonly changes?: ProgressChanges; readonly limits?: Partial<ListenerLimits> }
}

/** How often what happened, since the start. */
export interface EdgeCounts {
  readonly answers: number
  readonly unknown: number
  readonly unreadable: number
  readonly refused: number
  readonly limited: number
  readonly failed: number
}

export interface Edge {
  /** The endpoints as a web-standard handler. Never rejects. */
  readonly handler: (request: Request) => Promise<Response>
  /** The same without a `Request`, for a runtime that has to build one. Never rejects. */
  readonly answer: (question: EdgeQuestion) => Promise<EdgeAnswer>
  readonly counts: () => EdgeCounts
  /** Streams that are open. */
  readonly listeners: () => number
  /** Ends all streams: the process is to end. */
  readonly close: () => void
}

/** What an answer was, for the log. */
interface Outcome {
  readonly answer: EdgeAnswer
  readonly route: EdgeRouteName
  readonly outcome: EdgeOutcome
  readonly tenantId: number | null
  readonly cause?: unknown
}

const defaultReadTimeoutMillis = 200

const jsonHeaders = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" }

/** `x-accel-buffering`: a proxy of nginx's would collect events before it sends them. */
const eventHeaders = {
  "content-type": "text/event-stream; charset=utf-8",
  "cache-control": "no-store",
  "x-accel-buffering": "no"
}

/** Seconds after which a stream that found no room may try again; until then its page polls. */
const fullRetryAfter = "60"

/** Subjects of a tray that count as one request. */
const subjectsPerCost = 10

const refusalBody = (detail: string, code: string): string => JSON.stringify({ detail, code })

const bodies = {
  noPath: refusalBody("There is no such path", "no_such_path"),
  noSlash: refusalBody("There is no such path; paths of this API end in a slash", "no_such_path"),
  method: refusalBody("This path takes GET and HEAD", "method_not_allowed"),
  limited: refusalBody("There are too many requests of this token or tenant; ask again later", "rate_limited"),
  processFull: refusalBody("There are too many listeners here; ask without events", "too_many_listeners"),
  callerFull: refusalBody("This token or tenant has too many listeners; ask without events", "too_many_listeners"),
  failed: refusalBody("The request could not be answered", "internal_error")
}

const retryAfterOf = (millis: number): string => String(Math.ceil(millis / 1_000))

/**
 * Both progress endpoints of CONTRACT.md, section 2, and the tray of several at once, for every runtime that has
 * `Request`, `Response` and WebCrypto.
 *
 * An authenticated question gets 200 whatever Redis holds or does, or 304 where the client has that answer already. 401
 * and 403 for the token, 429 where there is a limit, 400 for the id, 404 for any other path (a missing slash at the end
 * included), 405 for any other method. Every answer, errors included, allows origins, is JSON and must not be stored by
 * anybody.
 */
export const makeEdge = (options: EdgeHandlerOptions): Edge => {
  const { verify } = options
  const log = options.accessLog ?? noAccessLog
  const defer = options.defer ?? queueMicrotask
  const timeoutMillis = options.readTimeoutMillis ?? defaultReadTimeoutMillis
  const readerOptions = { read: makeBoundedRead({ read: options.read, timeoutMillis, defer }), defer }
  const read = makeSharedReader(readerOptions)
  const hub = options.events === undefined
    ? undefined
    : makeProgressHub({ ...options.events, read: makeSharedReader(readerOptions).one })
  const allowed = options.allowedOrigins ?? "*"
  const headersFor = crossOriginHeaders(allowed, jsonHeaders)
  const unauthorizedFor = crossOriginHeaders(allowed, { ...jsonHeaders, "www-authenticate": "Bearer" })
  const methodFor = crossOriginHeaders(allowed, { ...jsonHeaders, allow: "GET, HEAD, OPTIONS" })
  const eventHeadersFor = crossOriginHeaders(allowed, eventHeaders)
  const preflightFor = crossOriginHeaders(allowed, preflightHeaders)
  const counts = { answers: 0, unknown: 0, unreadable: 0, refused: 0, limited: 0, failed: 0 }

  const refusal = (question: EdgeQuestion, route: EdgeRouteName, refused: TokenRefused): Outcome => ({
    answer: {
      status: refused.status,
      headers: (refused.status === 401 ? unauthorizedFor : headersFor)(question.origin),
      body: refusalBody(refused.detail, refused.code)
    },
    route,
    outcome: "refused",
    tenantId: null,
    cause: refused
  })

  /** The refusal of a caller who asks too often, and `null` for any other. */
  const limited = (question: EdgeQuestion, route: EdgeRouteName, tenantId: TenantId, cost: number): Outcome | null => {
    const seconds = options.rateLimit?.(tenantId, question.authorization ?? "", cost) ?? null
    if (seconds === null) return null
    const headers = { ...headersFor(question.origin), "retry-after": String(seconds) }
    return { ...plain(429, headers, bodies.limited), route, outcome: "limited", tenantId }
  }

  const plain = (status: number, headers: EdgeAnswer["headers"], body: string | null): Outcome => ({
    answer: { status, headers, body },
    route: "other",
    outcome: "none",
    tenantId: null
  })

  const answerHeaders = (origin: string | null, tag: string | null, nextPollMillis: number | null): EdgeAnswer["headers"] => {
    const headers = headersFor(origin)
    if (tag === null) return nextPollMillis === null ? headers : { ...headers, "retry-after": retryAfterOf(nextPollMillis) }
    const etag = `"${tag}"`
    return nextPollMillis === null ? { ...headers, etag } : { ...headers, etag, "retry-after": retryAfterOf(nextPollMillis) }
  }

  const progress = async (question: EdgeQuestion, subject: Subject): Promise<Outcome> => {
    const route = subject._tag === "Video" ? "video" : "job"
    let verdict: Verdict | Promise<Verdict> = verify(question)
    // A remembered token is answered for at once: awaiting it would cost a turn on every poll.
    if (verdict instanceof Promise) verdict = await verdict
    if (verdict instanceof TokenRefused) return refusal(question, route, verdict)
    const { tenantId } = verdict
    const refused = limited(question, route, tenantId, 1)
    if (refused !== null) return refused
    const found = await read.one(tenantId, readFor(verdict, subject))
    const { known, nextPollMillis, tag, text } = shownBody(maySee(verdict, subject), subject, found)
    const headers = answerHeaders(question.origin, tag, nextPollMillis)
    const answer = hasCurrent(question.ifNoneMatch, tag)
      ? { status: 304, headers, body: null }
      : { status: 200, headers, body: text }
    return found._tag === "Unreadable"
      ? { answer, route, outcome: "unreadable", tenantId, cause: found.cause }
      : { answer, route, outcome: known ? "known" : "unknown", tenantId }
  }

  const tray = async (question: EdgeQuestion, subjects: ReadonlyArray<Subject>): Promise<Outcome> => {
    const verdict = await verify(question)
    if (verdict instanceof TokenRefused) return refusal(question, "tray", verdict)
    const { tenantId } = verdict
    const refused = limited(question, "tray", tenantId, Math.max(1, Math.ceil(subjects.length / subjectsPerCost)))
    if (refused !== null) return refused
    const reads = await read.many(tenantId, subjects.map((subject) => readFor(verdict, subject)))
    const texts: Record<Subject["_tag"], Array<string>> = { Video: [], Job: [] }
    let nextPollMillis: number | null = null
    let isKnown = false
    let unreadable: SharedRead & { readonly _tag: "Unreadable" } | undefined
    for (const [index, subject] of subjects.entries()) {
      const found = reads[index]
      if (found === undefined) continue
      if (found._tag === "Unreadable") unreadable = found
      const body = shownBody(maySee(verdict, subject), subject, found)
      texts[subject._tag].push(body.text)
      isKnown ||= body.known
      if (body.nextPollMillis !== null) nextPollMillis = Math.min(nextPollMillis ?? Infinity, body.nextPollMillis)
    }
    const answer = {
      status: 200,
      headers: answerHeaders(question.origin, null, nextPollMillis),
      body: `{"videos":[${texts.Video.join(",")}],"jobs":[${texts.Job.join(",")}]}`
    }
    return unreadable === undefined
      ? { answer, route: "tray", outcome: isKnown ? "known" : "unknown", tenantId }
      : { answer, route: "tray", outcome: "unreadable", tenantId, cause: unreadable.cause }
  }

  const events = async (question: EdgeQuestion, subjects: ReadonlyArray<Subject>): Promise<Outcome> => {
    if (hub === undefined) return plain(404, headersFor(question.origin), bodies.noPath)
    const verdict = await verify(question)
    if (verdict instanceof TokenRefused) return refusal(question, "events", verdict)
    const { tenantId } = verdict
    const refused = limited(question, "events", tenantId, 1)
    if (refused !== null) return refused
    const { lastEventId } = question
    const open = hub.open({ principal: verdict, token: tokenName(question.authorization ?? ""), subjects, lastEventId })
    if (open === "ProcessFull" || open === "CallerFull") {
      const headers = { ...headersFor(question.origin), "retry-after": fullRetryAfter }
      const [status, body] = open === "ProcessFull" ? [503, bodies.processFull] : [429, bodies.callerFull]
      return { ...plain(status, headers, body), route: "events", outcome: "limited", tenantId }
    }
    const answer = { status: 200, headers: eventHeadersFor(question.origin), body: null, events: open }
    return { answer, route: "events", outcome: "none", tenantId }
  }

  const badId = async (question: EdgeQuestion, detail: string): Promise<Outcome> => {
    const verdict = await verify(question)
    return verdict instanceof TokenRefused
      ? refusal(question, "other", verdict)
      : plain(400, headersFor(question.origin), refusalBody(detail, "bad_id"))
  }

  /** A promise only of what has to wait: each one more costs every poll. */
  const decide = (question: EdgeQuestion): Outcome | Promise<Outcome> => {
    const { method, origin } = question
    const route = edgeRoute(question.url)
    if (route._tag === "Unknown") return plain(404, headersFor(origin), bodies.noPath)
    if (route._tag === "NoSlash") return plain(404, headersFor(origin), bodies.noSlash)
    if (method === "OPTIONS") return plain(204, preflightFor(origin), null)
    if (method !== "GET" && method !== "HEAD") return plain(405, methodFor(origin), bodies.method)
    if (route._tag === "Progress") return progress(question, route.subject)
    if (route._tag === "Tray") return tray(question, route.subjects)
    if (route._tag === "Events") return events(question, route.subjects)
    return badId(question, route.detail)
  }

  const answer = async (question: EdgeQuestion): Promise<EdgeAnswer> => {
    const startedAt = performance.now()
    let outcome: Outcome
    try {
      outcome = await decide(question)
    } catch (cause) {
      // A defect of ours: there is no answer to it, but it must neither hang the client nor stay unseen.
      outcome = { ...plain(500, headersFor(question.origin), bodies.failed), outcome: "failed", cause }
    }
    counts.answers += 1
    if (outcome.outcome !== "known" && outcome.outcome !== "none") counts[outcome.outcome] += 1
    log.record({
      route: outcome.route,
      method: question.method,
      status: outcome.answer.status,
      outcome: outcome.outcome,
      tenantId: outcome.tenantId,
      millis: performance.now() - startedAt,
      cause: outcome.cause
    })
    if (question.method !== "HEAD") return outcome.answer
    const { headers, status } = outcome.answer
    return { status, headers, body: null }
  }

  return {
    answer,
    counts: () => ({ ...counts }),
    listeners: () => hub?.listeners() ?? 0,
    close: () => hub?.close(),
    handler: async (request) => {
      const { headers, method, url } = request
      const { body, events: open, ...init } = await answer({
        method,
        url,
        authorization: headers.get("authorization"),
        tenantCode: headers.get("x-tenant-code"),
        origin: headers.get("origin"),
        ifNoneMatch: headers.get("if-none-match"),
        lastEventId: headers.get("last-event-id")
      })
      return new Response(open === undefined ? body : eventBody(open), init)
    }
  }
}

/** {@link makeEdge}, where the handler is all that is wanted. */
export const makeEdgeHandler = (options: EdgeHandlerOptions): (request: Request) => Promise<Response> =>
  makeEdge(options).handler
