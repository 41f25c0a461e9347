import { fileFault } from "@lectern/domain"
import ffmpeg from "fluent-ffmpeg"
import { Cause, Clock, Deferred, Duration, Effect, Exit, FileSystem, Layer, Option, Path, Queue } from "effect"
import { fileURLToPath } from "node:url"
import { EncoderUnavailable } from "./EncoderUnavailable.ts"
import { commandLine, renditionsOf } from "./FfmpegCommandLine.ts"
import { MediaRejected } from "./MediaRejected.ts"
import { progressLines } from "./ProgressLines.ts"
import { ProgramFailed, Stalled, TimeLimitReached, TranscodeFailed, WorkspaceFailed } from "./TranscodeFailed.ts"
import { Transcoder, type TranscodeJob, type TranscodeProgress } from "./Transcoder.ts"

// fluent-ffmpeg starts its children with our environment and leaves them alone when we die: this program does neither.
const containedFfmpeg = fileURLToPath(new URL("./contained/ffmpeg", import.meta.url))

const keptWarnings = 20

/** Exit code of ffmpeg when more frames than `-max_error_rate` allows could not be decoded. */
const errorRateExceeded = 69

/** Exit code of a shell's `exec` for a program that it does not find. */
const programNotFound = 127

interface Running {
  /** Ends when the process is gone and its output has been read. */
  readonly ended: Deferred.Deferred<void, Error>
  readonly stop: (grace: Duration.Duration) => Effect.Effect<void>
}

const start = (job: TranscodeJob, onLine: (line: string) => void, onEnd: () => void): Effect.Effect<Running> =>
  Effect.sync(() => {
    const { filterGraph, input, inputOptions, outputs } = commandLine(job)
    const ended = Deferred.makeUnsafe<void, Error>()
    let spawned = false
    let unwanted = false

    const command = ffmpeg({ cwd: job.outDir, stdoutLines: keptWarnings }).setFfmpegPath(containedFfmpeg)
    command.input(input).inputOptions(...inputOptions)
    if (filterGraph !== null) command.complexFilter(filterGraph)
    for (const { options, target } of outputs) command.output(target).outputOptions(...options)

    const settle = (exit: Exit.Exit<void, Error>): void => {
      Deferred.doneUnsafe(ended, exit)
      onEnd()
    }
    command.on("start", () => {
      spawned = true
      // A kill before the spawn is lost by the library, which asks ffmpeg for its formats first.
      if (unwanted) command.kill("SIGKILL")
    })
    command.on("stderr", onLine)
    command.on("end", () => settle(Exit.void))
    command.on("error", (error) => settle(Exit.fail(error)))
    command.run()

    const awaitEnd = Effect.exit(Deferred.await(ended))
    const stop = (grace: Duration.Duration) =>
      Effect.gen(function* () {
        if (yield* Deferred.isDone(ended)) return
        unwanted = true
        if (spawned) yield* Effect.sync(() => command.kill("SIGTERM"))
        const inTime = yield* Effect.timeoutOption(awaitEnd, grace)
        if (Option.isSome(inTime) || !spawned) return
        yield* Effect.sync(() => command.kill("SIGKILL"))
        yield* awaitEnd
      })
    return { ended, stop }
  })

const failureOf = (error: Error, lastLines: ReadonlyArray<string>) => {
  const exitCode = Number(/exited with code (\d+)/.exec(error.message)?.[1] ?? Number.NaN)
  const signal = /killed with signal (\w+)/.exec(error.message)?.[1] ?? null
  if (exitCode === programNotFound) return new EncoderUnavailable({ program: "ffmpeg" })
  const said = lastLines.at(-1) ?? error.message
  if (exitCode === errorRateExceeded) return MediaRejected.because("damaged", said)
  if (signal === null && lastLines.some((line) => line.includes("Invalid data found when processing input"))) {
    return MediaRejected.because("damaged", said)
  }
  return new TranscodeFailed({
    reason: new ProgramFailed({
      program: "ffmpeg",
      exitCode: Number.isInteger(exitCode) ? exitCode : null,
      signal,
      lastLines: lastLines.length > 0 ? [...lastLines] : [error.message]
    }),
    retryable: true
  })
}

