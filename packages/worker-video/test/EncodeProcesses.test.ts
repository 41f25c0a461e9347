/** The worker's own program, killed, told to stop and started twice, on a real database and a folder of objects. */
import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { ObjectGrants, ObjectStoreFiles } from "@lectern/adapters/files"
import { EncodePartsPostgres, JobStorePostgres, layerTcp, migrate } from "@lectern/adapters/postgres"
import { EncodeParts, hlsPrefix, type JobRef, JobStore, newJobId, ObjectStore, TenantId, type VideoId } from "@lectern/domain"
import { describeIf, PostgresServer, temporaryFolder, Warden } from "@lectern/harness"
import { Context, Effect, FileSystem, Layer, Queue, Redacted, Stream } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { dirname } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { ExitCode } from "../src/ExitCode.ts"
import { h264, made, output, picture, temporary, tone } from "./encoder/MadeMedia.ts"
import { gone } from "./encoder/Processes.ts"

const program = fileURLToPath(import.meta.resolve("@lectern/worker-video/main"))
const school = TenantId.make(7)

class Place extends Context.Service<Place, { readonly root: string; readonly url: string }>()("test/Place") {}

const services = Layer.unwrap(
  Effect.gen(function*() {
    const postgres = yield* PostgresServer.make()
    const root = yield* temporaryFolder("processes")
    const url = yield* postgres.createDatabase("processes")
    const objects = ObjectStoreFiles.layer({ root, publicUrl: "http://127.0.0.1" }).pipe(
      Layer.provide(ObjectGrants.layer(Redacted.make("a secret of at least 32 characters")))
    )
    return Layer.mergeAll(JobStorePostgres.layer, EncodePartsPostgres.layer, objects, Layer.succeed(Place, { root, url })).pipe(
      Layer.provideMerge(Layer.provideMerge(Layer.effectDiscard(migrate), layerTcp({ url: Redacted.make(url) })))
    )
  })
).pipe(Layer.provideMerge(NodeServices.layer))

/** The worker at work on a job; it dies with the scope. `finished` hears of each part that it has kept. */
const startWorker = Effect.fnUntraced(function*({ jobId }: JobRef, arrayIndex: number | null = null) {
  const { root, url } = yield* Place
  const workRoot = yield* temporary
  const finished = yield* Queue.unbounded<string>()
  const kept: Array<string> = []
  const child = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const started = spawn(process.execPath, [program], {
        env: {
          PATH: process.env["PATH"],
          DATABASE_URL: url,
          LECTERN_OBJECTS_DIR: root,
          LECTERN_WORK_DIR: workRoot,
          VIDEO_JOB_ID: jobId,
          VIDEO_TENANT_ID: String(school),
          ...(arrayIndex === null ? {} : { AWS_BATCH_JOB_ARRAY_INDEX: String(arrayIndex) })
        },
        stdio: ["ignore", "ignore", "pipe"]
      })
      if (started.pid !== undefined) Warden.hold(started.pid, "SIGKILL")
      createInterface({ input: started.stderr }).on("line", (line) => {
        const part = line.includes("A part is finished") ? /"part":"([^"]+)"/.exec(line)?.[1] : undefined
        if (part === undefined) return
        kept.push(part)
        Queue.offerUnsafe(finished, part)
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
    workRoot,
    /** What it has kept so far. */
    kept,
    untilKept: (part: string) => Effect.repeat(Queue.take(finished), { until: (one) => one === part }),
    end: (signal: NodeJS.Signals) => Effect.sync(() => child.started.kill(signal)),
    exitCode: Effect.map(Effect.promise(() => child.ended), ([code]: ReadonlyArray<unknown>) => code)
  }
})

/** An uploaded video of six groups, of which each takes a while. */
const uploaded = Effect.gen(function*() {
  const store = yield* JobStore
  const fs = yield* FileSystem.FileSystem
  const sources = [...picture("testsrc2=s=854x480:r=30:d=40"), ...tone(40)]
  const input = yield* made(yield* temporary, "in.mp4", ...sources, ...h264, "-c:a", "aac")
  const fileKey = `tenants/7/video/raw/${yield* newJobId}.mp4`
  const { size } = yield* fs.stat(input)
  yield* Effect.flatMap(ObjectStore, (objects) =>
    objects.put(fileKey, fs.stream(input).pipe(Stream.orDie), {
      size: Number(size),
      contentType: "video/mp4",
      cacheControl: "no-cache"
    }))
  yield* store.createVideo(school, { title: "1강", filename: "1.mp4", contentType: "video/mp4", session: null, fileKey })
  const [video] = (yield* store.listVideos(school, { search: null, limit: 1, offset: 0 })).videos
  if (video === undefined) return yield* Effect.die(new Error("the video is not listed"))
  const jobId = yield* newJobId
  yield* store.completeUpload(school, video.id, { jobId, fileSize: Number(size) })
  return { ref: { tenantId: school, jobId }, videoId: video.id }
})

