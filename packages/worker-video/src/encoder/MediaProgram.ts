import { Context, Duration, Effect, Layer, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import { EncoderUnavailable } from "./EncoderUnavailable.ts"
import { ProgramFailed, TimeLimitReached, TranscodeFailed } from "./TranscodeFailed.ts"

/** The whole environment of a child: uploads are hostile, and our own environment holds credentials. */
export const childEnvironment = (): Record<string, string> => ({
  PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
  LC_ALL: "C"
})

/** What one run left: `exitCode` other than 0 is for the caller to judge. */
export interface ProgramRun {
  readonly exitCode: number
  readonly stdout: string
  readonly lastLines: ReadonlyArray<string>
}

export interface ProgramLimits {
  /** Names the step in the error when the time is up. */
  readonly step: string
  readonly time: Duration.Duration
  /** Where the program runs; by default where we do. */
  readonly directory?: string
}

const keptLines = 20
const keptCharacters = 16 * 1024 * 1024

/**
 * Runs ffmpeg and ffprobe for short questions (a probe, one picture). The encode itself goes through `Transcoder`.
 *
 * The child has an environment of its own, no standard input, and ends with the fiber that runs it: SIGTERM, and
 * SIGKILL two seconds later.
 */
export class MediaProgram extends Context.Service<
  MediaProgram,
  {
    /**
     * Runs to the end and keeps the output: all of stdout (16 MiB at most) and the last lines of stderr. `onLines` hears
     * the lines of stdout as they come.
     */
    readonly run: (
      program: "ffmpeg" | "ffprobe",
      args: ReadonlyArray<string>,
      limits: ProgramLimits,
      onLines?: (lines: ReadonlyArray<string>) => Effect.Effect<void>
    ) => Effect.Effect<ProgramRun, EncoderUnavailable | TranscodeFailed>
    /**
     * Folds over the lines of stdout without keeping them. An exit code other than 0 fails with `ProgramFailed`.
     * `onState` hears the state whenever more lines have come.
     */
    readonly foldLines: <A>(
      program: "ffmpeg" | "ffprobe",
      args: ReadonlyArray<string>,
      limits: ProgramLimits,
      initial: A,
      step: (state: A, line: string) => A,
      onState: (state: A) => Effect.Effect<void>
    ) => Effect.Effect<A, EncoderUnavailable | TranscodeFailed>
  }
>()("@lectern/worker-video/encoder/MediaProgram") {
  static readonly layer: Layer.Layer<MediaProgram, never, ChildProcessSpawner.ChildProcessSpawner> = Layer.effect(
    MediaProgram,
    Effect.gen(function* () {
      const spawner = yield* ChildProcessSpawner.ChildProcessSpawner

      const fold = <A>(
        program: "ffmpeg" | "ffprobe",
        args: ReadonlyArray<string>,
        limits: ProgramLimits,
        initial: A,
        step: (state: A, lines: ReadonlyArray<string>) => A,
        onLines: (state: A, lines: ReadonlyArray<string>) => Effect.Effect<void>
      ) =>
        Effect.gen(function* () {
          const child = yield* spawner.spawn(
            ChildProcess.make(program, [...args], {
              env: childEnvironment(),
              extendEnv: false,
              ...(limits.directory === undefined ? {} : { cwd: limits.directory }),
              stdin: "ignore",
              killSignal: "SIGTERM",
              forceKillAfter: "2 seconds"
            })
          )
          const [state, lastLines] = yield* Effect.all(
            [
              child.stdout.pipe(
                Stream.decodeText(),
                Stream.splitLines,
                Stream.chunks,
                Stream.runFoldEffect(
                  () => initial,
                  (state, lines) => {
                    const next = step(state, lines)
                    return Effect.as(onLines(next, lines), next)
                  }
                )
              ),
              child.stderr.pipe(
                Stream.decodeText(),
                Stream.splitLines,
                Stream.runFold(
                  (): ReadonlyArray<string> => [],
                  (lines, line) => [...lines.slice(1 - keptLines), line]
                )
              )
            ],
            { concurrency: "unbounded" }
          )
          const exitCode = yield* child.exitCode
          return { state, lastLines, exitCode: Number(exitCode) }
        }).pipe(
          Effect.scoped,
          Effect.catchTag("PlatformError", (error): Effect.Effect<never, EncoderUnavailable | TranscodeFailed> =>
            error.reason._tag === "NotFound"
              ? Effect.fail(new EncoderUnavailable({ program }))
              : Effect.fail(
                  new TranscodeFailed({
                    reason: new ProgramFailed({ program, exitCode: null, signal: null, lastLines: [error.message] }),
                    retryable: true
                  })
                )
          ),
          Effect.timeoutOrElse({
            duration: limits.time,
            orElse: () =>
              Effect.fail(
                new TranscodeFailed({
                  reason: new TimeLimitReached({ step: limits.step, seconds: Duration.toSeconds(limits.time) }),
                  retryable: true
                })
              )
          })
        )

      const run = Effect.fn("MediaProgram.run")(function* (
        program: "ffmpeg" | "ffprobe",
        args: ReadonlyArray<string>,
        limits: ProgramLimits,
        onLines: (lines: ReadonlyArray<string>) => Effect.Effect<void> = () => Effect.void
      ) {
        const { exitCode, lastLines, state } = yield* fold(
          program,
          args,
          limits,
          "",
          (text, lines) => (text.length > keptCharacters ? text : `${text}${lines.join("\n")}\n`),
          (_, lines) => onLines(lines)
        )
        return { exitCode, stdout: state, lastLines }
      })

      const foldLines = <A>(
        program: "ffmpeg" | "ffprobe",
        args: ReadonlyArray<string>,
        limits: ProgramLimits,
        initial: A,
        step: (state: A, line: string) => A,
        onState: (state: A) => Effect.Effect<void>
      ) =>
        fold(program, args, limits, initial, (state, lines) => lines.reduce(step, state), onState).pipe(
          Effect.flatMap(({ exitCode, lastLines, state }) =>
            exitCode === 0
              ? Effect.succeed(state)
              : Effect.fail(
                  new TranscodeFailed({
                    reason: new ProgramFailed({ program, exitCode, signal: null, lastLines }),
                    retryable: false
                  })
                )
          ),
          Effect.withSpan("MediaProgram.foldLines", { attributes: { program } })
        )

      return MediaProgram.of({ run, foldLines })
    })
  )
}
