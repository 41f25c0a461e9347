import {
  type EncodeOutput,
  holdLease,
  hlsPrefix,
  JobRecorder,
  type JobRef,
  type JobRun,
  ObjectStore,
  type Sample,
  type Video,
  type VideoStepName,
  type WorkerCommand
} from "@lectern/domain"
import { Cause, Effect, FileSystem } from "effect"
import { Encoder, EncodeToken, keepNowhere } from "./encoder/index.ts"
import { ExitCode } from "./ExitCode.ts"
import { publishHls, removeOtherOutputs } from "./HlsPublication.ts"
import { type MemoryLimit, readMemoryLimit } from "./memoryLimit.ts"
import { downloadRaw } from "./rawDownload.ts"

export interface EncodeRunOptions {
  /** Names this run among those that may hold the job. */
  readonly owner: string
  /** How long others leave the job alone without a heartbeat, in milliseconds. */
  readonly leaseMillis: number
  /** Where the run makes its work directory, which is gone when it ends. */
  readonly workRoot: string
}

/** What ended an attempt: the command that says so in the row, and the exit that says so to Batch. */
interface AttemptEnd {
  readonly command: WorkerCommand
  readonly exit: ExitCode
  readonly afterwards: Effect.Effect<void>
}

/**
 * One run of the worker: one claimed encode, from the raw upload to the published stream.
 *
 * Everything that can happen ends in an exit code. Interrupted (SIGTERM, a Spot reclaim) it gives the job back and stays
 * interrupted: the caller exits with `ExitCode.preempted`.
 */
export const runEncode = Effect.fn("EncodeRun.run")(function*(ref: JobRef, options: EncodeRunOptions) {
  yield* Effect.annotateCurrentSpan({ tenant: ref.tenantId, job: ref.jobId })
  const recorder = yield* JobRecorder
  const claimed = yield* Effect.result(
    recorder.claim(ref.tenantId, ref.jobId, { owner: options.owner, leaseMillis: options.leaseMillis })
  )
  if (claimed._tag === "Failure") {
    if (claimed.failure._tag === "JobNotFound") {
      yield* Effect.logWarning("There is nothing to do: the job is gone")
      return ExitCode.done
    }
    yield* Effect.logError("The job cannot be claimed", { error: claimed.failure.message })
    return ExitCode.temporary
  }
  if (claimed.success._tag !== "Claimed") {
    yield* Effect.logInfo("There is nothing to do", { claim: claimed.success._tag })
    return ExitCode.done
  }
  const { run } = claimed.success
  return yield* attempt(run, options).pipe(
    Effect.annotateLogs({ attempt: run.lease.attempt }),
    Effect.onInterrupt(() => giveBack(run))
  )
}, (effect, ref) => Effect.annotateLogs(effect, { tenant: ref.tenantId, job: ref.jobId, kind: "video_encode" }))

/** Batch kills 30 s after SIGTERM; the row is told well before. */
const giveBackLimit = "10 seconds"

const giveBack = (run: JobRun): Effect.Effect<void> =>
  run.record({ _tag: "Preempt", message: "작업 서버가 종료되어 다시 시도합니다" }).pipe(
    Effect.timeout(giveBackLimit),
    Effect.matchEffect({
      onSuccess: () => Effect.logInfo("The job was given back"),
      onFailure: (error) => Effect.logWarning("The job could not be given back", { error: error.message })
    })
  )

const attempt = Effect.fnUntraced(function*(run: JobRun, options: EncodeRunOptions) {
  const record = yield* run.current
  const { video } = record
  if (video === null) {
    yield* run.record({
      _tag: "Fail",
      code: "superseded",
      message: "이 영상에는 더 새로운 인코딩 작업이 있습니다",
      retryable: false
    })
    return ExitCode.done
  }
  const memory = yield* readMemoryLimit
  const end = yield* holdLease(run, options.leaseMillis, (pulse) => encode(run, video, options, pulse, memory)).pipe(
    Effect.catchTags({
      LeaseLost: (error) => leaseGone(error.message),
      JobNotFound: (error) => leaseGone(error.message)
    })
  )
  if (end === null) return ExitCode.done
  return yield* Effect.gen(function*() {
    yield* run.record(end.command)
    const { job } = yield* run.current
    yield* Effect.logInfo("The attempt ended", { status: job.status, exit: end.exit })
    yield* end.afterwards
    return end.exit
  }).pipe(
    Effect.catchTags({
      LeaseLost: (error) => Effect.as(leaseGone(error.message), ExitCode.done),
      JobNotFound: (error) => Effect.as(leaseGone(error.message), ExitCode.done),
      JobStoreUnavailable: (error) =>
        Effect.as(Effect.logError("The end could not be recorded", { error: error.message }), ExitCode.temporary)
    })
  )
})

/** Somebody else has the job, or nobody may have it any more: there is nothing left to say. */
const leaseGone = (error: string): Effect.Effect<null> =>
  Effect.as(Effect.logWarning("The job was taken away and the work stopped", { error }), null)

