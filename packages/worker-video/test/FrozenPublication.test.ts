/** A run that stands still at a write of its publication, and wakes when the job is not its own any more. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import {
  EncodeLeftovers,
  EncodeParts,
  hlsPrefix,
  type JobId,
  JobRecorder,
  JobStore,
  newJobId,
  ObjectChanged,
  ObjectStore,
  ProgressReader,
  VideoDeletion,
  type VideoId,
  videoSubject
} from "@lectern/domain"
import { EncodePartsMemory } from "@lectern/domain/memory"
import { TestDomain } from "@lectern/domain/testing"
import { Context, Deferred, Effect, Fiber, FileSystem, Layer, References, Stream } from "effect"
import { TestClock } from "effect/testing"
import { runEncode } from "../src/EncodeRun.ts"
import { ExitCode } from "../src/ExitCode.ts"
import { tenant, uploadFile } from "./EncodedJob.ts"
import { promptEncoder } from "./PromptEncoder.ts"

/** What becomes of one call that changes the object of this key. */
type Turn = <E>(call: Effect.Effect<void, E>, key: string) => Effect.Effect<void, E | ObjectChanged>

/** Stands between the runs and what they write: each field is for the next call alone. */
class Ice extends Context.Service<Ice, {
  write: { readonly name: string; readonly turn: Turn } | null
  /** Comes before an object is removed. */
  removal: Effect.Effect<void>
  /** Comes when a run has learnt that it may publish. */
  guard: Effect.Effect<void>
}>()("test/Ice") {
  static readonly layer = Layer.sync(Ice, () => ({ write: null, removal: Effect.void, guard: Effect.void }))
}

const icedObjects = Layer.effect(
  ObjectStore,
  Effect.gen(function*() {
    const real = yield* ObjectStore
    const ice = yield* Ice
    return ObjectStore.of({
      ...real,
      putIfUnchanged: (seen, ...rest) => {
        const call = real.putIfUnchanged(seen, ...rest)
        if (ice.write === null || !seen.key.endsWith(`/${ice.write.name}`)) return call
        const { turn } = ice.write
        ice.write = null
        return turn(call, seen.key)
      },
      remove: (key) => {
        const { removal } = ice
        ice.removal = Effect.void
        return Effect.andThen(removal, real.remove(key))
      }
    })
  })
)

const icedParts = Layer.effect(
  EncodeParts,
  Effect.gen(function*() {
    const real = yield* EncodeParts
    const ice = yield* Ice
    return EncodeParts.of({
      ...real,
      publishing: (...args) => {
        const { guard } = ice
        ice.guard = Effect.void
        return Effect.tap(real.publishing(...args), () => guard)
      }
    })
  })
)

const world = Layer.mergeAll(
  EncodeLeftovers.layer,
  promptEncoder(),
  Layer.succeed(References.MinimumLogLevel, "None")
).pipe(
  Layer.provideMerge(Layer.mergeAll(icedObjects, icedParts)),
  Layer.provideMerge(EncodePartsMemory.layer),
  Layer.provideMerge(Ice.layer),
  Layer.provideMerge(TestDomain.layer),
  Layer.provideMerge(NodeServices.layer)
)

const uploaded = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const path = yield* fs.makeTempFileScoped()
  yield* fs.writeFileString(path, "a raw upload")
  return yield* uploadFile(path)
})

const run = Effect.fnUntraced(function*(jobId: JobId, owner: string) {
  const fs = yield* FileSystem.FileSystem
  const workRoot = yield* fs.makeTempDirectoryScoped()
  return yield* runEncode({ tenantId: tenant, jobId }, { owner, leaseMillis: 60_000, workRoot, arrayIndex: null })
})

/** A new job for the video, as a user asks for one. */
const again = Effect.fnUntraced(function*(videoId: VideoId) {
  const recorder = yield* JobRecorder
  const store = yield* JobStore
  const jobId = yield* newJobId
  yield* recorder.commit(store.retryEncode(tenant, videoId, jobId))
  return jobId
})

/** A video whose next encode is its first one, or replaces an earlier output. */
const videoWith = Effect.fnUntraced(function*(earlier: "no" | "an") {
  const first = yield* uploaded
  if (earlier === "no") return first
  assert.strictEqual(yield* run(first.jobId, "earlier"), ExitCode.done)
  return { videoId: first.videoId, jobId: yield* again(first.videoId) }
})

/** Where a run stands still: behind its guard, or before or after it writes a file. */
type Place = { readonly moment: "behind"; readonly file: "its guard" } | {
  readonly moment: "before" | "after"
  readonly file: string
}

/** Starts a run, which stands still there until it is let go on. */
const frozenAt = Effect.fnUntraced(function*({ file, moment }: Place, jobId: JobId) {
  const ice = yield* Ice
  const reached = yield* Deferred.make<void>()
  const thawed = yield* Deferred.make<void>()
  const still = Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(thawed))
  if (moment === "behind") ice.guard = still
  else {
    ice.write = {
      name: file,
      turn: (call) => moment === "before" ? Effect.andThen(still, call) : Effect.tap(call, () => still)
    }
  }
  const fiber = yield* Effect.forkChild(run(jobId, "frozen"))
  yield* Deferred.await(reached)
  return Effect.andThen(Deferred.succeed(thawed, undefined), Fiber.join(fiber))
})

