/** Fastify as in `fastify.ts`, but the poll reads the database: the way that Lectern exists to avoid. */
import { fastify } from "fastify"
import { jwtVerify } from "jose"
import pg from "pg"
import { announce, databaseUrl, plain, secret, videoView } from "../serverProcess.ts"

const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })
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
  const { rows } = await pool.query<{ status: string; progress: string }>({
    name: "progress",
    text: "SELECT status, progress FROM bench_video WHERE tenant_id = 7 AND id = $1",
    values: [Number(id)]
  })
  return videoView(id, rows[0]?.status, rows[0]?.progress)
})
await app.listen({ port: 0, host: "127.0.0.1" })
announce(app.server.address())
