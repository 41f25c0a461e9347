import type { StoredProgress, Subject } from "@lectern/domain"
import { type TokenVerifier, TokenRefused, type Verdict } from "../tokens/index.ts"
import { type AccessLog, type EdgeOutcome, type EdgeRouteName, noAccessLog } from "./AccessLog.ts"
import { type AllowedOrigins, crossOriginHeaders, preflightHeaders } from "./crossOrigin.ts"
import type { EdgeAnswer, EdgeQuestion } from "./EdgeAnswer.ts"
import { edgeRoute } from "./EdgeRoute.ts"
import { jobBody } from "./jobBody.ts"
import type { ProgressBody } from "./ProgressBody.ts"
import { makeSharedReader, type ReadProgress } from "./SharedReader.ts"
import { videoBody } from "./videoBody.ts"

export interface EdgeHandlerOptions {
  /** The mirror. It may reject and it may hang: both are answered with UNKNOWN. */
  readonly read: ReadProgress
  readonly verify: TokenVerifier
  /** `"*"` by default. */
  readonly allowedOrigins?: AllowedOrigins
  /** Milliseconds that a read may take, 280 by default, so that an answer takes less than 300. */
  readonly readTimeoutMillis?: number
  /** Nothing is logged by default. */
  readonly accessLog?: AccessLog
  /**
   * Runs a task after everything that has arrived by now: what arrives until then is read in one round trip. `setImmediate` where
   * there is one. By default a microtask, which shares the reads of one request's turn alone.
   */
  readonly defer?: (task: () => void) => void
}

/** How often what happened, since the start. */
export interface EdgeCounts {
  readonly answers: number
  readonly unknown: number
  readonly unreadable: number
  readonly refused: number
  readonly failed: number
}

export interface Edge {
  /** The endpoints as a web-standard handler. Never rejects. */
  readonly handler: (request: Request) => Promise<Response>
  /** The same without a `Request`, for a runtime that has to build one. Never rejects. */
  readonly answer: (question: EdgeQuestion) => Promise<EdgeAnswer>
  readonly counts: () => EdgeCounts
}

/** What an answer was, for the log. */
interface Outcome {
  readonly answer: EdgeAnswer
  readonly route: EdgeRouteName
  readonly outcome: EdgeOutcome
  readonly tenantId: number | null
  readonly cause?: unknown
}

const defaultReadTimeoutMillis = 280

const jsonHeaders = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" }

const refusalBody = (detail: string, code: string): string => JSON.stringify({ detail, code })

const bodies = {
  noPath: refusalBody("There is no such path", "no_such_path"),
  noSlash: refusalBody("There is no such path; paths of this API end in a slash", "no_such_path"),
  method: refusalBody("This path takes GET and HEAD", "method_not_allowed"),
  failed: refusalBody("The request could not be answered", "internal_error")
}

const bodyOf = (subject: Subject, stored: StoredProgress | null): ProgressBody =>
  subject._tag === "Video" ? videoBody(subject.id, stored) : jobBody(subject.id, stored)

/**
 * Both progress endpoints of CONTRACT.md, section 2, for every runtime that has `Request`, `Response` and WebCrypto.
 *
 * An authenticated question gets 200 whatever Redis holds or does. 401 and 403 for the token, 400 for the id, 404 for any other
 * path (a missing slash at the end included), 405 for any other method. Every answer, errors included, allows origins, is JSON
 * and must not be stored by anybody.
 */
export const makeEdge = (options: EdgeHandlerOptions): Edge => {
  const { verify } = options
  const log = options.accessLog ?? noAccessLog
  const read = makeSharedReader({
    read: options.read,
    timeoutMillis: options.readTimeoutMillis ?? defaultReadTimeoutMillis,
    defer: options.defer ?? queueMicrotask
  })
  const allowed = options.allowedOrigins ?? "*"
  const headersFor = crossOriginHeaders(allowed, jsonHeaders)
  const unauthorizedFor = crossOriginHeaders(allowed, { ...jsonHeaders, "www-authenticate": "Bearer" })
  const methodFor = crossOriginHeaders(allowed, { ...jsonHeaders, allow: "GET, HEAD, OPTIONS" })
  const preflightFor = crossOriginHeaders(allowed, preflightHeaders)
  const counts = { answers: 0, unknown: 0, unreadable: 0, refused: 0, failed: 0 }

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

  const plain = (status: number, headers: EdgeAnswer["headers"], body: string | null): Outcome => ({
    answer: { status, headers, body },
    route: "other",
    outcome: "none",
    tenantId: null
  })

  const progress = async (question: EdgeQuestion, subject: Subject): Promise<Outcome> => {
    const route = subject._tag === "Video" ? "video" : "job"
    let verdict: Verdict | Promise<Verdict> = verify(question)
    // A remembered token is answered for at once: awaiting it would cost a turn on every poll.
    if (verdict instanceof Promise) verdict = await verdict
    if (verdict instanceof TokenRefused) return refusal(question, route, verdict)
    const { tenantId } = verdict
    const found = await read(tenantId, subject)
    const headers = headersFor(question.origin)
    if (found._tag === "Unreadable") {
      const answer = { status: 200, headers, body: bodyOf(subject, null).text }
      return { answer, route, outcome: "unreadable", tenantId, cause: found.cause }
    }
    const { known, text } = bodyOf(subject, found.stored)
    return {
      answer: { status: 200, headers, body: text },
      route,
      outcome: known ? "known" : "unknown",
      tenantId
    }
  }

  const decide = async (question: EdgeQuestion): Promise<Outcome> => {
    const { method, origin } = question
    const route = edgeRoute(question.url)
    if (route._tag === "Unknown") return plain(404, headersFor(origin), bodies.noPath)
    if (route._tag === "NoSlash") return plain(404, headersFor(origin), bodies.noSlash)
    if (method === "OPTIONS") return plain(204, preflightFor(origin), null)
    if (method !== "GET" && method !== "HEAD") return plain(405, methodFor(origin), bodies.method)
    if (route._tag === "Progress") return progress(question, route.subject)
    const verdict = await verify(question)
    return verdict instanceof TokenRefused
      ? refusal(question, "other", verdict)
      : plain(400, headersFor(origin), refusalBody(route.detail, "bad_id"))
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
    return question.method === "HEAD" ? { ...outcome.answer, body: null } : outcome.answer
  }

  return {
    answer,
    counts: () => ({ ...counts }),
    handler: async (request) => {
      const { headers, method, url } = request
      const { body, ...init } = await answer({
        method,
        url,
        authorization: headers.get("authorization"),
        tenantCode: headers.get("x-tenant-code"),
        origin: headers.get("origin")
      })
      return new Response(body, init)
    }
  }
}

/** {@link makeEdge}, where the handler is all that is wanted. */
export const makeEdgeHandler = (options: EdgeHandlerOptions): (request: Request) => Promise<Response> =>
  makeEdge(options).handler
