/** Fastify as in `fastify.ts`, but the poll reads the database: the way that Lectern exists to avoid. */
import pg from "pg"
import { databaseUrl, videoView } from "../serverProcess.ts"
import { serveProgress } from "./fastifyServer.ts"

const pool = new pg.Pool({ connectionString: databaseUrl, max: 10 })

await serveProgress(async (id) => {
  const { rows } = await pool.query<{ status: string; progress: string }>({
    name: "progress",
    text: "SELECT status, progress FROM bench_video WHERE tenant_id = 7 AND id = $1",
    values: [Number(id)]
  })
  return videoView(id, rows[0]?.status, rows[0]?.progress)
})
