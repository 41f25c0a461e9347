/** Fastify as in `fastify.ts`, over jobs of BullMQ: its own way to ask how far a job is. */
import { Queue } from "bullmq"
import { fastify } from "fastify"
import { Redis } from "ioredis"
import { jwtVerify } from "jose"
import { announce, plain, redisUrl, secret } from "../serverProcess.ts"

const queue = new Queue("encode", { connection: new Redis(redisUrl, { maxRetriesPerRequest: null }) })
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
  const job = await queue.getJob(`video-${id}`)
  const state = await job?.getState()
  const status = state === undefined ? "UNKNOWN" : "PROCESSING"
  return { id: Number(id), status, state, progress: job?.progress ?? null }
})
await app.listen({ port: 0, host: "127.0.0.1" })
announce(app.server.address())
