/** The yardstick for Deno: `Deno.serve` and one MGET of ioredis. It decodes nothing, checks no token and logs nothing. */
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

Deno.serve(
  { hostname: "127.0.0.1", port: 0, onListen: ({ port }) => console.error(`port ${port}`) },
  async (request) => {
    const start = request.url.indexOf(prefix) + prefix.length
    const id = request.url.slice(start, request.url.indexOf("/", start))
    const [status, progress] = await redis.mget(`tenant:7:video:${id}:status`, `tenant:7:video:${id}:progress`)
    return new Response(`{"id":${id},"status":${status ?? "null"},"progress":${progress ?? "null"}}`, { headers })
  }
)
