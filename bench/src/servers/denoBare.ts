/**
 * The yardstick for Deno: `Deno.serve` and one MGET of ioredis. It decodes nothing, checks no token and logs nothing.
 *
 * With `BENCH_HEADERS=on` it reads the headers and sends the headers that the progress API has: Deno has a way of its own
 * for an answer whose only header is one of three content types.
 */
import { Redis } from "ioredis"

declare const Deno: {
  readonly env: { readonly get: (name: string) => string | undefined }
  readonly serve: (
    options: { readonly hostname: string; readonly port: number; readonly onListen: (address: { readonly port: number }) => void },
    handler: (request: Request) => Promise<Response>
  ) => void
}

const redis = new Redis(Deno.env.get("REDIS_URL") ?? "")
const prefix = "/api/v1/media/videos/"
const headers = { "content-type": "application/json" }
const sendsAll = Deno.env.get("BENCH_HEADERS") === "on"
const read = ["authorization", "x-tenant-code", "origin", "if-none-match", "last-event-id"]
const sent = {
  "content-type": "application/json; charset=utf-8",
  "cache-control": "no-store",
  "access-control-allow-origin": "*",
  "access-control-expose-headers": "retry-after, etag"
}
let answers = 0

const headersOf = (request: Request): Record<string, string> => {
  const values = read.map((name) => request.headers.get(name))
  if (values[0] === null) throw new Error("A question has no token")
  answers += 1
  return { ...sent, etag: `"1-5.1-5.1.12.${answers}"`, "retry-after": "2" }
}

Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.error(`port ${port}`) },
  async (request) => {
    const start = request.url.indexOf(prefix) + prefix.length
    const id = request.url.slice(start, request.url.indexOf("/", start))
    const [status, progress] = await redis.mget(`tenant:7:video:${id}:status`, `tenant:7:video:${id}:progress`)
    const body = `{"id":${id},"status":${status ?? "null"},"progress":${progress ?? "null"}}`
    return new Response(body, { headers: sendsAll ? headersOf(request) : headers })
  }
)
