import { assert, layer } from "@effect/vitest"
import { JobRecorder, JobStore, RunHistory, type RunWords, type TenantId, wordsKeptOfARun } from "@lectern/domain"
import { ProgressMirrorMemory } from "@lectern/domain/memory"
import { Effect, Layer } from "effect"
import { newJobId, newTenant } from "./JobStoreConformance.ts"

const runnable: RunWords = {
  status: "RUNNABLE",
  statusReason: "CAPACITY:INSUFFICIENT_INSTANCE_CAPACITY",
  containerReason: null,
  exitCode: null,
  logStream: null
}
const failed: RunWords = {
  status: "FAILED",
  statusReason: "The video was deleted",
  containerReason: "OutOfMemoryError: Container killed due to memory usage",
  exitCode: 137,
  logStream: "video/default/1"
}

const encode = Effect.fnUntraced(function*(tenantId: TenantId) {
  const store = yield* JobStore
  const { commit } = yield* JobRecorder
  const { video } = yield* commit(
    store.createVideo(tenantId, { title: "1강", filename: "f", contentType: "video/mp4", session: null, fileKey: "k" })
  )
  const { job } = yield* commit(store.completeUpload(tenantId, video.id, { jobId: newJobId(), fileSize: 1 }))
  return { ref: { tenantId, jobId: job.id }, videoId: video.id }
})

/** What every history of runs promises (`RunHistory` in the domain). */
export const runHistorySuite = <E>(name: string, stores: Layer.Layer<JobStore | RunHistory, E>): void => {
  const provided = JobRecorder.layer.pipe(Layer.provide(ProgressMirrorMemory.layer), Layer.provideMerge(stores))

  layer(provided, { excludeTestServices: true })(`RunHistory: ${name}`, (it) => {
    it.effect("keeps the reason that a termination overwrites, in order, by the job's id and by the run's", () =>
      Effect.gen(function*() {
        const history = yield* RunHistory
        const { ref } = yield* encode(newTenant())
        const runId = `run of ${ref.jobId}`
        yield* history.note([{ ...ref, runId, words: runnable }])
        yield* history.note([{ ...ref, runId, words: failed }])
        for (const id of [ref.jobId, runId]) {
          const seen = yield* history.of(id)
          assert.deepStrictEqual(
            seen.map(({ firstSeenAt, lastSeenAt, ...words }) => ({ ...words, isOrdered: firstSeenAt <= lastSeenAt })),
            [runnable, failed].map((words) => ({ ...words, runId, isOrdered: true }))
          )
        }
        assert.deepStrictEqual(yield* history.of("nobody's"), [])
      }))

    it.effect("keeps once what is said again and again, by several at once", () =>
      Effect.gen(function*() {
        const history = yield* RunHistory
        const { ref } = yield* encode(newTenant())
        const sighting = { ...ref, runId: `run of ${ref.jobId}`, words: runnable }
        const say = history.note([sighting, sighting])
        yield* Effect.all([say, say, say], { concurrency: "unbounded" })
        assert.lengthOf(yield* history.of(ref.jobId), 1)
      }))

    it.effect("keeps so much of one run and no more", () =>
      Effect.gen(function*() {
        const history = yield* RunHistory
        const { ref } = yield* encode(newTenant())
        for (let n = 0; n < wordsKeptOfARun + 3; n++) {
          yield* history.note([{ ...ref, runId: `run of ${ref.jobId}`, words: { ...runnable, statusReason: `reason ${n}` } }])
        }
        assert.lengthOf(yield* history.of(ref.jobId), wordsKeptOfARun)
      }))

    it.effect("goes with the job, and has nothing to say of a job that is gone", () =>
      Effect.gen(function*() {
        const history = yield* RunHistory
        const store = yield* JobStore
        const { commit } = yield* JobRecorder
        const { ref, videoId } = yield* encode(newTenant())
        const sighting = { ...ref, runId: `run of ${ref.jobId}`, words: runnable }
        yield* history.note([sighting])
        yield* commit(store.beginDelete(ref.tenantId, videoId))
        yield* store.finishDelete(ref.tenantId, videoId)
        assert.deepStrictEqual(yield* history.of(ref.jobId), [])
        yield* history.note([sighting])
        assert.deepStrictEqual(yield* history.of(ref.jobId), [])
      }))
  })
}