const encode = (
  run: JobRun,
  video: Video,
  options: EncodeRunOptions,
  pulse: Effect.Effect<void>,
  memoryBefore: MemoryLimit
) =>
  Effect.gen(function*() {
    const encoder = yield* Encoder
    const fs = yield* FileSystem.FileSystem
    const objects = yield* ObjectStore
    let current: VideoStepName | null = null

    const moveTo = Effect.fnUntraced(function*(step: VideoStepName) {
      if (current === step) return
      current = step
      yield* run.record({ _tag: "Advance", step })
      yield* Effect.logInfo("Step", { step })
    })
    const moved = (sample: Sample) => Effect.andThen(pulse, run.tick(sample)).pipe(Effect.asVoid)

    yield* moveTo("presigning")
    const work = yield* fs.makeTempDirectoryScoped({ directory: options.workRoot, prefix: "encode-" })
    const input = `${work}/input`
    const outDir = `${work}/hls`

    yield* moveTo("downloading")
    let downloaded = 0
    yield* downloadRaw(video.fileKey, input, (bytes, total) => {
      downloaded += bytes
      return moved({ fraction: downloaded / total, remainingSeconds: null })
    })

    const result = yield* encoder.encodeFile({
      input,
      outDir,
      source: video.fileKey,
      keep: keepNowhere(EncodeToken.make(`${run.lease.jobId.slice(0, 8)}-${run.lease.attempt}`)),
      onProgress: ({ fraction, remainingSeconds, step }) =>
        Effect.andThen(moveTo(step), moved({ fraction, remainingSeconds }))
    })

    yield* moveTo("uploading")
    const target = { tenantId: video.tenantId, videoId: video.id, directory: outDir }
    const total = result.files.reduce((sum, file) => sum + file.bytes, 0)
    let uploaded = 0
    yield* publishHls(
      target,
      result.files,
      (bytes) => {
        uploaded += bytes
        return moved({ fraction: uploaded / total, remainingSeconds: null })
      },
      // The row decides once more before anything becomes visible: a stale holder publishes nothing.
      run.heartbeat
    )

    const prefix = hlsPrefix(video.tenantId, video.id)
    const output: typeof EncodeOutput.Encoded = {
      hls_path: `${prefix}${result.master}`,
      thumbnail_path: `${prefix}${result.thumbnail}`,
      duration: Math.max(1, Math.round(result.durationSeconds)),
      variants: result.variants.map((variant) => `${variant.width}x${variant.height}`)
    }
    const end: AttemptEnd = {
      command: { _tag: "Succeed", result: output },
      exit: ExitCode.done,
      afterwards: removeOtherOutputs(target, result.files).pipe(
        Effect.provideService(ObjectStore, objects),
        Effect.matchEffect({
          onSuccess: (count) => count === 0 ? Effect.void : Effect.logInfo("Earlier outputs were removed", { count }),
          onFailure: (error) => Effect.logWarning("Earlier outputs stay for now", { error: error.message })
        })
      )
    }
    return end
  }).pipe(
    Effect.scoped,
    Effect.catchTags({
      MediaRejected: (error) =>
        ended("The input was rejected", error.message, ExitCode.badInput, {
          _tag: "Reject",
          code: error.code,
          message: error.messageKo
        }),
      ObjectNotFound: (error) =>
        ended("The raw upload is missing", error.message, ExitCode.badInput, {
          _tag: "Fail",
          code: "raw_missing",
          message: "올린 원본 파일을 찾을 수 없습니다. 다시 올려 주세요",
          retryable: false
        }),
      TranscodeFailed: (error) =>
        Effect.flatMap(readMemoryLimit, (memory) =>
          memory.kills > memoryBefore.kills
            ? outOfMemory(memory, error.message)
            : ended("The encode failed", error.message, error.retryable ? ExitCode.temporary : ExitCode.bug, {
              _tag: "Fail",
              code: error.reason._tag,
              message: "영상을 변환하지 못했습니다",
              retryable: error.retryable
            })),
      EncoderUnavailable: (error) => temporary("encoder_unavailable", error.message),
      ObjectStoreUnavailable: (error) => temporary("object_store_unavailable", error.message),
      PlatformError: (error) => temporary("work_directory", error.message),
      JobStoreUnavailable: (error) => temporary("database_unavailable", error.message),
      IllegalTransition: (error) => Effect.die(error)
    }),
    Effect.catchCause((cause) =>
      Cause.hasDies(cause)
        ? Effect.logError("The worker broke", cause).pipe(
          Effect.andThen(ended("The worker broke", Cause.pretty(cause), ExitCode.bug, {
            _tag: "Fail",
            code: "bug",
            message: "영상 처리 중 예기치 않은 오류가 발생했습니다",
            retryable: true
          }))
        )
        : Effect.failCause(cause)
    )
  )

const ended = (
  what: string,
  error: string,
  exit: ExitCode,
  command: WorkerCommand
): Effect.Effect<AttemptEnd> =>
  Effect.as(Effect.logError(what, { error }), { command, exit, afterwards: Effect.void })

/** Tried again all the same, by the row's own count: it may come to a larger machine, or be put on one. */
const outOfMemory = ({ bytes }: MemoryLimit, error: string): Effect.Effect<AttemptEnd> =>
  ended(`The memory limit${bytes === null ? "" : ` of ${Math.round(bytes / 2 ** 20)} MiB`} was reached`, error, ExitCode.outOfMemory, {
    _tag: "Fail",
    code: "out_of_memory",
    message: "작업 서버의 메모리가 부족하여 영상을 변환하지 못했습니다",
    retryable: true
  })

const temporary = (code: string, error: string): Effect.Effect<AttemptEnd> =>
  ended("Something around the encode failed", error, ExitCode.temporary, {
    _tag: "Fail",
    code,
    message: "일시적인 문제로 영상을 처리하지 못했습니다",
    retryable: true
  })
