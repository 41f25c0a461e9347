/** A worker that stood still past its lease, and wakes when another has done its work, changes nothing. */
import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { ObjectGrants, ObjectStoreFiles } from "@lectern/adapters/files"
import { JobStorePostgres, layerTcp, migrate } from "@lectern/adapters/postgres"
import { ProgressMirrorRedis, RedisConnection } from "@lectern/adapters/redis"
import { ObjectStoreS3 } from "@lectern/adapters/s3"
import {
  hlsPrefix,
  type JobId,
  JobRecorder,
  JobStore,
  ObjectStore,
  type VideoId
} from "@lectern/domain"
import {
  describeIf,
  FauxqsServer,
  makeS3Gate,
  PostgresServer,
  RedisServer,
  temporaryFolder,
  Warden
} from "@lectern/harness"
import { Deferred, Effect, Layer, Redacted, Stream } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readdirSync, statSync } from "node:fs"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { ExitCode } from "../src/ExitCode.ts"
import { tenant, uploadFile } from "./EncodedJob.ts"
import { h264, made, picture, tone } from "./encoder/MadeMedia.ts"

const program = fileURLToPath(import.meta.resolve("@lectern/worker-video/main"))

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

/** An uploaded video whose encode waits to be run, in a database and a Redis of its own. */
const world = Effect.fnUntraced(function*<E, R>(objects: Layer.Layer<ObjectStore, E, R>) {
  const postgres = yield* PostgresServer.make()
  const redis = yield* RedisServer.make()
  const url = yield* postgres.createDatabase("frozen")
  const services = yield* Layer.build(
    JobRecorder.layer.pipe(
      Layer.provideMerge(Layer.mergeAll(JobStorePostgres.layer, ProgressMirrorRedis.layerWith(), objects)),
      Layer.provideMerge(
        Layer.merge(
          layerTcp({ url: Redacted.make(url) }),
          RedisConnection.layer({ url: Redacted.make(redis.url) })
        )
      ),
      Layer.provideMerge(NodeServices.layer)
    )
  )
  const uploaded = Effect.gen(function*() {
    yield* migrate
    const input = yield* temporaryFolder("frozen-input")
    const { jobId, videoId } = yield* uploadFile(
      yield* made(input, "in.mp4", ...picture("testsrc2=s=320x180:r=25:d=2"), ...tone(2), ...h264, "-c:a", "aac")
    )
    const env = {
      DATABASE_URL: url,
      REDIS_URL: redis.url,
      LECTERN_WORK_DIR: yield* temporaryFolder("frozen-work"),
      VIDEO_JOB_ID: jobId,
      VIDEO_TENANT_ID: String(tenant)
    }
    return { env, jobId, videoId }
  })
  return { services, ...(yield* Effect.provide(uploaded, services)) }
})

/** Takes the job from a worker that says nothing any more, as if its lease had run out: by the database's clock. */
const takeAway = Effect.fnUntraced(function*(jobId: JobId) {
  const sql = yield* SqlClient
  const store = yield* JobStore
  yield* sql`UPDATE jobs SET lease_until = 1`
  const taken = yield* store.intervene({ tenantId: tenant, jobId }, { _tag: "Expire", attempt: 1, message: "멈췄습니다" })
  assert.isNotNull(taken)
  yield* sql`UPDATE jobs SET run_after = 0`
})

/** What is recorded of a job and its video, and what Redis says. */
const records = Effect.fnUntraced(function*({ jobId, videoId }: { readonly jobId: JobId; readonly videoId: VideoId }) {
  const store = yield* JobStore
  const { use } = yield* RedisConnection
  return {
    job: (yield* store.getJob(tenant, jobId)).job,
    video: (yield* store.getVideo(tenant, videoId)).video,
    redis: yield* use("read", async (client) => {
      const keys = (await client.keys("*")).sort()
      return Promise.all(keys.map(async (key) => [key, await client.get(key)] as const))
    })
  }
})

const keysOf = Effect.fnUntraced(function*(videoId: VideoId) {
  const objects = yield* ObjectStore
  return (yield* Stream.runCollect(objects.list(hlsPrefix(tenant, videoId)))).toSorted()
})

