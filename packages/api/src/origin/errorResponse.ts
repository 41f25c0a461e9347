/**
 * Every failure as `{"detail", "code"}`: those that HttpApi and the router answer with no body or with text, and what
 * nobody expected, of which a client learns nothing but that it happened.
 */
import { Cause, Effect, Schema } from "effect"
import { HttpServerError, HttpServerResponse, Multipart } from "effect/http"
import { RefusalBody } from "./Refusal.ts"

const encode = Schema.encodeSync(RefusalBody)

export const refusalResponse = (
  status: number,
  code: string,
  detail: string,
  headers: Readonly<Record<string, string>> = {}
): HttpServerResponse.HttpServerResponse =>
  HttpServerResponse.jsonUnsafe(encode({ detail, code }), { status, headers })

/**
 * For an answer that does not wait for the end of the body: the connection cannot be kept, and a client that is not
 * told so would send its next request into it.
 */
const unread = { connection: "close" }

export const bodyTooLarge = (): HttpServerResponse.HttpServerResponse =>
  refusalResponse(413, "body_too_large", "Cannot accept the body: it is too large", unread)
const bodyUnreadable = () =>
  refusalResponse(400, "invalid_body", "Cannot read the body: it ended early or is malformed", unread)

const multipartResponse: Record<
  Multipart.MultipartError["reason"]["_tag"],
  () => HttpServerResponse.HttpServerResponse
> = {
  FileTooLarge: () =>
    refusalResponse(413, "file_too_large", "Cannot accept the file: it is larger than 20 MiB", unread),
  FieldTooLarge: bodyTooLarge,
  BodyTooLarge: bodyTooLarge,
  TooManyParts: bodyTooLarge,
  InternalError: bodyUnreadable,
  Parse: bodyUnreadable
}

/** `null` for what is no failure of reading a request. */
const requestFailure = (failure: unknown): HttpServerResponse.HttpServerResponse | null => {
  if (Multipart.isMultipartError(failure)) return multipartResponse[failure.reason._tag]()
  if (HttpServerError.isHttpServerError(failure) && failure.reason._tag === "RequestParseError") {
    return failure.reason.reason === "BodyTooLarge" ? bodyTooLarge() : bodyUnreadable()
  }
  return null
}

const isRouteNotFound = (failure: unknown): boolean =>
  HttpServerError.isHttpServerError(failure) && failure.reason._tag === "RouteNotFound"

/** What to answer for a cause; `noRoute` answers for a path or method that nothing serves. */
export const causeResponse = (
  cause: Cause.Cause<unknown>,
  noRoute: () => HttpServerResponse.HttpServerResponse
): Effect.Effect<HttpServerResponse.HttpServerResponse> => {
  const failures = cause.reasons.flatMap((reason) =>
    reason._tag === "Fail" ? [reason.error] : reason._tag === "Die" ? [reason.defect] : []
  )
  if (failures.length === 0) return Effect.interrupt
  for (const failure of failures) {
    if (isRouteNotFound(failure)) return Effect.succeed(noRoute())
    const response = requestFailure(failure)
    if (response !== null) return Effect.succeed(response)
  }
  return Effect.as(
    Effect.logError("A request failed unexpectedly", { cause: Cause.pretty(cause) }),
    refusalResponse(500, "internal_error", "Something went wrong here; the failure was recorded")
  )
}

const plainRefusals: Readonly<Record<number, readonly [code: string, detail: string]>> = {
  400: ["invalid_request", "Cannot accept the request: it is malformed"],
  413: ["body_too_large", "Cannot accept the body: it is too large"],
  415: ["unsupported_body", "Cannot accept the body: its Content-Type is not what this address takes"],
  500: ["internal_error", "Something went wrong here; the failure was recorded"]
}

/**
 * Gives the framework's answers without a JSON body the body of the contract, and refusals the headers that go with
 * them.
 */
export const asContractError = (
  response: HttpServerResponse.HttpServerResponse
): HttpServerResponse.HttpServerResponse => {
  if (response.status < 400) return response
  const plain = response.headers["content-type"]?.startsWith("application/json") === true
    ? undefined
    : plainRefusals[response.status] ?? ["refused", "The request was refused"]
  const refused = plain === undefined ? response : refusalResponse(response.status, plain[0], plain[1])
  switch (refused.status) {
    case 401:
      return HttpServerResponse.setHeader(refused, "www-authenticate", "Bearer")
    case 503:
      return HttpServerResponse.setHeader(refused, "retry-after", "5")
    default:
      return refused
  }
}
