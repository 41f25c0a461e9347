import {
  EncodeLeftovers,
  type EncodeOutput,
  EncodeParts,
  holdLease,
  hlsPrefix,
  type JobNotFound,
  JobRecorder,
  type JobRef,
  type JobRun,
  JobStore,
  type LeaseLost,
  ObjectStore,
  recordEnd,
  type Video,
  type VideoStepName,
  type WorkerCommand
} from "@lectern/domain"
import { Cause, Duration, Effect } from "effect"
import { helpEncode } from "./EncodeHelp.ts"
import { Encoder, TimeLimitReached, TranscodeFailed, type TranscodeFailedReason } from "./encoder/index.ts"
import { ExitCode } from "./ExitCode.ts"
import { publishHls } from "./HlsPublication.ts"
import { type KeepFailure, type KeptParts, makeKeptParts } from "./KeptParts.ts"
import { type MemoryLimit, readMemoryLimit } from "./memoryLimit.ts"
import { downloadRaw } from "./rawDownload.ts"
import { type RecordFailure, type StepProgress, stepProgress } from "./StepProgress.ts"
import { workDirectory } from "./workDirectory.ts"

export interface EncodeRunOptions {
  /** Names this run among those that may hold the job. */
  readonly owner: string
  /** How long others leave the job alone without a heartbeat, in milliseconds. */
  readonly leaseMillis: number
  /** Where the run makes its work directory, which is gone when it ends. */
  readonly workRoot: string
  /** Which of the containers of an array job this is; `null` for one that works alone. */
  readonly arrayIndex: number | null
}

/** What ended an attempt: the command that says so in the row, and the exit that says so to Batch. */
interface AttemptEnd {
  readonly command: WorkerCommand
  readonly exit: ExitCode
  readonly afterwards: Effect.Effect<void>
}

/**
 * One run of the worker: one claimed encode, from the raw upload to the published stream. Of the containers of an
 * array job the first one claims it; the others encode parts until none is free, and see then whether the job has
 * lost its holder.
 *
 * Everything that can happen ends in an exit code. Interrupted (SIGTERM, a Spot reclaim) it gives the job back and
 * stays interrupted: the caller exits with `ExitCode.preempted`.
 */
export const runEncode = Effect.fn("EncodeRun.run")(function*(ref: JobRef, options: EncodeRunOptions) {
  yield* Effect.annotateCurrentSpan({ tenant: ref.tenantId, job: ref.jobId })
  const first = yield* claimAndEncode(ref, options)
  if (first !== "Busy") return first
  if (options.arrayIndex === null) return yield* nothingToDo("Busy")
  const helped = yield* helpEncode(ref, { ...options, partsOwner: partsOwnerOf(ref, options) })
  if (helped !== ExitCode.done) return helped
  const second = yield* claimAndEncode(ref, options)
  return second === "Busy" ? ExitCode.done : second
}, (effect, ref) => Effect.annotateLogs(effect, { tenant: ref.tenantId, job: ref.jobId, kind: "video_encode" }))

/** The same for every attempt of one container's place, so that a restarted one takes up its own parts at once. */
const partsOwnerOf = (ref: JobRef, { arrayIndex }: EncodeRunOptions): string => `${ref.jobId}:${arrayIndex ?? 0}`

const nothingToDo = (claim: string): Effect.Effect<ExitCode> =>
  Effect.as(Effect.logInfo("There is nothing to do", { claim }), ExitCode.done)

const claimAndEncode = Effect.fnUntraced(function*(ref: JobRef, options: EncodeRunOptions) {
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
  if (claimed.success._tag === "Busy") return "Busy"
  if (claimed.success._tag !== "Claimed") return yield* nothingToDo(claimed.success._tag)
  const { run } = claimed.success
  return yield* Effect.annotateLogs(attempt(run, options), { attempt: run.lease.attempt })
})

/** Batch kills 30 s after SIGTERM; the row is told well before. */
const giveBackLimit = "10 seconds"

const giveBack = (run: JobRun, video: Video, kept: KeptParts) =>
  run.record({ _tag: "Preempt", message: "작업 서버가 종료되어 다시 시도합니다" }).pipe(
    Effect.timeout(giveBackLimit),
    Effect.matchEffect({
      onSuccess: () => Effect.logInfo("The job was given back"),
      onFailure: (error) =>
        Effect.andThen(
          Effect.logWarning("The job could not be given back", { error: error.message }),
          clearUp(run, video, kept)
        )
    })
  )

/** What is left of the job that was lost, by the video that it was for. */
const fateOf = ({ lease }: JobRun, video: Video) =>
  Effect.flatMap(JobStore, (store) => store.getVideo(lease.tenantId, video.id)).pipe(
    Effect.map(({ job }) => job?.id === lease.jobId && job.status === "CANCELLED" ? "Cancelled" : "InOtherHands"),
    Effect.catchTag("VideoNotFound", () => Effect.succeed("VideoGone" as const))
  )