/** A bucket behind a gate that can hold a write, and what a worker needs to know of it. */
const gatedBucket = Effect.gen(function*() {
  const server = yield* FauxqsServer.make
  yield* Effect.promise(() => fetch(`${server.url}/media`, { method: "PUT" }))
  const gate = yield* makeS3Gate(server.url)
  return {
    gate,
    objects: ObjectStoreS3.layer({
      endpoint: gate.url,
      region: "us-east-1",
      bucket: "media",
      credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") },
      forcePathStyle: true
    }),
    env: {
      S3_ENDPOINT: gate.url,
      S3_BUCKET: "media",
      S3_ACCESS_KEY_ID: "key",
      S3_SECRET_ACCESS_KEY: "secret"
    }
  }
})

/** A worker that is frozen while its master playlist is on its way, held by the gate. */
const frozenAtMaster = Effect.gen(function*() {
  const { env, gate, objects } = yield* gatedBucket
  const arranged = yield* world(objects)
  const held = yield* gate.hold("/master.m3u8")
  const worker = yield* startWorker({ ...arranged.env, ...env }, "run-1")
  yield* held.arrived
  yield* worker.signal("SIGSTOP")
  return { ...arranged, env: { ...arranged.env, ...env }, held, worker }
})

describeIf(
  PostgresServer.availability.available ? RedisServer.availability : PostgresServer.availability,
  "A frozen worker",
  () => {
    it.live("that wakes after its lease changes neither the row, nor Redis, nor what is published", () =>
      Effect.gen(function*() {
        const root = yield* temporaryFolder("frozen")
        const { services, ...arranged } = yield* world(
          ObjectStoreFiles.layer({ root, publicUrl: "http://127.0.0.1" }).pipe(
            Layer.provide(ObjectGrants.layer(Redacted.make("a secret of at least 32 characters")))
          )
        )
        yield* Effect.gen(function*() {
          const env = { ...arranged.env, LECTERN_OBJECTS_DIR: root }
          const frozen = yield* startWorker(env, "run-1")
          yield* frozen.transcodes
          yield* frozen.signal("SIGSTOP")
          yield* takeAway(arranged.jobId)
          const second = yield* startWorker(env, "run-2")
          assert.strictEqual(yield* second.exitCode, ExitCode.done)

          const all = Effect.all([records(arranged), published(root)])
          const before = yield* all
          assert.deepInclude(before[0].job, { status: "DONE", attempt: 2, failures: 1 })
          assert.strictEqual(before[0].video.status, "READY")
          assert.isAbove(before[1].length, 5)
          yield* frozen.signal("SIGCONT")
          // It learns that it has lost the job and ends by itself: there is nothing that it could do again.
          assert.strictEqual(yield* frozen.exitCode, ExitCode.done)
          assert.deepStrictEqual(yield* all, before)
        }).pipe(Effect.provide(services))
      }), 120_000)

    it.live("whose master playlist is on its way meanwhile does not put it over the newer one", () =>
      Effect.gen(function*() {
        const { env, held, jobId, services, videoId, worker } = yield* frozenAtMaster
        yield* Effect.gen(function*() {
          yield* takeAway(jobId)
          const second = yield* startWorker(env, "run-2")
          assert.strictEqual(yield* second.exitCode, ExitCode.done)
          const all = Effect.all([records({ jobId, videoId }), keysOf(videoId)])
          const before = yield* all
          assert.deepInclude(before[0].job, { status: "DONE", attempt: 2 })
          assert.strictEqual(yield* held.letGo, 412)
          yield* worker.signal("SIGCONT")
          assert.strictEqual(yield* worker.exitCode, ExitCode.done)
          assert.deepStrictEqual(yield* all, before)
        }).pipe(Effect.provide(services))
      }), 120_000)

    it.live("whose master playlist arrives after its video was deleted takes it away again", () =>
      Effect.gen(function*() {
        const { held, services, videoId, worker } = yield* frozenAtMaster
        yield* Effect.gen(function*() {
          const store = yield* JobStore
          const recorder = yield* JobRecorder
          const objects = yield* ObjectStore
          const { video } = yield* recorder.commit(store.beginDelete(tenant, videoId))
          yield* objects.remove(video.fileKey)
          yield* objects.removePrefix(hlsPrefix(tenant, videoId))
          yield* store.finishDelete(tenant, videoId)
          assert.deepStrictEqual(yield* keysOf(videoId), [])
          assert.strictEqual(yield* held.letGo, 200)
          assert.lengthOf(yield* keysOf(videoId), 1)
          yield* worker.signal("SIGCONT")
          assert.strictEqual(yield* worker.exitCode, ExitCode.done)
          assert.deepStrictEqual(yield* keysOf(videoId), [])
        }).pipe(Effect.provide(services))
      }), 120_000)
  }
)
