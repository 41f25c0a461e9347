/** Fastify with pino as it comes, `jose` for the token as its users have it, ioredis. */
import { fastify } from "fastify"
import { Redis } from "ioredis"
import { jwtVerify } from "jose"
import { announce, plain, redisUrl, secret, videoView } from "../serverProcess.ts"

const redis = new Redis(redisUrl)
const key = await crypto.subtle.importKey(
  "raw",
  new TextEncoder().encode(secret),
  { name: "HMAC", hash: "SHA-256" },
  false,
  ["verify"]
)
const app = fastify({ logger: !plain })
if (!plain) app.addHook("onRequest", async (request) => {
  await jwtVerify((request.headers.authorization ?? "").slice("Bearer ".length), key, { algorithms: ["HS256"] })
})
app.get<{ Params: { id: string } }>("/api/v1/media/videos/:id/progress/", async ({ params: { id } }) => {
  const [status, progress] = await redis.mget(`tenant:7:video:${id}:status`, `tenant:7:video:${id}:progress`)
  return videoView(id, status, progress)
})
await app.listen({ port: 0, host: "127.0.0.1" })
announce(app.server.address())
