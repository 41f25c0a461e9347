import type { AllowedOrigins } from "@lectern/api/edge"
import { HttpServerResponse } from "effect/http"

const allowMethods = "GET, HEAD, POST, PUT, DELETE, OPTIONS"
const allowHeaders = "authorization, content-type, range, x-tenant-code"
const exposeHeaders = "content-disposition, content-length, content-range, etag, retry-after, x-request-id"

/** Seconds for which a browser may remember a preflight. */
const maxAge = "7200"

/**
 * Headers for every answer, errors too: without them a browser reports any failure as one of CORS (INCIDENTS.md, 2).
 */
export const crossOriginHeaders = (
  allowed: AllowedOrigins,
  origin: string | undefined
): Readonly<Record<string, string>> => {
  if (allowed === "*") {
    return { "access-control-allow-origin": "*", "access-control-expose-headers": exposeHeaders }
  }
  return origin !== undefined && allowed.includes(origin)
    ? { "access-control-allow-origin": origin, "access-control-expose-headers": exposeHeaders, vary: "origin" }
    : { vary: "origin" }
}

export const preflightResponse: HttpServerResponse.HttpServerResponse = HttpServerResponse.empty({
  status: 204,
  headers: {
    "access-control-allow-methods": allowMethods,
    "access-control-allow-headers": allowHeaders,
    "access-control-max-age": maxAge
  }
})
