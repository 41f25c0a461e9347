/** What every `EncodeParts` promises, beside the job store that knows the videos. Each test works in a tenant of its own. */
import { assert, layer } from "@effect/vitest"
import { EncodeParts, JobStore, type TenantId } from "@lectern/domain"
import { Effect, type Layer } from "effect"
import { newJobId, newTenant } from "./JobStoreConformance.ts"

const hour = 3_600_000
const mine = { owner: "mine", leaseMillis: hour }
const theirs = { owner: "theirs", leaseMillis: hour }
const files = [{ path: "v360/t-1_00000.m4s", bytes: 7 }]

/** An uploaded video with its encode, and that encode's parts. */
const uploaded = Effect.fnUntraced(function*(tenantId: TenantId) {
  const store = yield* JobStore
  const parts = yield* EncodeParts
  yield* store.createVideo(tenantId, {
    title: "1강",
    filename: "1.mp4",
    contentType: "video/mp4",
    session: null,
    fileKey: "raw/1.mp4"
  })
  const [video] = (yield* store.listVideos(tenantId, { search: null, limit: 1, offset: 0 })).videos
  if (video === undefined) return yield* Effect.die(new Error("the video is not listed"))
  const jobId = newJobId()
  yield* store.completeUpload(tenantId, video.id, { jobId, fileSize: 1 })
  const ref = { tenantId, videoId: video.id, key: "key" }
  assert.strictEqual(yield* parts.open(ref, "token"), "token")
  return { ref, jobId }
})

/** What was left in a tenant, whatever others left beside it, if `idle` milliseconds of rest are asked for. */
const leftIn = (tenantId: TenantId, idle: { readonly idleMillis: number; readonly failedIdleMillis: number }) =>
  Effect.gen(function*() {
    const parts = yield* EncodeParts
    const left = yield* parts.findLeft({ ...idle, limit: 1_000 })
    return left.filter((encode) => encode.tenantId === tenantId).map(({ fate, published, token }) => ({ fate, published, token }))
  })
const atOnce = { idleMillis: 0, failedIdleMillis: 0 }

