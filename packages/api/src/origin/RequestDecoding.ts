import { Effect, type Layer, SchemaIssue } from "effect"
import type { HttpServerResponse } from "effect/http"
import { type HttpApiError, HttpApiMiddleware } from "effect/http-api"
import { BadRequest } from "./Refusal.ts"

/** Longer explanations are cut: they repeat what the client sent. */
const maxDetailLength = 300

const format = SchemaIssue.makeFormatterStandardSchemaV1()

const segment = (part: PropertyKey | { readonly key: PropertyKey }): string =>
  String(typeof part === "object" ? part.key : part)

const place: Record<HttpApiError.HttpApiSchemaError["kind"], string> = {
  Params: "the path",
  Headers: "the headers",
  Query: "the query",
  Payload: "the body",
  Body: "the response",
  ResponseHeaders: "the response"
}

/** One sentence on the first thing that is wrong with a request. */
export const describeSchemaError = (error: HttpApiError.HttpApiSchemaError): string => {
  const issue = format(error.cause.issue).issues[0]
  const path = (issue?.path ?? []).map(segment).join(".")
  const where = path === "" ? place[error.kind] : `"${path}" in ${place[error.kind]}`
  const detail = `Cannot accept ${where}: ${issue?.message ?? "it has the wrong form"}`
  return detail.length <= maxDetailLength ? detail : `${detail.slice(0, maxDetailLength - 1)}…`
}

/** Gives HttpApi's own refusals, which have no body, the body that the contract asks for. */
export class RequestDecoding extends HttpApiMiddleware.Service<RequestDecoding>()("@lectern/api/RequestDecoding", {
  error: BadRequest
}) {
  static readonly layer: Layer.Layer<RequestDecoding> = HttpApiMiddleware.layerSchemaErrorTransform(
    RequestDecoding,
    (error): Effect.Effect<HttpServerResponse.HttpServerResponse, BadRequest | HttpApiError.HttpApiSchemaError> =>
      error.kind === "Body" || error.kind === "ResponseHeaders"
        // Ours, not the client's: it ends as a 500.
        ? Effect.fail(error)
        : Effect.fail(
          new BadRequest({ detail: describeSchemaError(error), code: `invalid_${error.kind.toLowerCase()}` })
        )
  )
}
