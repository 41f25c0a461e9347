/**
 * What every `ProgressMirror` and the `ProgressReader` beside it promise. A second implementation runs the first one's suite.
 */
import { assert, it } from "@effect/vitest"
import {
  type Committed,
  createJob,
  Job,
  JobId,
  type JobStatus,
  jobSubject,
  MirroredJobStatus,
  MirroredProgress,
  MirroredVideoStatus,
  type MirroredRecord,
  ProgressMirror,
  ProgressReader,
  TenantId,
  VideoId,
  VideoPolicy,
  videoSubject
} from "@lectern/domain"
import { commit } from "@lectern/domain/committed"
import { type Availability, describeIf } from "@lectern/harness"
import { Clock, Context, Effect, type Layer, Schema } from "effect"

/** What a test may do to a mirror behind its back. */
export class MirrorControl extends Context.Service<MirrorControl, {
  /** Everything that the mirror holds is gone. */
  readonly flush: Effect.Effect<void>
  /** The time to live of a status is over, that of the progress beside it is not. */
  readonly expireStatus: (key: string) => Effect.Effect<void>
}>()("@lectern/adapters/test/MirrorControl") {}

export type MirrorLayer = Layer.Layer<ProgressMirror | ProgressReader | MirrorControl, unknown>

export const tenant = TenantId.make(7)
export const jobId = JobId.make("0f8fad5b-d9cb-469f-a165-70867728950e")
export const videoId = VideoId.make(42)

export const job = (status: JobStatus, fields: Partial<typeof Job.Type> = {}): Job =>
  new Job({
    ...createJob({ tenantId: tenant, id: jobId, kind: "video_encode", videoId, payload: {} }, 1_000),
    status,
    attempt: 1,
    revision: 5,
    ...fields
  })

export const video = (fields: Partial<typeof VideoPolicy.Video.Type> = {}): typeof VideoPolicy.Video.Type =>
  new VideoPolicy.Video({
    ...VideoPolicy.createVideo(
      tenant,
      videoId,
      { title: "1강", filename: "1.mp4", contentType: "video/mp4", session: null, fileKey: "tenants/7/video/raw/a.mp4" },
      1_000
    ),
    encodeJobId: jobId,
    ...fields
  })

export const receipt = (record: Partial<MirroredRecord>): Committed<MirroredRecord> =>
  commit({ job: null, video: null, ...record })

const running = (fields: Partial<typeof Job.Type> = {}) => receipt({ job: job("RUNNING", { step: "transcoding", ...fields }) })
const sample = (tick: number, fraction: number) => ({ tick, fraction, remainingSeconds: 10 })

const decodeJob = Schema.decodeUnknownEffect(MirroredJobStatus)
const decodeVideo = Schema.decodeUnknownEffect(MirroredVideoStatus)
const decodeProgress = Schema.decodeUnknownEffect(MirroredProgress)

const readJob = Effect.gen(function*() {
  const [stored] = yield* (yield* ProgressReader).read(tenant, [jobSubject(jobId)])
  return {
    status: stored?.status == null ? null : yield* decodeJob(stored.status),
    progress: stored?.progress == null ? null : yield* decodeProgress(stored.progress)
  }
})

const statusKey = `tenant:7:job:${jobId}:status`