const abandonLimit = "5 seconds"

/**
 * Clears up behind a run that has lost its job: its half-written parts; all parts where the job was cancelled before
 * anything of them could be seen; and, where the video was deleted, whatever it made visible too late. What others have
 * written stays. What stays all the same the sweep finds.
 */
const clearUp = (run: JobRun, video: Video, kept: KeptParts) =>
  Effect.gen(function*() {
    yield* kept.discardUnfinished
    const leftovers = yield* EncodeLeftovers
    const fate = yield* fateOf(run, video)
    const encode = kept.opened()
    if (fate === "VideoGone") {
      const count = yield* leftovers.removeAll({ tenantId: video.tenantId, videoId: video.id })
      yield* Effect.logInfo("What was left of the deleted video was removed", { count })
    } else if (fate === "Cancelled" && encode !== null && !kept.isPublished()) {
      const count = yield* leftovers.abandon(encode)
      yield* Effect.logInfo("The finished parts were removed", { count })
    }
  }).pipe(
    Effect.timeout(abandonLimit),
    Effect.catch((error) => Effect.logWarning("What the run has written stays for now", { error: error.message }))
  )

/** A lease is renewed four times in its span: within five seconds, a cancelled job is noticed by work that moves. */
const noticeMillis = 20_000

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
  let onFile = Effect.void
  const kept = yield* makeKeptParts({
    tenantId: video.tenantId,
    videoId: video.id,
    owner: partsOwnerOf(run.lease, options),
    leaseMillis: options.leaseMillis,
    onFile: Effect.suspend(() => onFile)
  })
  /** Somebody else has the job, or nobody may have it any more: there is nothing left to say. */
  const takenAway = (error: LeaseLost | JobNotFound) =>
    Effect.logWarning("The job was taken away and the work stopped", { error: error.message }).pipe(
      Effect.andThen(clearUp(run, video, kept)),
      Effect.as(ExitCode.done)
    )
  return yield* Effect.gen(function*() {
    const end = yield* holdLease(run, Math.min(options.leaseMillis, noticeMillis), (pulse) => {
      const progress = stepProgress(run, pulse)
      onFile = progress.movedAgain
      return encode(run, video, options, kept, progress, memory)
    }).pipe(Effect.onInterrupt(() => giveBack(run, video, kept)))
    const recorded = yield* recordEnd(run, end.command, failedByBug({ retryable: false }))
    const { afterwards, exit } = recorded === "Recorded" ? end : { afterwards: Effect.void, exit: ExitCode.bug }
    const { job } = yield* run.current
    yield* Effect.logInfo("The attempt ended", { status: job.status, exit })
    yield* afterwards
    return exit
  }).pipe(
    Effect.catchTags({
      LeaseLost: takenAway,
      JobNotFound: takenAway,
      JobStoreUnavailable: (error) =>
        Effect.as(Effect.logError("The end could not be recorded", { error: error.message }), ExitCode.temporary)
    })
  )
})

