import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import {
  EncodeLeftovers,
  hlsPrefix,
  type JobId,
  JobRecorder,
  JobStore,
  newJobId,
  ObjectStore,
  ProgressReader,
  TenantId,
  VideoDeletion,
  type VideoId,
  videoSubject
} from "@lectern/domain"
import { EncodePartsMemory } from "@lectern/domain/memory"
import { type Fault, Faults, TestDomain } from "@lectern/domain/testing"
import { Deferred, Effect, Exit, Fiber, FileSystem, Layer, References, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { runEncode } from "../src/EncodeRun.ts"
import { Encoder, MediaRejected, OutputInvalid, ProgramFailed, TranscodeFailed } from "../src/encoder/index.ts"
import { ExitCode } from "../src/ExitCode.ts"
import { promptEncoder } from "./PromptEncoder.ts"

const tenant = TenantId.make(7)
const bytes = new TextEncoder().encode("a raw upload")

const world = (encoder: Layer.Layer<Encoder, never, FileSystem.FileSystem>) =>
  Layer.mergeAll(EncodeLeftovers.layer, encoder, Layer.succeed(References.MinimumLogLevel, "None")).pipe(
    Layer.provideMerge(EncodePartsMemory.layer),
    Layer.provideMerge(
      TestDomain.layerWith({ recorder: { mirrorBudget: "5 millis", mirrorRest: 0, databasePatience: "1 second" } })
    ),
    Layer.provideMerge(NodeServices.layer)
  )

/** An uploaded video whose encode waits to be run. */
const uploaded = Effect.fnUntraced(function*(raw: Uint8Array = bytes) {
  const recorder = yield* JobRecorder
  const store = yield* JobStore
  const objects = yield* ObjectStore
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
  return { videoId: video.id, jobId }
})

const run = Effect.fnUntraced(function*(jobId: JobId) {
  const fs = yield* FileSystem.FileSystem
  const workRoot = yield* fs.makeTempDirectoryScoped()
  const exit = yield* runEncode({ tenantId: tenant, jobId }, { owner: "test", leaseMillis: 60_000, workRoot, arrayIndex: null })
  return { exit, left: yield* fs.readDirectory(workRoot) }
}, Effect.scoped)

const published = (videoId: VideoId) =>
  Effect.gen(function*() {
    const objects = yield* ObjectStore
    const keys = yield* Stream.runCollect(objects.list(hlsPrefix(tenant, videoId)))
    return keys.map((key) => key.slice(hlsPrefix(tenant, videoId).length)).sort()
  })

/** What a fault of the mirror must never change: the row, the objects, and how the run ended. */
const outcome = Effect.fnUntraced(function*() {
  const { jobId, videoId } = yield* uploaded()
  const { exit, left } = yield* run(jobId)
  const store = yield* JobStore
  const faults = yield* Faults
  const { job, video } = yield* faults.aside(store.getJob(tenant, jobId))
  return {
    exit,
    left,
    status: job.status,
    revision: job.revision,
    attempt: job.attempt,
    failures: job.failures,
    videoStatus: video?.status,
    videoRevision: video?.revision,
    duration: video?.duration,
    hls: video?.hlsPath,
    objects: (yield* faults.aside(published(videoId))).map((key) => key.replace(/key-[0-9a-f]{8}-/, "{token}-"))
  }
})

describe("EncodeRun", () => {
  it.live("turns an upload into a READY video and says so in the row, the mirror and the exit code", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
      const directory = yield* fs.makeTempDirectoryScoped()
      const source = `${directory}/bars.mp4`
      const made = yield* spawner.exitCode(ChildProcess.make("ffmpeg", [
        ..."-v error -f lavfi -i testsrc2=size=320x240:rate=25:duration=1 -f lavfi -i sine=duration=1".split(" "),
        ..."-c:v libx264 -preset ultrafast -pix_fmt yuv420p -c:a aac -shortest".split(" "),
        source
      ]))
      assert.strictEqual(made, 0)
      const { jobId, videoId } = yield* uploaded(yield* fs.readFile(source))
      assert.deepStrictEqual(yield* run(jobId), { exit: ExitCode.done, left: [] })

      const store = yield* JobStore
      const { video } = yield* store.getVideo(tenant, videoId)
      assert.strictEqual(video.status, "READY")
      assert.strictEqual(video.duration, 1)
      assert.strictEqual(video.hlsPath, `tenants/7/video/hls/${videoId}/master.m3u8`)
      const objects = yield* published(videoId)
      assert.includeMembers(objects, ["master.m3u8", "thumbnail.jpg"])
      assert.include(objects.map((path) => `tenants/7/video/hls/${videoId}/${path}`), video.storyboardPath)
      const rules = new Map(video.rules?.map((rule) => [rule.number, rule]))
      assert.isAtLeast(rules.size, 40)
      assert.deepInclude(rules.get("1.19"), { title: "There are at most 60 frames a second", kept: true, measured: "25 frames a second" })
      const reader = yield* ProgressReader
      const [seen] = yield* reader.read(tenant, [videoSubject(videoId)])
      assert.match(seen?.status ?? "", /"status":"READY"/)
      assert.strictEqual(seen?.progress, null)
    }).pipe(Effect.scoped, Effect.provide(world(Encoder.layerFfmpeg.pipe(Layer.provide(NodeServices.layer))))))

  it.live("rejects a file that is no video, without a retry, in words for a teacher", () =>
    Effect.gen(function*() {
      const { jobId, videoId } = yield* uploaded(new TextEncoder().encode("this is a text that was renamed to .mp4\n".repeat(40)))
      assert.strictEqual((yield* run(jobId)).exit, ExitCode.badInput)
      const store = yield* JobStore
      const { job, video } = yield* store.getVideo(tenant, videoId)
      assert.strictEqual(job?.status, "REJECTED_BAD_INPUT")
      assert.strictEqual(video.status, "FAILED")
      assert.match(video.errorReason ?? "", /[가-힣]/)
      assert.deepStrictEqual(yield* published(videoId), [])
    }).pipe(Effect.provide(world(Encoder.layerFfmpeg.pipe(Layer.provide(NodeServices.layer))))))

  it.live("ends the same, row, objects and exit, under every one and every two faults of the mirror", () =>
    Effect.gen(function*() {
      const once = (script: ReadonlyArray<Fault>) =>
        Effect.gen(function*() {
          const faults = yield* Faults
          yield* faults.mirror(script)
          const result = yield* outcome()
          // A placement that the run never came to would prove nothing.
          assert.strictEqual(yield* faults.left("mirror"), 0)
          return result
        }).pipe(Effect.provide(world(promptEncoder())))
      // Two calls before the run (the upload's), nine inside it.
      const calls = 11
      const expected = yield* once([])
      assert.strictEqual(expected.status, "DONE")
      assert.strictEqual(expected.exit, ExitCode.done)
      const bad: ReadonlyArray<Fault> = ["refused", "hang", "defect"]
      const scripts: Array<ReadonlyArray<Fault>> = []
      for (let first = 0; first < calls; first++) {
        for (const fault of bad) {
          const single = Array.from({ length: calls }, (_, at): Fault => at === first ? fault : "ok")
          scripts.push(single)
          for (let second = first + 1; second < calls; second++) {
            for (const other of bad) scripts.push(single.map((kept, at) => at === second ? other : kept))
          }
        }
      }
      for (const fault of bad) scripts.push(Array.from({ length: calls }, () => fault))
      const results = yield* Effect.forEach(scripts, once, { concurrency: 8 })
      for (const [index, result] of results.entries()) assert.deepStrictEqual(result, expected, JSON.stringify(scripts[index]))
      assert.lengthOf(results, 33 + 55 * 9 + 3)
    }), 120_000)

  it.live("fails for good what the database will never take, at its end as on the way", () =>
    Effect.gen(function*() {
      const sound = yield* Effect.gen(function*() {
        const faults = yield* Faults
        const { jobId } = yield* uploaded()
        yield* faults.forget
        yield* run(jobId)
        return (yield* faults.calls).filter(({ method }) => method.startsWith("JobStore."))
      }).pipe(Effect.provide(world(promptEncoder())))
      const records = sound.flatMap(({ method }, at) => method === "JobStore.transition" ? [at] : [])
      assert.isAbove(records.length, 3)

      for (const fault of ["unstorable", "broken"] as const) {
        for (const at of records) {
          yield* Effect.gen(function*() {
            const faults = yield* Faults
            const store = yield* JobStore
            const { jobId } = yield* uploaded()
            yield* faults.store([...Array.from({ length: at }, (): Fault => "ok"), fault])
            const { exit } = yield* run(jobId)
            assert.strictEqual(yield* faults.left("store"), 0)
            const { job } = yield* faults.aside(store.getJob(tenant, jobId))
            const end = [exit, job.status, job.errorCode, job.attempt]
            assert.deepStrictEqual(end, [ExitCode.bug, "FAILED", "bug", 1], `${fault} at call ${at}`)
          }).pipe(Effect.provide(world(promptEncoder())))
        }
      }
    }))

  it.live("gives the job back when it is interrupted, counting no failure", () =>
    Effect.gen(function*() {
      const reached = yield* Deferred.make<void>()
      yield* Effect.gen(function*() {
        const { jobId, videoId } = yield* uploaded()
        const fiber = yield* Effect.forkChild(run(jobId))
        yield* Deferred.await(reached)
        yield* Fiber.interrupt(fiber)
        assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(fiber)))
        const store = yield* JobStore
        const { job } = yield* store.getJob(tenant, jobId)
        assert.strictEqual(job.status, "RETRYING")
        assert.strictEqual(job.failures, 0)
        assert.strictEqual(job.dispatchedAt, null)
        assert.deepStrictEqual(yield* published(videoId), [])
      }).pipe(Effect.provide(world(promptEncoder(Effect.andThen(Deferred.succeed(reached, undefined), Effect.never)))))
    }))

  it.live("stops when its video is deleted, and publishes nothing of it", () =>
    Effect.gen(function*() {
      const reached = yield* Deferred.make<void>()
      const deleted = yield* Deferred.make<void>()
      yield* Effect.gen(function*() {
        const { jobId, videoId } = yield* uploaded()
        const fiber = yield* Effect.forkChild(run(jobId))
        yield* Deferred.await(reached)
        const deletion = yield* VideoDeletion
        yield* deletion.remove(tenant, videoId)
        yield* Deferred.succeed(deleted, undefined)
        assert.strictEqual((yield* Fiber.join(fiber)).exit, ExitCode.done)
        assert.deepStrictEqual(yield* published(videoId), [])
      }).pipe(Effect.provide(world(promptEncoder(
        Effect.andThen(Deferred.succeed(reached, undefined), Deferred.await(deleted))
      ))))
    }))

  it.live("tells what a retry can help from what it cannot", () =>
    Effect.gen(function*() {
      const endedJob = Effect.fnUntraced(function*() {
        const { jobId } = yield* uploaded()
        const { exit } = yield* run(jobId)
        const store = yield* JobStore
        return { exit, job: (yield* store.getJob(tenant, jobId)).job }
      })
      const ended = () => Effect.map(endedJob(), ({ exit, job }) => ({ exit, status: job.status }))
      const endedBy = (failure: MediaRejected | TranscodeFailed) =>
        Effect.provide(ended(), world(promptEncoder(Effect.fail(failure))))
      const killed = new ProgramFailed({ program: "ffmpeg", exitCode: null, signal: "SIGKILL", lastLines: [] })
      assert.deepStrictEqual(yield* endedBy(new TranscodeFailed({ reason: killed, retryable: true })), {
        exit: ExitCode.temporary,
        status: "RETRYING"
      })
      assert.deepStrictEqual(yield* endedBy(new TranscodeFailed({ reason: killed, retryable: false })), {
        exit: ExitCode.bug,
        status: "FAILED"
      })
      const faults = [{ rule: "7.4", detail: "v360" }, { rule: "7.4", detail: "v240" }, { rule: "8.1", detail: "audio" }]
      const invalid = new TranscodeFailed({ reason: new OutputInvalid({ faults }), retryable: false })
      assert.deepStrictEqual(yield* endedBy(invalid), { exit: ExitCode.bug, status: "FAILED" })
      const { job } = yield* Effect.provide(endedJob(), world(promptEncoder(Effect.fail(invalid))))
      assert.strictEqual(job.errorCode, "OutputInvalid:7.4")
      assert.match(job.errorMessage ?? "", /[가-힣].*\(규칙 7\.4, 8\.1\)$/)
      assert.deepStrictEqual(yield* endedBy(MediaRejected.because("damaged", "x")), {
        exit: ExitCode.badInput,
        status: "REJECTED_BAD_INPUT"
      })
    }))

  it.live("does nothing for a job that is finished, taken or gone", () =>
    Effect.gen(function*() {
      const { jobId } = yield* uploaded()
      assert.strictEqual((yield* run(jobId)).exit, ExitCode.done)
      const store = yield* JobStore
      const before = yield* store.getJob(tenant, jobId)
      assert.strictEqual((yield* run(jobId)).exit, ExitCode.done)
      assert.deepStrictEqual(yield* store.getJob(tenant, jobId), before)
      assert.strictEqual((yield* run(yield* newJobId)).exit, ExitCode.done)
    }).pipe(Effect.provide(world(promptEncoder()))))

  it.live("fails for good when the raw upload is missing", () =>
    Effect.gen(function*() {
      const { jobId, videoId } = yield* uploaded()
      const objects = yield* ObjectStore
      const store = yield* JobStore
      yield* objects.remove((yield* store.getVideo(tenant, videoId)).video.fileKey)
      assert.strictEqual((yield* run(jobId)).exit, ExitCode.badInput)
      assert.strictEqual((yield* store.getJob(tenant, jobId)).job.status, "FAILED")
    }).pipe(Effect.provide(world(promptEncoder()))))
})
