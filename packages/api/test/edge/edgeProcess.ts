/** The edge as it is deployed: its own program, in a process that ends with the scope. */
import { Warden } from "@lectern/harness"
import { Effect } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { secret, token } from "./edgeSubject.ts"

const entry = fileURLToPath(new URL("../../src/edge/node.ts", import.meta.url))

export interface Answer {
  readonly status: number
  readonly body: Readonly<Record<string, unknown>>
}

export interface EdgeProcess {
  readonly process: ChildProcess
  readonly port: number
  /** What it has printed so far. */
  readonly output: () => string
  /** Ends it without a word, and returns when it is gone. */
  readonly kill: Effect.Effect<void>
  readonly ask: (path: string, headers?: Record<string, string>) => Effect.Effect<Answer>
}

/** Runs the program to its end and returns how that was. */
export const runEdge = (env: Record<string, string>) =>
  Effect.callback<{ readonly code: number | null; readonly errors: string }>((resume) => {
    const child = Warden.held(spawn(process.execPath, [entry], { env, stdio: ["ignore", "ignore", "pipe"] }))
    let errors = ""
    child.stderr.on("data", (chunk: Buffer) => errors += chunk.toString("utf8"))
    child.once("close", (code) => resume(Effect.succeed({ code, errors })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** `atPort`: any that is free by default; `more` of the environment. */
export const startEdge = (redisUrl: string, atPort = 0, more: Record<string, string> = {}) =>
  Effect.gen(function*() {
    let output = ""
    const child = yield* Effect.acquireRelease(
      Effect.sync(() =>
        Warden.held(spawn(process.execPath, [entry], {
          env: { PORT: String(atPort), REDIS_URL: redisUrl, AUTH_JWT_SECRET: secret, ...more },
          stdio: ["ignore", "pipe", "pipe"]
        }))
      ),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const port = yield* Effect.callback<number, Error>((resume) => {
      const collect = (chunk: Buffer): void => {
        output += chunk.toString("utf8")
        const listening = /"message":"listening".*"port":(\d+)/.exec(output)?.[1]
        if (listening !== undefined) resume(Effect.succeed(Number(listening)))
      }
      child.stdout.on("data", collect)
      child.stderr.on("data", collect)
      child.once("exit", () => resume(Effect.fail(new Error(`The edge ended: ${output}`))))
    })
    const ask: EdgeProcess["ask"] = (path, headers) =>
      Effect.promise(async () => {
        const response = await fetch(`http://127.0.0.1:${port}${path}`, {
          headers: { authorization: `Bearer ${token}`, ...headers }
        })
        return { status: response.status, body: (await response.json()) as Answer["body"] }
      })
    const kill = Effect.callback<void>((resume) => {
      child.once("exit", () => resume(Effect.void))
      child.kill("SIGKILL")
    })
    return { process: child, port, output: () => output, ask, kill } satisfies EdgeProcess
  })
