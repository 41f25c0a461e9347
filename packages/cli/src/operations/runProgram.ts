import { type Duration, Effect, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"

/** A program that is not there, cannot be started, was ended by a signal, or was stopped because its time was over. */
export class ProgramUnavailable extends Schema.TaggedError<ProgramUnavailable>()("ProgramUnavailable", {
  program: Schema.String,
  reason: Schema.Literals(["NotFound", "NotStarted", "Killed", "TimeLimit"]),
  detail: Schema.String
}) {
  override get message(): string {
    return `Cannot run "${this.program}": ${this.detail}`
  }
}

export interface ProgramEnd {
  readonly exitCode: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program to its end with just this environment and nothing on its standard input, and stops it after `limit`. */
export const runProgram = (
  program: string,
  args: ReadonlyArray<string>,
  options: { readonly env: Readonly<Record<string, string>>; readonly limit: Duration.Input }
) =>
  Effect.gen(function*() {
    const child = yield* ChildProcess.make(program, [...args], {
      env: options.env,
      extendEnv: false,
      stdin: "ignore",
      killSignal: "SIGTERM",
      forceKillAfter: "2 seconds"
    })
    const [stdout, stderr] = yield* Effect.all(
      [Stream.mkString(Stream.decodeText(child.stdout)), Stream.mkString(Stream.decodeText(child.stderr))],
      { concurrency: "unbounded" }
    )
    // Started, it can fail to give a code for one reason alone; the error itself quotes the whole command line.
    const exitCode = yield* Effect.mapError(child.exitCode, () =>
      new ProgramUnavailable({ program, reason: "Killed", detail: "it was ended by a signal" }))
    return { exitCode: Number(exitCode), stdout, stderr } satisfies ProgramEnd
  }).pipe(
    Effect.scoped,
    Effect.catchTag("PlatformError", (error) =>
      Effect.fail(
        new ProgramUnavailable({
          program,
          reason: error.reason._tag === "NotFound" ? "NotFound" : "NotStarted",
          detail: error.reason._tag === "NotFound" ? "there is no such program" : `it cannot be started (${error.reason._tag})`
        })
      )),
    Effect.timeoutOrElse({
      duration: options.limit,
      orElse: () => Effect.fail(new ProgramUnavailable({ program, reason: "TimeLimit", detail: "it did not end in time" }))
    })
  )
