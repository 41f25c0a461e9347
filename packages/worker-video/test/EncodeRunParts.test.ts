import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import {
  EncodeLeftovers,
  EncodeParts,
  hlsPrefix,
  JobRecorder,
  JobStore,
  newJobId,
  ObjectStore,
  TenantId,
  VideoDeletion,
  type VideoId
} from "@lectern/domain"
import { EncodePartsMemory } from "@lectern/domain/memory"
import { TestDomain } from "@lectern/domain/testing"
import { Context, Deferred, Effect, Fiber, FileSystem, Layer, References, Stream } from "effect"
import { runEncode } from "../src/EncodeRun.ts"
import { Encoder } from "../src/encoder/index.ts"
import { ExitCode } from "../src/ExitCode.ts"
import { h264, made, picture, temporary, tone } from "./encoder/MadeMedia.ts"

const tenant = TenantId.make(7)

/** Which parts were claimed, in order and by whom, and which are finished. */
class Seen extends Context.Service<Seen, {
  readonly claims: Array<{ readonly part: string; readonly owner: string }>
  readonly finished: Set<string>
  /** Done with the first part of this many. */
  readonly reached: Deferred.Deferred<void>
}>()("test/Seen") {
  static readonly layer = Layer.effect(
    Seen,
    Effect.map(Deferred.make<void>(), (reached) => ({ claims: [], finished: new Set<string>(), reached }))
  )
}

const watchedParts = Layer.effect(
  EncodeParts,
  Effect.gen(function*() {
    const real = yield* EncodeParts
    const seen = yield* Seen
    return EncodeParts.of({
      ...real,
      claim: (ref, part, request) =>
        Effect.tap(real.claim(ref, part, request), (claim) =>
          Effect.sync(() => {
            if (claim !== null) seen.claims.push({ part, owner: request.owner })
          })),
      finish: (ref, part, claim, files) =>
        Effect.tap(real.finish(ref, part, claim, files), () => {
          seen.finished.add(part)
          return seen.finished.has("pictures-00001") ? Deferred.succeed(seen.reached, undefined) : Effect.void
        })
    })
  })
).pipe(Layer.provide(EncodePartsMemory.layer))

const world = Layer.mergeAll(
  EncodeLeftovers.layer,
  Encoder.layerFfmpeg,
  Layer.succeed(References.MinimumLogLevel, "None")
).pipe(
  Layer.provideMerge(watchedParts),
  Layer.provideMerge(Layer.mergeAll(TestDomain.layer, Seen.layer)),
  Layer.provideMerge(NodeServices.layer)
)

/** An uploaded video of six groups whose encode waits to be run. */
const uploaded = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const recorder = yield* JobRecorder
  const store = yield* JobStore
  const objects = yield* ObjectStore
  const source = yield* made(
    yield* temporary,
    "in.mp4",
    ...picture("testsrc2=s=640x360:r=15:d=40"),
    ...tone(40),
    ...h264,
    "-c:a",
    "aac"
  )
  const raw = yield* fs.readFile(source)
  const { video } = yield* recorder.commit(store.createVideo(tenant, {
    title: "1강",
    filename: "1.mp4",
    contentType: "video/mp4",
    session: null,
    fileKey: `tenants/${tenant}/video/raw/1.mp4`
  }))
  yield* objects.put(video.fileKey, Stream.make(raw), { contentType: "video/mp4", cacheControl: "", size: raw.length })
  const jobId = yield* newJobId
  yield* recorder.commit(store.completeUpload(tenant, video.id, { jobId, fileSize: raw.length }))
  return { videoId: video.id, jobId, ref: { tenantId: tenant, jobId } }
})

const options = (workRoot: string, arrayIndex: number | null = null) => ({
  owner: `run-${arrayIndex ?? "alone"}`,
  leaseMillis: 60_000,
  workRoot,
  arrayIndex
})

const published = Effect.fnUntraced(function*(videoId: VideoId) {
  const objects = yield* ObjectStore
  const prefix = hlsPrefix(tenant, videoId)
  return (yield* Stream.runCollect(objects.list(prefix))).map((key) => key.slice(prefix.length)).toSorted()
})

