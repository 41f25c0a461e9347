/** Hono on its Node adapter, its own logger and JWT middleware, ioredis. */
import { serve } from "@hono/node-server"
import { Hono } from "hono"
import { jwt } from "hono/jwt"
import { logger } from "hono/logger"
import { Redis } from "ioredis"
import { announce, plain, redisUrl, secret, videoView } from "../serverProcess.ts"

const redis = new Redis(redisUrl)
const app = new Hono()
if (!plain) app.use(logger(), jwt({ secret, alg: "HS256" }))
app.get("/api/v1/media/videos/:id/progress/", async (context) => {
  const id = context.req.param("id")
  const [status, progress] = await redis.mget(`tenant:7:video:${id}:status`, `tenant:7:video:${id}:progress`)
  return context.json(videoView(id, status, progress))
})
serve({ fetch: app.fetch, port: 0, hostname: "127.0.0.1" }, announce)
