import { assert, describe, it } from "@effect/vitest"
import { hlsPrefix, JobRecorder, JobStore, longestDeafnessMillis, ObjectStore, VideoDeletion } from "@lectern/domain"
import { Duration, Effect, Fiber, FileSystem, Schedule, Stream } from "effect"
import { runEncode } from "../src/EncodeRun.ts"
import { defaultEncoderOptions } from "../src/encoder/index.ts"
import { ExitCode } from "../src/ExitCode.ts"
import { encoderWorld, tenant, uploadFile } from "./EncodedJob.ts"
import { longInput } from "./encoder/MadeMedia.ts"
import { mediaProcessesBelow } from "./encoder/Processes.ts"

/** A job that is being encoded: its ffmpeg runs, and would for minutes. */
const running = Effect.gen(function*() {
  const fs = yield* FileSystem.FileSystem
  const uploaded = yield* uploadFile(yield* longInput)
  const workRoot = yield* fs.makeTempDirectoryScoped()
  const ref = { tenantId: tenant, jobId: uploaded.jobId }
  // An hour: it is not the end of the lease that ends the work.
  const options = { owner: "test", leaseMillis: 3_600_000, workRoot, arrayIndex: null }
  const fiber = yield* Effect.forkChild(runEncode(ref, options))
  yield* isTranscoding(ref).pipe(
    Effect.flatMap((is) => is ? mediaProcessesBelow(workRoot) : Effect.succeed([])),
    Effect.repeat({ until: (pids) => pids.length > 0, schedule: Schedule.spaced("20 millis") })
  )
  return { fiber, ref, videoId: uploaded.videoId, workRoot }
})

const isTranscoding = (ref: { readonly tenantId: typeof tenant; readonly jobId: Parameters<JobStore["Service"]["getJob"]>[1] }) =>
  Effect.flatMap(JobStore, (store) => Effect.map(store.getJob(ref.tenantId, ref.jobId), ({ job }) => job.step === "transcoding"))

const nothingLeft = Effect.fnUntraced(function*({ fiber, videoId, workRoot }: Effect.Success<typeof running>) {
  const fs = yield* FileSystem.FileSystem
  const objects = yield* ObjectStore
  assert.strictEqual(yield* Fiber.join(fiber), ExitCode.done)
  assert.deepStrictEqual(yield* mediaProcessesBelow(workRoot), [])
  assert.deepStrictEqual(yield* fs.readDirectory(workRoot), [])
  assert.deepStrictEqual(yield* Stream.runCollect(objects.list(hlsPrefix(tenant, videoId))), [])
})

// The runtime in memory terminates nothing: what stops ffmpeg here is that the run asks whether it is still wanted.
describe("an encode that nobody wants any more", () => {
  it.live("ends with its ffmpeg when its video is deleted, and leaves no object and no file", () =>
    Effect.gen(function*() {
      const encode = yield* running
      const deletion = yield* VideoDeletion
      yield* deletion.remove(tenant, encode.videoId)
      yield* nothingLeft(encode)
    }).pipe(Effect.scoped, Effect.provide(encoderWorld)), 120_000)

  it.live("ends with its ffmpeg when it is cancelled, and leaves no object and no file", () =>
    Effect.gen(function*() {
      const encode = yield* running
      const store = yield* JobStore
      const recorder = yield* JobRecorder
      const receipt = yield* store.intervene(encode.ref, { _tag: "Cancel", message: "취소되었습니다" })
      if (receipt === null) return assert.fail("The job could not be cancelled")
      yield* recorder.commit(Effect.succeed(receipt))
      yield* nothingLeft(encode)
      assert.strictEqual((yield* store.getJob(tenant, encode.ref.jobId)).job.status, "CANCELLED")
    }).pipe(Effect.scoped, Effect.provide(encoderWorld)), 120_000)

  it.live("is told so by its settings within ten seconds: it asks every five, and ffmpeg has five to end", () =>
    Effect.sync(() => {
      assert.isAtMost(longestDeafnessMillis, 5_000)
      assert.isAtMost(longestDeafnessMillis + Duration.toMillis(defaultEncoderOptions.grace), 10_000)
    }))
})