const failed = (reason: TranscodeFailed["reason"]) => new TranscodeFailed({ reason, retryable: true })

/** Whether something new has come out since `before`. */
const advanced = (before: TranscodeProgress | null, now: TranscodeProgress): boolean =>
  (now.frame ?? 0) > (before?.frame ?? 0) || (now.outTimeMicros ?? 0) > (before?.outTimeMicros ?? 0)

/** `Transcoder` by one ffmpeg process, and the only module that knows fluent-ffmpeg. */
export const layer: Layer.Layer<Transcoder, never, FileSystem.FileSystem | Path.Path> = Layer.effect(
  Transcoder,
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const paths = yield* Path.Path

    const prepare = (job: TranscodeJob) =>
      Effect.forEach(
        renditionsOf(job.plan, job.part),
        (name) => fileSystem.makeDirectory(paths.join(job.outDir, name), { recursive: true }),
        { discard: true }
      ).pipe(
        Effect.mapError((error) =>
          failed(new WorkspaceFailed({ action: "write to", path: job.outDir, detail: fileFault(error) }))
        )
      )

    const supervise = <E>(
      job: TranscodeJob,
      reports: Queue.Queue<TranscodeProgress, Cause.Done>,
      onProgress: (progress: TranscodeProgress) => Effect.Effect<void, E>
    ): Effect.Effect<void, TranscodeFailed | E> =>
      Effect.gen(function* () {
        const stall = Duration.toMillis(job.limits.stall)
        let latest: TranscodeProgress | null = null
        let advancedAt = yield* Clock.currentTimeMillis
        while (true) {
          const remaining = Math.max(0, stall - ((yield* Clock.currentTimeMillis) - advancedAt))
          const waiting = yield* Queue.poll(reports)
          const next = Option.isSome(waiting)
            ? waiting.value
            : yield* Queue.take(reports).pipe(
                Effect.timeoutOrElse({
                  duration: Duration.millis(remaining),
                  orElse: () => Effect.fail(failed(new Stalled({ seconds: stall / 1000 })))
                }),
                Effect.catchIf(Cause.isDone, () => Effect.succeed(null))
              )
          if (next === null) return
          if (advanced(latest, next)) {
            advancedAt = yield* Clock.currentTimeMillis
            latest = next
          }
          yield* onProgress(next)
        }
      })

    const transcode = Effect.fn("Transcoder.transcode")(function* <E>(
      job: TranscodeJob,
      onProgress: (progress: TranscodeProgress) => Effect.Effect<void, E>
    ) {
      yield* prepare(job)
      const reports = yield* Queue.sliding<TranscodeProgress, Cause.Done>(1)
      const lines = progressLines()
      const lastLines: Array<string> = []
      const warnings = new Set<string>()
      const onLine = (line: string): void => {
        const accepted = lines.accept(line)
        if (accepted === "log") {
          lastLines.push(line)
          if (lastLines.length > keptWarnings) lastLines.shift()
          if (warnings.size < keptWarnings) warnings.add(line.replace(/ @ 0x[0-9a-f]+/g, ""))
        } else if (accepted !== null) {
          Queue.offerUnsafe(reports, accepted)
        }
      }
      return yield* Effect.gen(function* () {
        const running = yield* Effect.acquireRelease(
          start(job, onLine, () => Queue.endUnsafe(reports)),
          ({ stop }) => stop(job.limits.grace)
        )
        yield* supervise(job, reports, onProgress)
        yield* Deferred.await(running.ended).pipe(Effect.mapError((error) => failureOf(error, lastLines)))
        return { warnings: [...warnings] }
      }).pipe(
        Effect.scoped,
        Effect.timeoutOrElse({
          duration: job.limits.total,
          orElse: () =>
            Effect.fail(
              failed(new TimeLimitReached({ step: "transcoding", seconds: Duration.toSeconds(job.limits.total) }))
            )
        })
      )
    })

    return Transcoder.of({ transcode })
  })
)