export const progressMirrorSuite = (name: string, needed: Availability, layer: MirrorLayer): void => {
  describeIf(needed, `${name} as a ProgressMirror`, () => {
    const test = <E>(
      title: string,
      body: Effect.Effect<void, E, ProgressMirror | ProgressReader | MirrorControl>
    ): void => it.effect(title, () => Effect.provide(body, layer))

    test(
      "shows a published job and its step, and nothing of a job that it has never heard of",
      Effect.gen(function*() {
        const mirror = yield* ProgressMirror
        assert.deepStrictEqual(yield* readJob, { status: null, progress: null })
        assert.strictEqual(yield* mirror.publish(running()), "Written")
        const { progress, status } = yield* readJob
        assert.strictEqual(status?.status, "RUNNING")
        assert.strictEqual(progress?.step, "transcoding")
        assert.strictEqual(progress?.percent, 50)
      })
    )

    test(
      "writes the job and the video of one receipt, and reads them in the order that is asked for",
      Effect.gen(function*() {
        const mirror = yield* ProgressMirror
        const reader = yield* ProgressReader
        const both = receipt({ job: job("RUNNING", { step: "probing" }), video: video({ status: "PROCESSING", revision: 9 }) })
        assert.strictEqual(yield* mirror.publish(both), "Written")
        const other = JobId.make("never-seen")
        const [ofJob, ofNobody, ofVideo] = yield* reader.read(tenant, [jobSubject(jobId), jobSubject(other), videoSubject(videoId)])
        assert.strictEqual((yield* decodeJob(ofJob?.status)).revision, 5)
        assert.deepStrictEqual(ofNobody, { status: null, progress: null })
        assert.strictEqual((yield* decodeVideo(ofVideo?.status)).revision, 9)
        assert.strictEqual((yield* decodeProgress(ofVideo?.progress)).step, "probing")
      })
    )

    test(
      "reads nothing for nobody",
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* (yield* ProgressReader).read(tenant, []), [])
      })
    )

    test(
      "keeps another tenant's subject of the same name apart",
      Effect.gen(function*() {
        yield* (yield* ProgressMirror).publish(running())
        const [stored] = yield* (yield* ProgressReader).read(TenantId.make(8), [jobSubject(jobId)])
        assert.deepStrictEqual(stored, { status: null, progress: null })
      })
    )

    test(
      "refuses what is older, whichever part of the version is",
      Effect.gen(function*() {
        const mirror = yield* ProgressMirror
        yield* mirror.tick(running({ revision: 5, attempt: 2 }), sample(3, 0.5))
        for (
          const stale of [
            mirror.publish(running({ revision: 4, attempt: 9 })),
            mirror.publish(running({ revision: 5, attempt: 1 })),
            mirror.tick(running({ revision: 5, attempt: 2 }), sample(2, 0.9)),
            mirror.tick(running({ revision: 5, attempt: 2 }), sample(3, 0.9)),
            mirror.publish(running({ revision: 5, attempt: 2 }))
          ]
        ) {
          assert.strictEqual(yield* stale, "Stale")
        }
        const { progress } = yield* readJob
        assert.strictEqual(progress?.tick, 3)
        assert.strictEqual(progress?.step_percent, 50)
      })
    )

    test(
      "moves with the samples of a step, and starts anew with the next revision and the next attempt",
      Effect.gen(function*() {
        const mirror = yield* ProgressMirror
        for (const tick of [1, 2, 30]) {
          assert.strictEqual(yield* mirror.tick(running(), sample(tick, tick / 100)), "Written")
          assert.strictEqual((yield* readJob).progress?.tick, tick)
        }
        assert.strictEqual(yield* mirror.publish(running({ revision: 6, step: "validating" })), "Written")
        assert.strictEqual((yield* readJob).progress?.step, "validating")
        assert.strictEqual(yield* mirror.publish(running({ revision: 6, attempt: 2, step: "probing" })), "Written")
        assert.strictEqual((yield* readJob).progress?.step, "probing")
      })
    )

    test(
      "removes the progress with the terminal status, and lets no late sample bring it back",
      Effect.gen(function*() {
        const mirror = yield* ProgressMirror
        yield* mirror.tick(running(), sample(1, 0.5))
        assert.strictEqual(yield* mirror.publish(receipt({ job: job("DONE", { revision: 6, result: { a: 1 } }) })), "Written")
        assert.strictEqual(yield* mirror.tick(running(), sample(2, 0.6)), "Stale")
        const { progress, status } = yield* readJob
        assert.strictEqual(progress, null)
        assert.strictEqual(status?.status, "DONE")
        assert.deepStrictEqual(status?.result, { a: 1 })
      })
    )

    test(
      "lets a retry overwrite a terminal status",
      Effect.gen(function*() {
        const mirror = yield* ProgressMirror
        yield* mirror.publish(receipt({ video: video({ status: "FAILED", errorReason: "깨진 파일", revision: 8 }) }))
        yield* mirror.publish(receipt({ video: video({ status: "UPLOADED", revision: 9 }) }))
        const [stored] = yield* (yield* ProgressReader).read(tenant, [videoSubject(videoId)])
        const status = yield* decodeVideo(stored?.status)
        assert.strictEqual(status.status, "UPLOADED")
        assert.strictEqual(status.error_reason, undefined)
      })
    )

    test(
      "takes the next sample after everything was flushed, with the status that it belongs to",
      Effect.gen(function*() {
        const mirror = yield* ProgressMirror
        yield* mirror.tick(running(), sample(1, 0.1))
        yield* (yield* MirrorControl).flush
        assert.strictEqual(yield* mirror.tick(running(), sample(2, 0.2)), "Written")
        const { progress, status } = yield* readJob
        assert.strictEqual(status?.status, "RUNNING")
        assert.strictEqual(progress?.tick, 2)
      })
    )

    test(
      "restores a status that expired before its progress, by a republish, which leaves the newer progress alone",
      Effect.gen(function*() {
        const mirror = yield* ProgressMirror
        yield* mirror.tick(running(), sample(4, 0.4))
        yield* (yield* MirrorControl).expireStatus(statusKey)
        assert.strictEqual(yield* mirror.publish(running()), "Written")
        const { progress, status } = yield* readJob
        assert.strictEqual(status?.status, "RUNNING")
        assert.strictEqual(progress?.tick, 4)
      })
    )

    test(
      "restores a status that expired before its progress, by a sample",
      Effect.gen(function*() {
        const mirror = yield* ProgressMirror
        yield* mirror.tick(running(), sample(4, 0.4))
        yield* (yield* MirrorControl).expireStatus(statusKey)
        assert.strictEqual(yield* mirror.tick(running(), sample(5, 0.5)), "Written")
        assert.strictEqual((yield* readJob).status?.status, "RUNNING")
      })
    )

    test(
      "stamps a value with the time of its writing",
      Effect.gen(function*() {
        yield* (yield* ProgressMirror).tick(running(), sample(1, 0.5))
        assert.strictEqual((yield* readJob).progress?.as_of, yield* Clock.currentTimeMillis)
      })
    )
  })
}
