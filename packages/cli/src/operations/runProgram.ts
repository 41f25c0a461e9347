import { type Duration, Effect, Schema, Stream } from "effect"
import { ChildProcess } from "effect/process"

/** A program that is not there, cannot be started, or was stopped because its time was over. */
export class ProgramUnavailable extends Schema.TaggedError<ProgramUnavailable>()("ProgramUnavailable", {
  program: Schema.String,
  reason: Schema.Literals(["NotFound", "NotStarted", "TimeLimit"]),
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
    return { exitCode: Number(yield* child.exitCode), stdout, stderr } satisfies ProgramEnd
  }).pipe(
    Effect.scoped,
    Effect.catchTag("PlatformError", (error) =>
      Effect.fail(
        new ProgramUnavailable({
          program,
          reason: error.reason._tag === "NotFound" ? "NotFound" : "NotStarted",
          detail: error.reason._tag === "NotFound" ? "there is no such program" : error.message
        })
      )),
    Effect.timeoutOrElse({
      duration: options.limit,
      orElse: () => Effect.fail(new ProgramUnavailable({ program, reason: "TimeLimit", detail: "it did not end in time" }))
    })
  )
