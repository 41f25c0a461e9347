/** Which pages may call: `"*"`, or exact origins such as `https://school.example`. No cookie is involved, so any page may. */
export type AllowedOrigins = "*" | ReadonlyArray<string>

type Headers = Readonly<Record<string, string>>

const maxAgeSeconds = "7200"

const exposed = "retry-after, etag"

/**
 * The headers for every answer, by the page that asks. Errors carry them too: without them a browser calls any failure one of
 * CORS (INCIDENTS.md, 2). The objects are made once and shared.
 */
export const crossOriginHeaders = (allowed: AllowedOrigins, base: Headers): (origin: string | null) => Headers => {
  if (allowed === "*") {
    const open = { ...base, "access-control-allow-origin": "*", "access-control-expose-headers": exposed }
    return () => open
  }
  const foreign = { ...base, vary: "origin" }
  const byOrigin = new Map<string | null, Headers>(allowed.map((origin) => [
    origin,
    { ...foreign, "access-control-allow-origin": origin, "access-control-expose-headers": exposed }
  ]))
  return (origin) => byOrigin.get(origin) ?? foreign
}

export const preflightHeaders: Headers = {
  "access-control-allow-methods": "GET, HEAD, OPTIONS",
  "access-control-allow-headers": "authorization, content-type, x-tenant-code, if-none-match, last-event-id",
  "access-control-max-age": maxAgeSeconds
}
