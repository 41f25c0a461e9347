/** A worker that stood still past its lease, and wakes when another has done its work, changes nothing. */
import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { ObjectGrants, ObjectStoreFiles } from "@lectern/adapters/files"
import { JobStorePostgres, layerTcp, migrate } from "@lectern/adapters/postgres"
import { ProgressMirrorRedis, RedisConnection } from "@lectern/adapters/redis"
import { type JobId, JobRecorder, JobStore, newJobId, ObjectStore, TenantId } from "@lectern/domain"
import { describeIf, PostgresServer, RedisServer, temporaryFolder, Warden } from "@lectern/harness"
import { Deferred, Effect, FileSystem, Layer, Redacted, Stream } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { ExitCode } from "../src/ExitCode.ts"
import { h264, made, picture, tone } from "./encoder/MadeMedia.ts"

const program = fileURLToPath(import.meta.resolve("@lectern/worker-video/main"))
const school = TenantId.make(7)

/** The worker's own program as a run of a runtime; it dies with the scope, frozen or not. */
const startWorker = Effect.fnUntraced(function*(env: Readonly<Record<string, string>>, runId: string) {
  const stepped = yield* Deferred.make<void>()
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const started = spawn(process.execPath, [program], {
        env: { PATH: process.env["PATH"], ...env, AWS_BATCH_JOB_ID: runId },
        stdio: ["ignore", "ignore", "pipe"]
      })
      if (started.pid !== undefined) Warden.hold(started.pid, "SIGKILL")
      createInterface({ input: started.stderr }).on("line", (line) => {
        if (line.includes("\"step\":\"transcoding\"")) Deferred.doneUnsafe(stepped, Effect.void)
      })
      return { started, ended: once(started, "exit") }
    }),
    ({ ended, started }) =>
      Effect.promise(async () => {
        started.kill("SIGKILL")
        await ended
        if (started.pid !== undefined) Warden.release(started.pid)
      })
  )
  return {
    transcodes: Deferred.await(stepped),
    signal: (signal: NodeJS.Signals) => Effect.sync(() => child.started.kill(signal)),
    exitCode: Effect.map(Effect.promise(() => child.ended), ([code]) => code as number | null)
  }
})

/** Names, sizes and times of everything that is published. */
const published = (root: string) =>
  Effect.sync(() =>
    readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .filter((path) => path.includes("/hls/"))
      .map((path) => [path, statSync(path).size, statSync(path).mtimeMs] as const)
      .sort(([a], [b]) => a.localeCompare(b))
  )

describeIf(
  PostgresServer.availability.available ? RedisServer.availability : PostgresServer.availability,
  "A frozen worker",
  () => {
    it.live("that wakes after its lease changes neither the row, nor Redis, nor what is published", () =>
      Effect.gen(function*() {
        const postgres = yield* PostgresServer.make()
        const redis = yield* RedisServer.make()
        const root = yield* temporaryFolder("frozen")
        const url = yield* postgres.createDatabase("frozen")
        const connection = RedisConnection.layer({ url: Redacted.make(redis.url) })
        const objects = ObjectStoreFiles.layer({ root, publicUrl: "http://127.0.0.1" }).pipe(
          Layer.provide(ObjectGrants.layer(Redacted.make("a secret of at least 32 characters")))
        )
        const services = JobRecorder.layer.pipe(
          Layer.provideMerge(Layer.mergeAll(JobStorePostgres.layer, ProgressMirrorRedis.layerWith(), objects)),
          Layer.provideMerge(Layer.merge(layerTcp({ url: Redacted.make(url) }), connection)),
          Layer.provideMerge(NodeServices.layer)
        )
        yield* Effect.gen(function*() {
          yield* migrate
          const sql = yield* SqlClient
          const store = yield* JobStore
          const recorder = yield* JobRecorder
          const fs = yield* FileSystem.FileSystem
          const fileKey = "tenants/7/video/raw/1.mp4"
          const input = yield* made(root, "in.mp4", ...picture("testsrc2=s=320x180:r=25:d=2"), ...tone(2), ...h264, "-c:a", "aac")
          const { size } = yield* fs.stat(input)
          yield* Effect.flatMap(ObjectStore, (objects) =>
            objects.put(fileKey, fs.stream(input).pipe(Stream.orDie), {
              size: Number(size),
              contentType: "video/mp4",
              cacheControl: "no-cache"
            }))
          const { video } = yield* recorder.commit(
            store.createVideo(school, { title: "1강", filename: "1.mp4", contentType: "video/mp4", session: null, fileKey })
          )
          const jobId: JobId = yield* newJobId
          yield* recorder.commit(store.completeUpload(school, video.id, { jobId, fileSize: Number(size) }))
          const env = {
            DATABASE_URL: url,
            REDIS_URL: redis.url,
            LECTERN_OBJECTS_DIR: root,
            LECTERN_WORK_DIR: yield* temporaryFolder("frozen-work"),
            VIDEO_JOB_ID: jobId,
            VIDEO_TENANT_ID: "7"
          }

          const frozen = yield* startWorker(env, "run-1")
          yield* frozen.transcodes
          yield* frozen.signal("SIGSTOP")
          // As if its lease had run out: by the database's clock, which is the one that counts.
          yield* sql`UPDATE jobs SET lease_until = 1`
          const taken = yield* store.intervene({ tenantId: school, jobId }, { _tag: "Expire", attempt: 1, message: "멈췄습니다" })
          assert.isNotNull(taken)
          yield* sql`UPDATE jobs SET run_after = 0`
          const second = yield* startWorker(env, "run-2")
          assert.strictEqual(yield* second.exitCode, ExitCode.done)

          const world = Effect.all({
            job: Effect.map(store.getJob(school, jobId), ({ job }) => job),
            video: Effect.map(store.getVideo(school, video.id), (found) => found.video),
            keys: Effect.flatMap(RedisConnection, ({ use }) =>
              use("read", async (client) => {
                const keys = (await client.keys("*")).sort()
                return Promise.all(keys.map(async (key) => [key, await client.get(key)] as const))
              })),
            files: published(root)
          })
          const before = yield* world
          assert.deepInclude(before.job, { status: "DONE", attempt: 2, failures: 1 })
          assert.strictEqual(before.video.status, "READY")
          assert.isAbove(before.files.length, 5)
          yield* frozen.signal("SIGCONT")
          // It learns that it has lost the job and ends by itself: there is nothing that it could do again.
          assert.strictEqual(yield* frozen.exitCode, ExitCode.done)
          assert.deepStrictEqual(yield* world, before)
        }).pipe(Effect.provide(services))
      }), 120_000)
  }
)
