import { assert, describe, it } from "@effect/vitest"
import {
  containersFor,
  type EncodeArray,
  JobDispatcher,
  JobRecorder,
  JobStore,
  newJobId,
  Sweeper,
  undispatched
} from "@lectern/domain"
import { EncodeRuns, Faults, TestDomain } from "@lectern/domain/testing"
import { Effect } from "effect"
import { school } from "./lives.ts"

const array: EncodeArray = { bytesPerContainer: 1_000, mostContainers: 4 }

const upload = (bytes: number) =>
  Effect.gen(function*() {
    const store = yield* JobStore
    const recorder = yield* JobRecorder
    const { video } = yield* recorder.commit(store.createVideo(school, {
      title: "1강",
      filename: "1.mp4",
      contentType: "video/mp4",
      session: null,
      fileKey: "tenants/3/video/raw/1.mp4"
    }))
    const { job } = yield* recorder.commit(
      store.completeUpload(school, video.id, { jobId: yield* newJobId, fileSize: bytes })
    )
    return job
  })

const sweep = Effect.flatMap(Sweeper, (sweeper) => sweeper.sweep)
const containers = Effect.flatMap(EncodeRuns, (runs) => Effect.map(runs.all, (all) => all.map((run) => run.containers)))
const layer = TestDomain.layerWith({ array })

describe("the containers of an encode", () => {
  it("are one more for each so many bytes of the upload, up to the most there may be", () => {
    const bytes = [0, 999, 1_000, 2_999, 3_000, 1e12]
    assert.deepStrictEqual(bytes.map((size) => containersFor(array, size)), [1, 1, 2, 3, 4, 4])
    assert.strictEqual(containersFor(array, null), 1)
    assert.strictEqual(containersFor({ ...array, mostContainers: 1 }, 1e12), 1)
  })

  it.effect("are asked for when it is submitted", () =>
    Effect.gen(function*() {
      yield* upload(10)
      yield* upload(2_500)
      yield* sweep
      assert.deepStrictEqual((yield* containers).toSorted(), [1, 3])
    }).pipe(Effect.provide(layer)))

  it.effect("are one, and cost no question to the database, where nothing is set", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      yield* upload(1e12)
      yield* sweep
      assert.deepStrictEqual(yield* containers, [1])
      assert.notInclude((yield* faults.calls).map(({ method }) => method), "JobStore.getJob")
    }).pipe(Effect.provide(TestDomain.layer)))

  it.effect("are known before the submission is opened: where the size cannot be read, nothing is", () =>
    Effect.gen(function*() {
      const faults = yield* Faults
      const store = yield* JobStore
      const dispatcher = yield* JobDispatcher
      const waiting = undispatched(yield* upload(2_500))
      yield* faults.store(["refused"])
      assert.strictEqual((yield* Effect.flip(dispatcher.dispatch(waiting)))._tag, "JobStoreUnavailable")
      const { job } = yield* store.getJob(school, waiting.jobId)
      assert.deepStrictEqual([yield* containers, job.submittingSince], [[], null])
      assert.strictEqual(yield* dispatcher.dispatch(waiting), "Dispatched")
      assert.deepStrictEqual(yield* containers, [3])
    }).pipe(Effect.provide(layer)))
})
