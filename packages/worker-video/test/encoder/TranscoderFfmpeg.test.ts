import { assert, layer } from "@effect/vitest"
import { Duration, Effect, Exit, FileSystem, Path } from "effect"
import { plan } from "../../src/encoder/EncodePlan.ts"
import { Transcoder, type TranscodeJob } from "../../src/encoder/index.ts"
import { encoderLayer, h264, longInput, made, output, picture, probed, temporary } from "./MadeMedia.ts"
import { mediaProcesses } from "./Processes.ts"

const part = { _tag: "Pictures", fromFrame: 0, toFrame: null } as const
const limits = { stall: Duration.minutes(1), total: Duration.minutes(1), grace: Duration.millis(200) }

const jobFor = Effect.fnUntraced(function* (input: string) {
  const media = yield* probed(input)
  const outDir = yield* temporary
  const job: TranscodeJob = { input, demuxers: media.demuxers, outDir, plan: plan(media), part, limits }
  return job
})

const shortInput = Effect.gen(function* () {
  return yield* made(yield* temporary, "in.mp4", ...picture("testsrc2=s=320x240:r=25:d=1"), ...h264)
})

const transcode = (job: TranscodeJob, onProgress: () => Effect.Effect<void> = () => Effect.void) =>
  Effect.flatMap(Transcoder, (transcoder) => transcoder.transcode(job, onProgress))

const reasonOf = (job: TranscodeJob, onProgress?: () => Effect.Effect<void>) =>
  Effect.gen(function* () {
    const error = yield* Effect.flip(transcode(job, onProgress))
    assert.deepStrictEqual(yield* mediaProcesses(job.input), [])
    if (error._tag !== "TranscodeFailed") return yield* Effect.die(error)
    return { reason: error.reason._tag, retryable: error.retryable }
  })

layer(encoderLayer, { excludeTestServices: true })("TranscoderFfmpeg", (it) => {
  it.effect("kills an ffmpeg that stands still, and calls it worth another attempt", () =>
    Effect.gen(function* () {
      const job = yield* jobFor(yield* longInput)
      const stopped = Effect.gen(function* () {
        for (const pid of yield* mediaProcesses(job.input)) process.kill(pid, "SIGSTOP")
      }).pipe(Effect.provide(encoderLayer), Effect.orDie)
      const result = yield* reasonOf({ ...job, limits: { ...limits, stall: Duration.seconds(1) } }, () => stopped)
      assert.deepStrictEqual(result, { reason: "Stalled", retryable: true })
    })
  )

  it.effect("kills an ffmpeg that hangs before its first frame and does not heed SIGTERM", () =>
    Effect.gen(function* () {
      const paths = yield* Path.Path
      const job = yield* jobFor(yield* shortInput)
      const pipe = paths.join(yield* temporary, "never-written.mp4")
      yield* output("mkfifo", [pipe])
      const result = yield* reasonOf({ ...job, input: pipe, limits: { ...limits, stall: Duration.seconds(1) } })
      assert.deepStrictEqual(result, { reason: "Stalled", retryable: true })
    })
  )

  it.effect("kills an ffmpeg that works on beyond the limit for the whole run", () =>
    Effect.gen(function* () {
      const job = yield* jobFor(yield* longInput)
      const result = yield* reasonOf({ ...job, limits: { ...limits, total: Duration.millis(700) } })
      assert.deepStrictEqual(result, { reason: "TimeLimitReached", retryable: true })
    })
  )

  it.effect("calls an ffmpeg that somebody else killed worth another attempt", () =>
    Effect.gen(function* () {
      const job = yield* jobFor(yield* longInput)
      const killed = Effect.gen(function* () {
        for (const pid of yield* mediaProcesses(job.input)) process.kill(pid, "SIGKILL")
      }).pipe(Effect.provide(encoderLayer), Effect.orDie)
      const result = yield* reasonOf(job, () => killed)
      assert.deepStrictEqual(result, { reason: "ProgramFailed", retryable: true })
    })
  )

  it.effect("opens an input as nothing but the containers that the probe allowed", () =>
    Effect.gen(function* () {
      const job = yield* jobFor(yield* shortInput)
      const exit = yield* Effect.exit(transcode({ ...job, demuxers: "matroska,webm" }))
      assert.isTrue(Exit.isFailure(exit))
      const fileSystem = yield* FileSystem.FileSystem
      const paths = yield* Path.Path
      assert.deepStrictEqual(yield* fileSystem.readDirectory(paths.join(job.outDir, "v240")), [])
    })
  )
})
