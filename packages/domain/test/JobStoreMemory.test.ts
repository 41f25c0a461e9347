import { assert, describe, it } from "@effect/vitest"
import { JobRecorder, JobStore, newJobId, ProgressReader, TenantId, videoSubject } from "@lectern/domain"
import { TestDomain } from "@lectern/domain/testing"
import { Effect } from "effect"
import { TestClock } from "effect/testing"
import { claimRun, createEncode, createImport, encodeCommands, school, worker } from "./lives.ts"

describe("a job store", () => {
  it.effect("does not take the note of a hand-over for the next one, when that attempt has ended already", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const jobId = yield* createImport("import-1")
      const run = yield* claimRun(jobId)
      yield* store.markDispatched(run.lease, 0, "message-1")
      assert.strictEqual((yield* store.getJob(school, jobId)).job.externalId, "message-1")
      yield* run.record({ _tag: "Preempt", message: "reclaimed" })
      yield* store.markDispatched(run.lease, 0, "message-1")
      const { job } = yield* store.getJob(school, jobId)
      assert.deepStrictEqual([job.dispatchedAt, job.externalId], [null, null])
      assert.lengthOf(yield* store.findUndispatched({ olderThanMillis: 60_000, limit: 10 }), 1)
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("leaves a video to its new encode when the old one says its last word again", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const recorder = yield* JobRecorder
      const reader = yield* ProgressReader
      const { jobId, videoId } = yield* createEncode("1강")
      // The old encode needed two attempts, the new one is in its first.
      const preempted = yield* claimRun(jobId)
      yield* preempted.record({ _tag: "Preempt", message: "reclaimed" })
      const old = yield* claimRun(jobId)
      const [last] = encodeCommands.slice(-1)
      if (last === undefined) return assert.fail("The life has no end")
      yield* old.record(last)
      const next = yield* newJobId
      yield* recorder.commit(store.retryEncode(school, videoId, next))
      const run = yield* claimRun(next)
      const before = yield* reader.read(school, [videoSubject(videoId)])
      yield* old.record(last)
      assert.deepStrictEqual(yield* reader.read(school, [videoSubject(videoId)]), before)
      assert.strictEqual((yield* old.current).video, null)
      yield* run.tick({ fraction: 0.5, remainingSeconds: null })
      yield* TestClock.adjust("1 second")
      assert.include((yield* reader.read(school, [videoSubject(videoId)]))[0]?.status ?? "", "PROCESSING")
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("answers a command that is said again with the record as it stands: no revision is published that is in no row", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const { jobId, videoId } = yield* createEncode("1강")
      const run = yield* claimRun(jobId)
      for (const command of encodeCommands.slice(-1)) {
        yield* run.record(command)
        yield* run.record(command)
      }
      const { job, video } = yield* run.current
      assert.deepStrictEqual([job, video], [(yield* store.getJob(school, jobId)).job, (yield* store.getVideo(school, videoId)).video])
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("shows nothing of one school to another", () =>
    Effect.gen(function*() {
      const store = yield* JobStore
      const { jobId, videoId } = yield* createEncode("1강")
      const other = TenantId.make(4)
      const query = { search: "1", limit: 10, offset: 0 }
      assert.deepStrictEqual((yield* store.listVideos(school, query)).videos.map(({ id }) => id), [videoId])
      assert.deepStrictEqual(yield* store.listVideos(other, query), { count: 0, videos: [] })
      const refusals = yield* Effect.all([
        Effect.flip(store.getVideo(other, videoId)),
        Effect.flip(store.getJob(other, jobId)),
        Effect.flip(store.beginDelete(other, videoId)),
        Effect.flip(store.retryEncode(other, videoId, jobId)),
        Effect.flip(store.claim(other, jobId, worker)),
        Effect.flip(store.intervene({ tenantId: other, jobId }, { _tag: "Cancel", message: "no" }))
      ])
      assert.deepStrictEqual(refusals.map(({ _tag }) => _tag), [
        "VideoNotFound",
        "JobNotFound",
        "VideoNotFound",
        "VideoNotFound",
        "JobNotFound",
        "JobNotFound"
      ])
    }).pipe(Effect.provide(TestDomain.layer)))
})
