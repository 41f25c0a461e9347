import { assert, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { TestClock } from "effect/testing"
import {
  EncodeLeftovers,
  EncodeParts,
  hlsPrefix,
  JobId,
  JobRecorder,
  JobStore,
  ObjectStore,
  TenantId,
  VideoDeletion,
  type VideoId
} from "../src/index.ts"
import { EncodePartsMemory } from "../src/memory/index.ts"
import { Faults, TestDomain } from "../src/testing/index.ts"

const tenant = TenantId.make(3)
const day = "25 hours"
const world = EncodeLeftovers.layer.pipe(
  Layer.provideMerge(EncodePartsMemory.layer),
  Layer.provideMerge(TestDomain.layer)
)

const put = (videoId: VideoId, path: string) =>
  Effect.flatMap(ObjectStore, (objects) =>
    objects.put(`${hlsPrefix(tenant, videoId)}${path}`, Stream.make(new Uint8Array(1)), {
      contentType: "video/mp4",
      cacheControl: "",
      size: 1
    }))

const paths = Effect.fnUntraced(function*(videoId: VideoId) {
  const objects = yield* ObjectStore
  const prefix = hlsPrefix(tenant, videoId)
  return (yield* Stream.runCollect(objects.list(prefix))).map((key) => key.slice(prefix.length)).toSorted()
})

/** A claimed encode with two objects of token "new", one of an earlier output, and its parts open. */
const running = Effect.gen(function*() {
  const recorder = yield* JobRecorder
  const store = yield* JobStore
  const parts = yield* EncodeParts
  const { video } = yield* recorder.commit(store.createVideo(tenant, {
    title: "1강",
    filename: "1.mp4",
    contentType: "video/mp4",
    session: null,
    fileKey: "raw/1.mp4"
  }))
  const jobId = JobId.make("job-1")
  yield* recorder.commit(store.completeUpload(tenant, video.id, { jobId, fileSize: 1 }))
  const claimed = yield* recorder.claim(tenant, jobId, { owner: "run", leaseMillis: 60_000 })
  if (claimed._tag !== "Claimed") return yield* Effect.die(new Error(claimed._tag))
  const ref = { tenantId: tenant, videoId: video.id, key: "key" }
  yield* parts.open(ref, "new")
  for (const path of ["v360/new-1_00000.m4s", "storyboard/new.vtt", "v360/old-1_00000.m4s", "master.m3u8"]) {
    yield* put(video.id, path)
  }
  return { ref, run: claimed.run, videoId: video.id, jobId }
})

const all = ["master.m3u8", "storyboard/new.vtt", "v360/new-1_00000.m4s", "v360/old-1_00000.m4s"]
const clear = Effect.flatMap(EncodeLeftovers, (leftovers) => leftovers.clear)

it.effect("leaves an encode alone that is at work, however long that takes", () =>
  Effect.gen(function*() {
    const { videoId } = yield* running
    yield* TestClock.adjust(day)
    assert.deepStrictEqual(yield* clear, { encodes: 0, objects: 0, failures: [] })
    assert.deepStrictEqual(yield* paths(videoId), all)
  }).pipe(Effect.provide(world)))

it.effect("removes the finished parts of an encode that failed for good, after a day, and nothing of the last good output", () =>
  Effect.gen(function*() {
    const { run, videoId } = yield* running
    yield* run.record({ _tag: "Fail", code: "x", message: "x", retryable: false })
    yield* TestClock.adjust("1 hour")
    assert.strictEqual((yield* clear).encodes, 0)
    yield* TestClock.adjust(day)
    assert.deepStrictEqual(yield* clear, { encodes: 1, objects: 2, failures: [] })
    assert.deepStrictEqual(yield* paths(videoId), ["master.m3u8", "v360/old-1_00000.m4s"])
    assert.strictEqual((yield* clear).encodes, 0)
  }).pipe(Effect.provide(world)))

it.effect("does what a run did not come to that was killed after it had published", () =>
  Effect.gen(function*() {
    const parts = yield* EncodeParts
    const { jobId, ref, run, videoId } = yield* running
    const published = ["v360/new-1_00000.m4s", "storyboard/new.vtt", "master.m3u8"]
    yield* parts.publishing(ref, jobId, published)
    yield* run.record({
      _tag: "Succeed",
      result: { hls_path: "master.m3u8", thumbnail_path: "t", duration: 1, variants: [] }
    })
    yield* TestClock.adjust("11 minutes")
    assert.deepStrictEqual(yield* clear, { encodes: 1, objects: 1, failures: [] })
    assert.deepStrictEqual(yield* paths(videoId), published.toSorted())
  }).pipe(Effect.provide(world)))

it.effect("removes nothing of a failed encode that may have become public before it failed", () =>
  Effect.gen(function*() {
    const parts = yield* EncodeParts
    const { jobId, ref, run, videoId } = yield* running
    yield* parts.publishing(ref, jobId, ["v360/new-1_00000.m4s", "master.m3u8"])
    yield* run.record({ _tag: "Fail", code: "x", message: "x", retryable: false })
    yield* TestClock.adjust(day)
    assert.deepStrictEqual(yield* clear, { encodes: 1, objects: 0, failures: [] })
    assert.deepStrictEqual(yield* paths(videoId), all)
  }).pipe(Effect.provide(world)))

it.effect("removes what a run still wrote while its video was deleted", () =>
  Effect.gen(function*() {
    const deletion = yield* VideoDeletion
    const { videoId } = yield* running
    yield* deletion.remove(tenant, videoId)
    yield* put(videoId, "v360/new-2_00006.m4s")
    yield* TestClock.adjust("11 minutes")
    assert.deepStrictEqual(yield* clear, { encodes: 1, objects: 1, failures: [] })
    assert.deepStrictEqual(yield* paths(videoId), [])
  }).pipe(Effect.provide(world)))

it.effect("says what could not be removed, and removes it the next time", () =>
  Effect.gen(function*() {
    const faults = yield* Faults
    const { run, videoId } = yield* running
    yield* run.record({ _tag: "Fail", code: "x", message: "x", retryable: false })
    yield* TestClock.adjust(day)
    yield* faults.script("objects", ["refused"])
    const first = yield* clear
    assert.deepStrictEqual([first.encodes, first.failures.length], [0, 1])
    assert.deepStrictEqual(yield* clear, { encodes: 1, objects: 2, failures: [] })
    assert.lengthOf(yield* paths(videoId), 2)
  }).pipe(Effect.provide(world)))
