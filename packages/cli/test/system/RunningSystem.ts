/**
 * The program itself, as a user starts it: `lectern up` in a process of its own, with an environment that holds what the test
 * says and no more.
 */
import { temporaryFolder, Warden } from "@lectern/harness"
import { Deferred, Effect, Option, Schema, type Scope } from "effect"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("../../bin/lectern.mjs", import.meta.url))

/** A line of the log, of the system itself or of an encode that it runs. */
const LogLine = Schema.Struct({
  level: Schema.String,
  service: Schema.String,
  message: Schema.String,
  job: Schema.optionalKey(Schema.String),
  attempt: Schema.optionalKey(Schema.Int),
  step: Schema.optionalKey(Schema.String),
  detail: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json))
})
export type LogLine = typeof LogLine.Type

const decodeLogLine = Schema.decodeUnknownOption(Schema.fromJsonString(LogLine))

export class SystemEnded extends Schema.TaggedError<SystemEnded>()("SystemEnded", {
  waitedFor: Schema.String,
  output: Schema.String
}) {
  override get message(): string {
    return `The system ended while a test waited for ${this.waitedFor}: ${this.output}`
  }
}

export interface RunningSystem {
  readonly url: string
  readonly port: number
  readonly data: string
  readonly pid: number
  /** Everything that the log has said so far. */
  readonly log: () => ReadonlyArray<LogLine>
  /** Waits for a line of the log; one that was said already counts. */
  readonly said: (what: string, wanted: (line: LogLine) => boolean) => Effect.Effect<LogLine, SystemEnded>
  /** SIGKILL; returns when the process is gone. */
  readonly kill: Effect.Effect<void>
  /** SIGTERM; returns the exit code. */
  readonly stop: Effect.Effect<number | null>
}

export interface SystemOptions {
  /** A new one, gone with the scope, where it is not given. */
  readonly data?: string
  readonly port?: number
  readonly env?: Readonly<Record<string, string>>
}

/** Starts the system and returns when it says that it is up. It dies with the scope, and with the process of the test. */
export const startSystem = (
  options: SystemOptions = {}
): Effect.Effect<RunningSystem, SystemEnded, Scope.Scope> =>
  Effect.gen(function*() {
    const data = options.data ?? (yield* Effect.orDie(temporaryFolder("system")))
    const lines: Array<LogLine> = []
    const waiting = new Set<(line: LogLine) => void>()
    const ended = yield* Deferred.make<number | null>()
    const up = yield* Deferred.make<string>()
    let output = ""

    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const started = spawn(
          process.execPath,
          [program, "up", "--port", String(options.port ?? 0), "--data", data],
          {
            env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...options.env },
            stdio: ["ignore", "pipe", "pipe"]
          }
        )
        if (started.pid !== undefined) Warden.hold(started.pid, "SIGTERM")
        started.once("close", (code) => {
          if (started.pid !== undefined) Warden.release(started.pid)
          Deferred.doneUnsafe(ended, Effect.succeed(code))
        })
        for (const stream of [started.stdout, started.stderr]) {
          createInterface({ input: stream }).on("line", (text) => {
            output = `${output}${text}\n`.slice(-8_000)
            const address = /^Lectern is up at (\S+)$/.exec(text)?.[1]
            if (address !== undefined) Deferred.doneUnsafe(up, Effect.succeed(address))
            const said = Option.getOrNull(decodeLogLine(text))
            if (said === null) return
            // An encode's line is what a line of the system's log says.
            const line = Option.getOrElse(decodeLogLine(said.message), () => said)
            lines.push(line)
            for (const hear of waiting) hear(line)
          })
        }
        return started
      }),
      (started) =>
        Effect.andThen(
          Effect.sync(() => {
            started.kill("SIGTERM")
          }),
          Deferred.await(ended)
        ).pipe(
          Effect.timeoutOrElse({
            duration: "40 seconds",
            orElse: () => Effect.andThen(Effect.sync(() => started.kill("SIGKILL")), Deferred.await(ended))
          })
        )
    )

    const orEnded = <A>(waitedFor: string, wait: Effect.Effect<A>): Effect.Effect<A, SystemEnded> =>
      Effect.raceFirst(
        wait,
        Effect.flatMap(Deferred.await(ended), () => Effect.fail(new SystemEnded({ waitedFor, output })))
      )

    const signalled = (signal: NodeJS.Signals): Effect.Effect<number | null> =>
      Effect.suspend(() => {
        child.kill(signal)
        return Deferred.await(ended)
      })

    const url = yield* orEnded("its start", Deferred.await(up))
    return {
      url,
      port: Number(new URL(url).port),
      data,
      pid: child.pid ?? 0,
      log: () => lines,
      said: (what, wanted) =>
        orEnded(
          what,
          Effect.callback<LogLine>((resume) => {
            const said = lines.find(wanted)
            if (said !== undefined) return resume(Effect.succeed(said))
            const hear = (line: LogLine): void => {
              if (wanted(line)) resume(Effect.succeed(line))
            }
            waiting.add(hear)
            return Effect.sync(() => waiting.delete(hear))
          })
        ),
      kill: Effect.asVoid(signalled("SIGKILL")),
      stop: signalled("SIGTERM")
    }
  })