/** Takes the job from a run that says nothing any more: its next attempt is due. */
const takeAway = Effect.fnUntraced(function*(jobId: JobId) {
  const recorder = yield* JobRecorder
  const store = yield* JobStore
  const ref = { tenantId: tenant, jobId }
  yield* TestClock.adjust("2 minutes")
  const expired = yield* store.intervene(ref, { _tag: "Expire", attempt: 1, message: "멈췄습니다" })
  if (expired === null) return assert.fail("The job could not be taken away")
  yield* recorder.commit(Effect.succeed(expired))
  yield* TestClock.adjust("1 minute")
})

/** Every object with its version, which each write changes, and what it says. */
const objectsOf = Effect.fnUntraced(function*(videoId: VideoId) {
  const objects = yield* ObjectStore
  const keys = yield* Stream.runCollect(objects.list(hlsPrefix(tenant, videoId)))
  return yield* Effect.forEach(keys.toSorted(), (key) =>
    Effect.all([
      Effect.map(objects.head(key), ({ etag }) => `${key} ${etag}`),
      Stream.mkString(Stream.decodeText(objects.get(key)))
    ]))
})

const all = Effect.fnUntraced(function*({ videoId }: { readonly videoId: VideoId }) {
  const store = yield* JobStore
  const reader = yield* ProgressReader
  return {
    record: yield* store.getVideo(tenant, videoId),
    redis: yield* reader.read(tenant, [videoSubject(videoId)]),
    objects: yield* objectsOf(videoId)
  }
})

const replaced = ["thumbnail.jpg", "v360/index.m3u8", "master.m3u8"]
const places: ReadonlyArray<Place> = [
  { moment: "behind", file: "its guard" },
  ...replaced.flatMap((file): ReadonlyArray<Place> => [{ moment: "before", file }, { moment: "after", file }])
]
const cases = (["no", "an"] as const).flatMap((earlier) => places.map((place) => ({ earlier, place })))

