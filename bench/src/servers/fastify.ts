/** Fastify with pino as it comes, `jose` for the token as its users have it, ioredis. */
import { Redis } from "ioredis"
import { redisUrl, videoView } from "../serverProcess.ts"
import { serveProgress } from "./fastifyServer.ts"

const redis = new Redis(redisUrl)

await serveProgress(async (id) => {
  const [status, progress] = await redis.mget(`tenant:7:video:${id}:status`, `tenant:7:video:${id}:progress`)
  return videoView(id, status, progress)
})
