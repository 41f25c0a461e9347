/** A job as the system has it, from the upload to the row that it ends in, with everything but the encoder in memory. */
import { NodeServices } from "@effect/platform-node"
import {
  EncodeLeftovers,
  hlsPrefix,
  JobRecorder,
  JobStore,
  newJobId,
  ObjectStore,
  TenantId,
  type VideoId
} from "@lectern/domain"
import { EncodePartsMemory } from "@lectern/domain/memory"
import { TestDomain } from "@lectern/domain/testing"
import { Effect, FileSystem, Layer, References, Stream } from "effect"
import { runEncode } from "../src/EncodeRun.ts"
import { Encoder } from "../src/encoder/index.ts"

export const tenant = TenantId.make(7)

/** The real encoder, and what a run needs around it. */
export const encoderWorld = Layer.mergeAll(
  EncodeLeftovers.layer,
  Encoder.layerFfmpeg,
  Layer.succeed(References.MinimumLogLevel, "None")
).pipe(
  Layer.provideMerge(EncodePartsMemory.layer),
  Layer.provideMerge(TestDomain.layer),
  Layer.provideMerge(NodeServices.layer)
)

const registered = Effect.gen(function*() {
  const recorder = yield* JobRecorder
  const store = yield* JobStore
  const { video } = yield* recorder.commit(store.createVideo(tenant, {
    title: "1강",
    filename: "1.mp4",
    contentType: "video/mp4",
    session: null,
    fileKey: `tenants/${tenant}/video/raw/${yield* newJobId}.mp4`
  }))
  return video
})

const completed = Effect.fnUntraced(function*(videoId: VideoId, fileSize: number) {
  const recorder = yield* JobRecorder
  const store = yield* JobStore
  const jobId = yield* newJobId
  yield* recorder.commit(store.completeUpload(tenant, videoId, { jobId, fileSize }))
  return jobId
})

/** An encode that waits to be run, of a file that is not there. */
export const waitingEncode = Effect.flatMap(registered, ({ id }) => completed(id, 7))

/** Registers a video, puts its file and completes the upload: its encode waits to be run. */
export const uploadFile = Effect.fnUntraced(function*(path: string) {
  const objects = yield* ObjectStore
  const fs = yield* FileSystem.FileSystem
  const bytes = yield* fs.readFile(path)
  const { fileKey, id } = yield* registered
  yield* objects.put(fileKey, Stream.make(bytes), { contentType: "video/mp4", cacheControl: "", size: bytes.length })
  return { videoId: id, jobId: yield* completed(id, bytes.length) }
})

/** Runs the job in a work root of its own: how it ended, what its row says, what is published, and what is left on disk. */
export const runJob = Effect.fnUntraced(function*({ jobId, videoId }: Effect.Success<ReturnType<typeof uploadFile>>) {
  const fs = yield* FileSystem.FileSystem
  const store = yield* JobStore
  const objects = yield* ObjectStore
  const workRoot = yield* fs.makeTempDirectoryScoped()
  const exit = yield* runEncode({ tenantId: tenant, jobId }, { owner: "test", leaseMillis: 60_000, workRoot, arrayIndex: null })
  return {
    exit,
    record: yield* store.getVideo(tenant, videoId),
    published: yield* Stream.runCollect(objects.list(hlsPrefix(tenant, videoId))),
    left: yield* fs.readDirectory(workRoot)
  }
}, Effect.scoped)