export const encodePartsSuite = <E>(name: string, stores: Layer.Layer<JobStore | EncodeParts, E>): void => {
  layer(stores, { excludeTestServices: true })(`EncodeParts: ${name}`, (it) => {
    it.effect("keeps the token of the first opening, for every attempt and every helper", () =>
      Effect.gen(function*() {
        const parts = yield* EncodeParts
        const { ref } = yield* uploaded(newTenant())
        assert.strictEqual(yield* parts.open(ref, "another"), "token")
        assert.strictEqual(yield* parts.open({ ...ref, key: "other" }, "another"), "another")
      }))

    it.effect("gives a part to one owner at a time, and numbers the claims", () =>
      Effect.gen(function*() {
        const parts = yield* EncodeParts
        const { ref } = yield* uploaded(newTenant())
        assert.strictEqual(yield* parts.claim(ref, "a", mine), 1)
        assert.strictEqual(yield* parts.claim(ref, "a", theirs), null)
        assert.strictEqual(yield* parts.claim(ref, "b", theirs), 1)
        // A restarted owner takes up its own part.
        assert.strictEqual(yield* parts.claim(ref, "a", mine), 2)
        const [a] = (yield* parts.parts(ref)).filter((part) => part.name === "a")
        assert.deepStrictEqual(a, { name: "a", claim: 2, owner: "mine", held: true, files: null })
      }))

    it.effect("gives a part away when its lease has ended, and never when it was renewed", () =>
      Effect.gen(function*() {
        const parts = yield* EncodeParts
        const { ref } = yield* uploaded(newTenant())
        yield* parts.claim(ref, "a", { ...mine, leaseMillis: 0 })
        yield* parts.claim(ref, "b", { ...mine, leaseMillis: 0 })
        assert.strictEqual(yield* parts.claim(ref, "a", theirs), 2)
        yield* parts.renew(ref, mine)
        assert.strictEqual(yield* parts.claim(ref, "b", theirs), null)
        assert.strictEqual(yield* parts.claim(ref, "a", mine), null)
      }))

    it.effect("records a finished part once, and not from a claim that was overtaken", () =>
      Effect.gen(function*() {
        const parts = yield* EncodeParts
        const { ref } = yield* uploaded(newTenant())
        yield* parts.claim(ref, "a", { ...mine, leaseMillis: 0 })
        yield* parts.claim(ref, "a", theirs)
        assert.isFalse(yield* parts.finish(ref, "a", 1, files))
        assert.isTrue(yield* parts.finish(ref, "a", 2, files))
        // The answer was lost and it is said again.
        assert.isTrue(yield* parts.finish(ref, "a", 2, files))
        assert.strictEqual(yield* parts.claim(ref, "a", theirs), null)
        const found = yield* parts.parts(ref)
        assert.deepStrictEqual(found.map((part) => part.files), [files])
      }))

    it.effect("tells everybody that an encode is closed", () =>
      Effect.gen(function*() {
        const parts = yield* EncodeParts
        const { ref } = yield* uploaded(newTenant())
        yield* parts.claim(ref, "a", mine)
        yield* parts.close(ref)
        yield* parts.close(ref)
        assert.strictEqual((yield* Effect.flip(parts.parts(ref)))._tag, "EncodeClosed")
        assert.strictEqual(yield* parts.claim(ref, "a", mine), null)
        assert.isFalse(yield* parts.finish(ref, "a", 1, files))
        yield* parts.renew(ref, mine)
        assert.strictEqual(yield* parts.open(ref, "again"), "again")
        assert.deepStrictEqual(yield* parts.parts(ref), [])
        yield* parts.closeAll(ref.tenantId, ref.videoId)
        assert.strictEqual((yield* Effect.flip(parts.parts(ref)))._tag, "EncodeClosed")
      }))

    it.effect("closes what a job has published around as long as it is the video's last one", () =>
      Effect.gen(function*() {
        const parts = yield* EncodeParts
        const { jobId, ref } = yield* uploaded(newTenant())
        const { tenantId, videoId } = ref
        const other = { ...ref, key: "other" }
        yield* parts.open(other, "another")
        yield* parts.closePublished(tenantId, videoId, newJobId())
        assert.deepStrictEqual(yield* parts.parts(ref), [])
        yield* parts.closePublished(tenantId, videoId, jobId)
        for (const closed of [ref, other]) {
          assert.strictEqual((yield* Effect.flip(parts.parts(closed)))._tag, "EncodeClosed")
        }
      }))

    it.effect("leaves an encode alone while its job goes on, and finds it when nobody will", () =>
      Effect.gen(function*() {
        const parts = yield* EncodeParts
        const store = yield* JobStore
        const { jobId, ref } = yield* uploaded(newTenant())
        const { tenantId } = ref
        assert.deepStrictEqual(yield* leftIn(tenantId, atOnce), [])
        const claim = yield* store.claim(tenantId, jobId, mine)
        if (claim._tag !== "Claimed") return yield* Effect.die(new Error(claim._tag))
        assert.deepStrictEqual(yield* leftIn(tenantId, atOnce), [])
        yield* store.transition(claim.lease, { _tag: "Fail", code: "x", message: "x", retryable: false })
        assert.deepStrictEqual(yield* leftIn(tenantId, atOnce), [{ fate: "Unfinished", published: null, token: "token" }])
        assert.deepStrictEqual(yield* leftIn(tenantId, { idleMillis: 0, failedIdleMillis: hour }), [])
        // Somebody tries again: what is finished is still good.
        yield* store.retryEncode(tenantId, ref.videoId, newJobId())
        assert.deepStrictEqual(yield* leftIn(tenantId, atOnce), [])
        yield* parts.close(ref)
      }))

    it.effect("tells what a job made public from what another one did", () =>
      Effect.gen(function*() {
        const parts = yield* EncodeParts
        const store = yield* JobStore
        const { jobId, ref } = yield* uploaded(newTenant())
        const { tenantId } = ref
        const claim = yield* store.claim(tenantId, jobId, mine)
        if (claim._tag !== "Claimed") return yield* Effect.die(new Error(claim._tag))
        yield* parts.publishing(ref, jobId, ["master.m3u8"])
        yield* parts.open({ ...ref, key: "other" }, "other")
        yield* parts.publishing({ ...ref, key: "other" }, newJobId(), ["x"])
        const output = { hls_path: "x", thumbnail_path: "y", duration: 1, variants: [] }
        yield* store.transition(claim.lease, { _tag: "Succeed", result: output })
        assert.sameDeepMembers([...(yield* leftIn(tenantId, atOnce))], [
          { fate: "Published", published: ["master.m3u8"], token: "token" },
          { fate: "Unfinished", published: ["x"], token: "other" }
        ])
        assert.deepStrictEqual(yield* leftIn(tenantId, { idleMillis: hour, failedIdleMillis: hour }), [])
      }))

    it.effect("outlives its video, so that its objects can be found", () =>
      Effect.gen(function*() {
        const store = yield* JobStore
        const { ref } = yield* uploaded(newTenant())
        const gone = [{ fate: "VideoGone" as const, published: null, token: "token" }]
        yield* store.beginDelete(ref.tenantId, ref.videoId)
        assert.deepStrictEqual(yield* leftIn(ref.tenantId, atOnce), gone)
        yield* store.finishDelete(ref.tenantId, ref.videoId)
        assert.deepStrictEqual(yield* leftIn(ref.tenantId, atOnce), gone)
      }))
  })
}
