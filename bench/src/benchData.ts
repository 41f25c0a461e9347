/** What every server of the benchmark has before it is asked: 200 videos of tenant 7 that are being encoded. */
import { Queue } from "bullmq"
import { Effect } from "effect"
import { Redis } from "ioredis"
import pg from "pg"
import { videos } from "./videos.ts"

const ids = Array.from({ length: videos }, (_, index) => index + 1)

const statusText = (id: number): string =>
  JSON.stringify({ status: "PROCESSING", job_id: `job-${id}`, updated_at: 1_800_000_000_000, revision: 5, attempt: 1 })

const progressOf = (id: number) => ({
  step: "transcoding",
  percent: 50 + id % 30,
  remaining_seconds: 120,
  step_index: 4,
  step_total: 7,
  step_name: "transcoding",
  step_name_display: "인코딩",
  step_percent: id % 100,
  tick: 12,
  as_of: 1_800_000_000_000,
  revision: 5,
  attempt: 1
})

/** The mirror's keys, and the same 200 as jobs of BullMQ. */
export const fillRedis = (url: string) =>
  Effect.promise(async () => {
    const redis = new Redis(url, { maxRetriesPerRequest: null })
    await redis.mset(ids.flatMap((id) => [
      `tenant:7:video:${id}:status`,
      statusText(id),
      `tenant:7:video:${id}:progress`,
      JSON.stringify(progressOf(id))
    ]))
    const queue = new Queue("encode", { connection: redis })
    const jobs = await queue.addBulk(
      ids.map((id) => ({ name: "encode", data: { id }, opts: { jobId: `video-${id}` } }))
    )
    await Promise.all(jobs.map((job, index) => job.updateProgress(progressOf(index + 1))))
    await queue.close()
    await redis.quit()
  })

export const fillPostgres = (url: string) =>
  Effect.promise(async () => {
    const client = new pg.Client({ connectionString: url })
    await client.connect()
    await client.query(
      "CREATE TABLE bench_video (tenant_id int, id int, status text, progress text, PRIMARY KEY (tenant_id, id))"
    )
    for (const id of ids) {
      const values = [id, statusText(id), JSON.stringify(progressOf(id))]
      await client.query("INSERT INTO bench_video VALUES (7, $1, $2, $3)", values)
    }
    await client.query("ANALYZE bench_video")
    await client.end()
  })