/** Copies what is published to a folder, as a mirror of the bucket would have it. */
const mirrored = Effect.fnUntraced(function*(videoId: VideoId) {
  const objects = yield* ObjectStore
  const fs = yield* FileSystem.FileSystem
  const target = yield* temporary
  const prefix = hlsPrefix(school, videoId)
  const paths = (yield* Stream.runCollect(objects.list(prefix))).map((key) => key.slice(prefix.length))
  for (const path of paths) {
    yield* fs.makeDirectory(dirname(`${target}/${path}`), { recursive: true })
    yield* Stream.run(objects.get(`${prefix}${path}`), fs.sink(`${target}/${path}`))
  }
  return { target, paths }
})

/** Frames of each variant that is published, counted by another program. */
const publishedFrames = Effect.fnUntraced(function*(videoId: VideoId) {
  const { paths, target } = yield* mirrored(videoId)
  return yield* Effect.forEach(paths.filter((path) => /^v\d+\/index\.m3u8$/.test(path)), (playlist) =>
    Effect.map(
      output("ffprobe", [
        ..."-v error -count_packets -show_entries stream=nb_read_packets -of default=nk=1:nw=1".split(" "),
        `${target}/${playlist}`
      ]),
      (text) => Number(text.trim().split("\n")[0])
    ))
})

const statusOf = Effect.fnUntraced(function*({ jobId, tenantId }: JobRef) {
  const store = yield* JobStore
  return (yield* store.getJob(tenantId, jobId)).job.status
})

describeIf(PostgresServer.availability, "The worker's program", () => {
  it.live("killed outright, has lost the group at work alone: the next one encodes the rest", () =>
    Effect.gen(function*() {
      const sql = yield* SqlClient
      const store = yield* JobStore
      const { ref, videoId } = yield* uploaded
      const first = yield* startWorker(ref)
      yield* first.untilKept("pictures-00001")
      yield* first.end("SIGKILL")
      yield* first.exitCode
      yield* gone(first.workRoot)
      // What a sweep does when it finds that the run has ended, without the wait that a failure costs.
      yield* sql`UPDATE jobs SET lease_until = 1 WHERE id = ${ref.jobId}`
      assert.isNotNull(yield* store.intervene(ref, { _tag: "Expire", attempt: 1, message: "멈췄습니다" }))
      yield* sql`UPDATE jobs SET run_after = 0 WHERE id = ${ref.jobId}`
      const second = yield* startWorker(ref)
      assert.strictEqual(yield* second.exitCode, ExitCode.done)
      assert.strictEqual(yield* statusOf(ref), "DONE")
      assert.deepStrictEqual(second.kept.filter((part) => first.kept.includes(part)), [])
      // All parts but the one whose record came and whose line did not, if the kill fell between the two.
      assert.isAtLeast(first.kept.length + second.kept.length, 6)
      assert.deepStrictEqual(yield* publishedFrames(videoId), [1200, 1200])
    }).pipe(Effect.provide(services), Effect.scoped), 300_000)

  it.live("told to stop, ends ffmpeg, keeps what is finished, gives the job back and does not call that a success", () =>
    Effect.gen(function*() {
      const { ref, videoId } = yield* uploaded
      const parts = yield* EncodeParts
      const sql = yield* SqlClient
      const worker = yield* startWorker(ref)
      yield* worker.untilKept("pictures-00000")
      yield* worker.end("SIGTERM")
      assert.strictEqual(yield* worker.exitCode, ExitCode.preempted)
      yield* gone(worker.workRoot)
      assert.strictEqual(yield* statusOf(ref), "RETRYING")
      const keys = yield* sql<{ readonly key: string }>`SELECT key FROM encodes WHERE video_id = ${String(videoId)}::bigint`
      const found = yield* parts.parts({ tenantId: school, videoId, key: keys[0]?.key ?? "" })
      const finished = found.filter(({ files }) => files !== null).map(({ name }) => name)
      assert.includeMembers(finished, worker.kept)
      const fs = yield* FileSystem.FileSystem
      const { paths } = yield* mirrored(videoId)
      assert.isAbove(paths.length, 0)
      assert.notInclude(paths, "master.m3u8")
      assert.deepStrictEqual(yield* fs.readDirectory(worker.workRoot), [])
    }).pipe(Effect.provide(services), Effect.scoped), 300_000)

  it.live("started twice as two of an array, shares one video's parts, and one of the two publishes", () =>
    Effect.gen(function*() {
      const { ref, videoId } = yield* uploaded
      const both = yield* Effect.forEach([0, 1], (index) => startWorker(ref, index))
      const exits = yield* Effect.forEach(both, ({ exitCode }) => exitCode, { concurrency: "unbounded" })
      assert.deepStrictEqual(exits, [ExitCode.done, ExitCode.done])
      const [one, other] = both.map(({ kept }) => kept)
      assert.isAbove(one?.length ?? 0, 0)
      assert.isAbove(other?.length ?? 0, 0)
      assert.lengthOf(new Set([...one ?? [], ...other ?? []]), (one?.length ?? 0) + (other?.length ?? 0))
      const store = yield* JobStore
      const { job } = yield* store.getJob(school, ref.jobId)
      assert.deepInclude(job, { status: "DONE", attempt: 1 })
      assert.deepStrictEqual(yield* publishedFrames(videoId), [1200, 1200])
    }).pipe(Effect.provide(services), Effect.scoped), 300_000)
})
