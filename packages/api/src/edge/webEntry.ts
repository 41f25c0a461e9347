/** What the entries of all web-standard runtimes have around the handler. */
export type WebHandler = (request: Request) => Promise<Response>

const healthPath = "/healthz"

const healthHeaders = { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" }

const isHealth = ({ method, url }: Request): boolean =>
  // No path of the API ends in this: nearly every request is told apart without its address being parsed.
  url.endsWith(healthPath) && (method === "GET" || method === "HEAD") && new URL(url).pathname === healthPath

/** Answers `/healthz` without touching anything, and leaves all else to the handler. */
export const withHealth = (handler: WebHandler): WebHandler => async (request) =>
  isHealth(request)
    ? new Response(request.method === "HEAD" ? null : `{"status":"ok"}`, { headers: healthHeaders })
    : handler(request)