/** Every file that the playlists lead to, from the master playlist on. */
const named = Effect.fnUntraced(function*(videoId: VideoId) {
  const objects = yield* ObjectStore
  const found = new Set<string>()
  const follow = (path: string): Effect.Effect<void, unknown> =>
    Effect.gen(function*() {
      if (found.has(path)) return
      found.add(path)
      if (!path.endsWith(".m3u8")) return
      const text = yield* Stream.mkString(Stream.decodeText(objects.get(`${hlsPrefix(tenant, videoId)}${path}`)))
      const folder = path.includes("/") ? `${path.slice(0, path.lastIndexOf("/"))}/` : ""
      const uris = text.split("\n").flatMap((line) =>
        line.startsWith("#") ? [...line.matchAll(/URI="([^"]+)"/g)].map(([, uri = ""]) => uri) : line === "" ? [] : [line]
      )
      yield* Effect.forEach(uris, (uri) => follow(`${folder}${uri}`), { discard: true })
    })
  yield* follow("master.m3u8")
  return [...found].toSorted()
})

describe("a run that shares its work with other attempts and other runs", () => {
  it.live("keeps what is finished when it is told to stop, and the next attempt encodes the rest alone", () =>
    Effect.gen(function*() {
      const seen = yield* Seen
      const { ref, videoId } = yield* uploaded
      const workRoot = yield* temporary
      const fiber = yield* Effect.forkChild(runEncode(ref, options(workRoot)))
      yield* Deferred.await(seen.reached)
      yield* Fiber.interrupt(fiber)
      const kept = [...seen.finished]
      const firstClaims = seen.claims.length
      const store = yield* JobStore
      assert.strictEqual((yield* store.getJob(tenant, ref.jobId)).job.status, "RETRYING")
      const before = yield* published(videoId)
      assert.includeMembers(kept, ["pictures-00000", "pictures-00001"])
      assert.isAbove(before.length, 0)
      assert.isTrue(before.every((path) => path.endsWith(".m4s") || path.endsWith("_init.mp4")))

      assert.strictEqual(yield* runEncode(ref, options(workRoot)), ExitCode.done)
      const again = seen.claims.slice(firstClaims).map(({ part }) => part)
      assert.deepStrictEqual(again.filter((part) => kept.includes(part)), [])
      assert.strictEqual((yield* store.getVideo(tenant, videoId)).video.status, "READY")
      const after = yield* published(videoId)
      const beside = after.filter((path) => path === "thumbnail.jpg" || path.startsWith("storyboard/"))
      assert.deepStrictEqual(after, [...yield* named(videoId), ...beside].toSorted())
      const fs = yield* FileSystem.FileSystem
      assert.deepStrictEqual(yield* fs.readDirectory(workRoot), [])
    }).pipe(Effect.scoped, Effect.provide(world)), 180_000)

  it.live("encodes each part once with two runs at work, one of which publishes", () =>
    Effect.gen(function*() {
      const seen = yield* Seen
      const { ref, videoId } = yield* uploaded
      const workRoot = yield* temporary
      const exits = yield* Effect.all([0, 1].map((index) => runEncode(ref, options(workRoot, index))), {
        concurrency: "unbounded"
      })
      assert.deepStrictEqual(exits, [ExitCode.done, ExitCode.done])
      const parts = seen.claims.map(({ part }) => part)
      assert.lengthOf(new Set(parts), parts.length)
      assert.strictEqual(new Set(seen.claims.map(({ owner }) => owner)).size, 2)
      const store = yield* JobStore
      const { job, video } = yield* store.getVideo(tenant, videoId)
      assert.deepStrictEqual([video.status, job?.attempt], ["READY", 1])
      assert.includeMembers(yield* published(videoId), yield* named(videoId))
    }).pipe(Effect.scoped, Effect.provide(world)), 180_000)

  it.live("leaves nothing under the public prefix when its video is deleted while it runs", () =>
    Effect.gen(function*() {
      const seen = yield* Seen
      const { ref, videoId } = yield* uploaded
      const fiber = yield* Effect.forkChild(runEncode(ref, options(yield* temporary)))
      yield* Deferred.await(seen.reached)
      const deletion = yield* VideoDeletion
      yield* deletion.remove(tenant, videoId)
      // As Batch would, after the deletion has asked it to terminate the run.
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* published(videoId), [])
      const parts = yield* EncodeParts
      assert.deepStrictEqual(yield* parts.findLeft({ idleMillis: 0, failedIdleMillis: 0, limit: 9 }), [])
    }).pipe(Effect.scoped, Effect.provide(world)), 180_000)
})