describe("a run frozen at its publication", () => {
  for (const { earlier, place } of cases) {
    const where = `${place.moment} ${place.file}, over ${earlier} earlier output`

    it.effect(`${where}, changes nothing when it wakes after another has published`, () =>
      Effect.gen(function*() {
        const video = yield* videoWith(earlier)
        const wake = yield* frozenAt(place, video.jobId)
        yield* takeAway(video.jobId)
        assert.strictEqual(yield* run(video.jobId, "second"), ExitCode.done)
        const before = yield* all(video)
        assert.deepInclude(before.record.job, { status: "DONE", attempt: 2 })
        assert.strictEqual(before.record.video.status, "READY")
        const encode = earlier === "no" ? 2 : 3
        for (const [, content] of before.objects) assert.match(content, new RegExp(`of encode ${encode}$`))
        assert.lengthOf(before.objects, 4)

        assert.strictEqual(yield* wake, ExitCode.done)
        assert.deepStrictEqual(yield* all(video), before)
      }).pipe(Effect.scoped, Effect.provide(world)))

    it.effect(`${where}, leaves nothing when it wakes after the video was deleted`, () =>
      Effect.gen(function*() {
        const video = yield* videoWith(earlier)
        const wake = yield* frozenAt(place, video.jobId)
        const deletion = yield* VideoDeletion
        yield* deletion.remove(tenant, video.videoId)
        assert.deepStrictEqual(yield* objectsOf(video.videoId), [])
        const reader = yield* ProgressReader
        const redis = yield* reader.read(tenant, [videoSubject(video.videoId)])

        assert.strictEqual(yield* wake, ExitCode.done)
        assert.deepStrictEqual(yield* objectsOf(video.videoId), [])
        assert.deepStrictEqual(yield* reader.read(tenant, [videoSubject(video.videoId)]), redis)
        const store = yield* JobStore
        assert.strictEqual((yield* Effect.flip(store.getVideo(tenant, video.videoId)))._tag, "VideoNotFound")
      }).pipe(Effect.scoped, Effect.provide(world)))
  }

  it.effect("that is told to stop as it wakes leaves nothing of a deleted video either", () =>
    Effect.gen(function*() {
      const video = yield* videoWith("no")
      const ice = yield* Ice
      const written = yield* Deferred.make<void>()
      const reached = yield* Deferred.make<void>()
      const thawed = yield* Deferred.make<void>()
      ice.write = {
        name: "master.m3u8",
        turn: (call) =>
          Effect.gen(function*() {
            yield* Deferred.succeed(reached, undefined)
            yield* Deferred.await(thawed)
            yield* call
            yield* Deferred.succeed(written, undefined)
            return yield* Effect.never
          })
      }
      const fiber = yield* Effect.forkChild(run(video.jobId, "frozen"))
      yield* Deferred.await(reached)
      const deletion = yield* VideoDeletion
      yield* deletion.remove(tenant, video.videoId)
      yield* Deferred.succeed(thawed, undefined)
      yield* Deferred.await(written)
      assert.lengthOf(yield* objectsOf(video.videoId), 1)
      yield* Fiber.interrupt(fiber)
      assert.deepStrictEqual(yield* objectsOf(video.videoId), [])
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("that wakes while it removes the earlier output leaves alone what another has published since", () =>
    Effect.gen(function*() {
      const video = yield* videoWith("an")
      const ice = yield* Ice
      const reached = yield* Deferred.make<void>()
      const thawed = yield* Deferred.make<void>()
      ice.removal = Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(thawed))
      const frozen = yield* Effect.forkChild(run(video.jobId, "frozen"))
      yield* Deferred.await(reached)
      assert.strictEqual(yield* run(yield* again(video.videoId), "second"), ExitCode.done)
      const before = yield* all(video)
      assert.lengthOf(before.objects, 4)

      yield* Deferred.succeed(thawed, undefined)
      assert.strictEqual(yield* Fiber.join(frozen), ExitCode.done)
      assert.deepStrictEqual(yield* all(video), before)
    }).pipe(Effect.scoped, Effect.provide(world)))

  it.effect("that wakes while it removes the earlier output leaves open what another works on since", () =>
    Effect.gen(function*() {
      const video = yield* videoWith("an")
      const ice = yield* Ice
      const parts = yield* EncodeParts
      const reached = yield* Deferred.make<void>()
      const thawed = yield* Deferred.make<void>()
      ice.removal = Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(thawed))
      const frozen = yield* Effect.forkChild(run(video.jobId, "frozen"))
      yield* Deferred.await(reached)
      const finish = yield* frozenAt({ moment: "behind", file: "its guard" }, yield* again(video.videoId))

      yield* Deferred.succeed(thawed, undefined)
      assert.strictEqual(yield* Fiber.join(frozen), ExitCode.done)
      assert.deepStrictEqual(yield* parts.parts({ tenantId: tenant, videoId: video.videoId, key: "key" }), [])
      assert.strictEqual(yield* finish, ExitCode.done)
    }).pipe(Effect.scoped, Effect.provide(world)))
})

describe("the run that holds the job", () => {
  /** Runs the encode to its end when the first write of the master playlist goes like this. */
  const publishedWhen = Effect.fnUntraced(function*(earlier: "no" | "an", turn: Turn) {
    const video = yield* videoWith(earlier)
    const ice = yield* Ice
    ice.write = { name: "master.m3u8", turn }
    const exit = yield* run(video.jobId, "holder")
    return { exit, video, ...(yield* all(video)) }
  })

  for (const earlier of ["no", "an"] as const) {
    it.effect(`publishes over what a rival wrote between its look and its write, over ${earlier} earlier output`, () =>
      Effect.gen(function*() {
        const objects = yield* ObjectStore
        const { exit, objects: published, record } = yield* publishedWhen(earlier, (call, key) => {
          const bytes = new TextEncoder().encode("a rival's")
          const headers = { contentType: "", cacheControl: "", size: bytes.length }
          const rival = objects.put(key, Stream.succeed(bytes), headers)
          return Effect.andThen(Effect.orDie(rival), call)
        })
        assert.strictEqual(exit, ExitCode.done)
        assert.deepInclude(record.job, { status: "DONE", attempt: 1, failures: 0 })
        assert.lengthOf(published, 4)
        for (const [, content] of published) assert.match(content, new RegExp(`of encode ${earlier === "no" ? 1 : 2}$`))
      }).pipe(Effect.scoped, Effect.provide(world)))

    it.effect(`publishes once more when the answer to its write was lost, over ${earlier} earlier output`, () =>
      Effect.gen(function*() {
        const { exit, objects: published, record } = yield* publishedWhen(earlier, (call) =>
          Effect.andThen(call, new ObjectChanged({ key: "master.m3u8", etag: null })))
        assert.strictEqual(exit, ExitCode.done)
        assert.deepInclude(record.job, { status: "DONE", attempt: 1, failures: 0 })
        assert.lengthOf(published, 4)
      }).pipe(Effect.scoped, Effect.provide(world)))
  }

  it.effect("ends its attempt as one to be tried again when others write in each of its rounds", () =>
    Effect.gen(function*() {
      const ice = yield* Ice
      let rounds = 0
      const lost: Turn = () => {
        rounds += 1
        ice.write = { name: "master.m3u8", turn: lost }
        return Effect.fail(new ObjectChanged({ key: "master.m3u8", etag: null }))
      }
      const { exit, record } = yield* publishedWhen("no", lost)
      assert.strictEqual(exit, ExitCode.temporary)
      assert.deepInclude(record.job, { status: "RETRYING", errorCode: "object_store_unavailable" })
      assert.strictEqual(rounds, 5)
    }).pipe(Effect.scoped, Effect.provide(world)))
})