const encode = (
  run: JobRun,
  video: Video,
  options: EncodeRunOptions,
  kept: KeptParts,
  { begin, moved }: StepProgress,
  memoryBefore: MemoryLimit
) =>
  Effect.gen(function*() {
    const encoder = yield* Encoder
    const parts = yield* EncodeParts
    const objects = yield* ObjectStore
    let current: VideoStepName | null = null

    const moveTo = Effect.fnUntraced(function*(step: VideoStepName) {
      if (current === step) return
      current = step
      yield* begin(step)
      yield* Effect.logInfo("Step", { step })
    })

    yield* moveTo("presigning")
    const work = yield* workDirectory(options.workRoot)
    const input = `${work}/input`
    const outDir = `${work}/hls`

    yield* moveTo("downloading")
    let downloaded = 0
    const { etag } = yield* within("downloading", downloadRaw(video.fileKey, input, (bytes, total) => {
      downloaded += bytes
      return moved({ fraction: downloaded / total, remainingSeconds: null })
    }))

    const result = yield* encoder.encodeFile<KeepFailure | RecordFailure>({
      input,
      outDir,
      source: etag,
      keep: kept.keep,
      onProgress: ({ fraction, remainingSeconds, step }) =>
        Effect.andThen(moveTo(step), moved({ fraction, remainingSeconds }))
    })

    yield* moveTo("uploading")
    const target = { tenantId: video.tenantId, videoId: video.id, directory: outDir }
    const stored = kept.stored()
    const total = result.files.reduce((sum, file) => (stored.has(file.path) ? sum : sum + file.bytes), 0)
    let uploaded = 0
    const paths = result.files.map(({ path }) => path)
    const before = yield* within("uploading", publishHls(
      target,
      result.files,
      stored,
      (bytes) => {
        uploaded += bytes
        return moved({ fraction: uploaded / total, remainingSeconds: null })
      },
      // The row decides once more before anything becomes visible: a stale holder publishes nothing.
      Effect.andThen(run.heartbeat, kept.publish(run.lease.jobId, paths))
    ))

    const prefix = hlsPrefix(video.tenantId, video.id)
    const output: typeof EncodeOutput.Encoded = {
      hls_path: `${prefix}${result.master}`,
      thumbnail_path: `${prefix}${result.thumbnail}`,
      duration: Math.max(1, Math.round(result.durationSeconds)),
      variants: result.variants.map((variant) => `${variant.width}x${variant.height}`),
      ...(result.storyboard === undefined ? {} : { storyboard_path: `${prefix}${result.storyboard}` }),
      non_standard_input_reasons: result.nonStandardInputReasons,
      ...(result.rules === undefined ? {} : { rules: result.rules })
    }
    const end: AttemptEnd = {
      command: { _tag: "Succeed", result: output },
      exit: ExitCode.done,
      // What came later is another's: this run may have stood still since.
      afterwards: Effect.forEach(before, (key) => objects.remove(key), { concurrency: 8, discard: true }).pipe(
        Effect.andThen(parts.closePublished(video.tenantId, video.id, run.lease.jobId)),
        Effect.matchEffect({
          onSuccess: () =>
            before.length === 0
              ? Effect.void
              : Effect.logInfo("Earlier outputs were removed", { count: before.length }),
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
              ...failureWords(error.reason),
              retryable: error.retryable
            })),
      EncoderUnavailable: (error) => temporary("encoder_unavailable", error.message),
      ObjectStoreUnavailable: (error) => temporary("object_store_unavailable", error.message),
      PlatformError: (error) => temporary("work_directory", error.message),
      JobStoreUnavailable: (error) =>
        error.retryable ? temporary("database_unavailable", error.message) : refusedByDatabase(error.message),
      EncodeClosed: (error) => temporary("encode_closed", error.message),
      IllegalTransition: (error) => Effect.die(error)
    }),
    Effect.catchCause((cause) =>
      Cause.hasDies(cause)
        ? Effect.logError("The worker broke", cause).pipe(
          Effect.andThen(
            ended("The worker broke", Cause.pretty(cause), ExitCode.bug, failedByBug({ retryable: true }))
          )
        )
        : Effect.failCause(cause)
    )
  )

/** How a failure is called in the job's row: a broken rule by its number, so that it can be looked up and counted. */
const failureWords = (reason: TranscodeFailedReason): { readonly code: string; readonly message: string } => {
  if (reason._tag !== "OutputInvalid") return { code: reason._tag, message: "영상을 변환하지 못했습니다" }
  const rules = [...new Set(reason.faults.map(({ rule }) => rule))]
  return {
    code: `${reason._tag}:${rules[0] ?? ""}`,
    message: `변환한 영상이 재생 규칙을 지키지 못해 공개하지 않았습니다 (규칙 ${rules.join(", ")})`
  }
}

/** Longest time for a step that moves bytes: of the largest upload at 6 MB/s. */
const transferLimit = Duration.hours(3)

const within = <A, E, R>(step: VideoStepName, work: Effect.Effect<A, E, R>): Effect.Effect<A, E | TranscodeFailed, R> =>
  Effect.timeoutOrElse(work, {
    duration: transferLimit,
    orElse: () =>
      Effect.fail(
        new TranscodeFailed({
          reason: new TimeLimitReached({ step, seconds: Duration.toSeconds(transferLimit) }),
          retryable: true
        })
      )
  })

const ended = (
  what: string,
  error: string,
  exit: ExitCode,
  command: WorkerCommand
): Effect.Effect<AttemptEnd> =>
  Effect.as(Effect.logError(what, { error }), { command, exit, afterwards: Effect.void })

/** Tried again all the same, by the row's own count: it may come to a larger machine, or be put on one. */
const outOfMemory = ({ bytes }: MemoryLimit, error: string): Effect.Effect<AttemptEnd> =>
  ended(
    `The memory limit of ${bytes === null ? "this machine" : `${Math.round(bytes / 2 ** 20)} MiB`} was reached`,
    error,
    ExitCode.outOfMemory,
    {
      _tag: "Fail",
      code: "out_of_memory",
      message: "작업 서버의 메모리가 부족하여 영상을 변환하지 못했습니다",
      retryable: true
    }
  )

const failedByBug = (options: { readonly retryable: boolean }): WorkerCommand => ({
  _tag: "Fail",
  code: "bug",
  message: "영상 처리 중 예기치 않은 오류가 발생했습니다",
  retryable: options.retryable
})

/** Whatever value it was, the worker made it: it would be refused the same again. */
const refusedByDatabase = (error: string): Effect.Effect<AttemptEnd> =>
  ended("The database refused what the worker wrote", error, ExitCode.bug, failedByBug({ retryable: false }))

const temporary = (code: string, error: string): Effect.Effect<AttemptEnd> =>
  ended("Something around the encode failed", error, ExitCode.temporary, {
    _tag: "Fail",
    code,
    message: "일시적인 문제로 영상을 처리하지 못했습니다",
    retryable: true
  })
