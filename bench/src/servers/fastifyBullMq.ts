/** Fastify as in `fastify.ts`, over jobs of BullMQ: its own way to ask how far a job is. */
import { Queue } from "bullmq"
import { Redis } from "ioredis"
import { redisUrl } from "../serverProcess.ts"
import { serveProgress } from "./fastifyServer.ts"

const queue = new Queue("encode", { connection: new Redis(redisUrl, { maxRetriesPerRequest: null }) })

await serveProgress(async (id) => {
  const job = await queue.getJob(`video-${id}`)
  const state = await job?.getState()
  const status = state === undefined ? "UNKNOWN" : "PROCESSING"
  return { id: Number(id), status, state, progress: job?.progress ?? null }
})
