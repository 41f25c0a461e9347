/** A server of the benchmark: a process of its own, on a core of its own where the machine lets us choose. */
import { Warden } from "@lectern/harness"
import { Effect, Schedule } from "effect"
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import { readFileSync } from "node:fs"
import type { Contender, Env } from "./contenders.ts"

export const canPin = ((): boolean => {
  try {
    execFileSync("taskset", ["-c", "0,1", "true"], { stdio: "ignore" })
    return true
  } catch {
    return false
  }
})()

/** Starts a command on a core: servers on 0, load and Redis on the other. */
export const startOn = (core: 0 | 1, command: ReadonlyArray<string>, env: Env): ChildProcess => {
  const [file = "", ...args] = canPin ? ["taskset", "-c", String(core), ...command] : command
  return Warden.held(spawn(file, args, {
    stdio: ["ignore", "pipe", "pipe"],
    env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env }
  }))
}

/** Keeps a process that runs already, with all of its threads, to the core that the servers do not have. */
export const keepBeside = (pid: number): void => {
  if (canPin) execFileSync("taskset", ["--all-tasks", "--cpu-list", "--pid", "1", String(pid)], { stdio: "ignore" })
}

const portOf = (server: ChildProcess): Effect.Effect<number, Error> =>
  Effect.callback<number, Error>((resume) => {
    let output = ""
    const look = (chunk: Buffer): void => {
      const port = /(?:^port |"port":)(\d+)/m.exec(output += chunk.toString("utf8"))?.[1]
      if (port === undefined) return
      server.stdout?.off("data", look)
      server.stderr?.off("data", look)
      // What a server logs is read and thrown away, as a collector would take it off its hands.
      server.stdout?.resume()
      server.stderr?.resume()
      resume(Effect.succeed(Number(port)))
    }
    server.stdout?.on("data", look)
    server.stderr?.on("data", look)
    server.once("exit", () => resume(Effect.fail(new Error(`The server ended: ${output}`))))
  })

export interface BenchServer {
  readonly contender: Contender
  readonly port: number
  readonly pid: number
}

/** Runs as long as the scope. */
export const startServer = (contender: Contender, env: Env) =>
  Effect.gen(function*() {
    const own = { ...env, ...contender.env }
    const server = yield* Effect.acquireRelease(
      Effect.sync(() => startOn(0, contender.command(own), own)),
      (server) => Effect.sync(() => server.kill("SIGKILL"))
    )
    return { contender, port: yield* portOf(server), pid: server.pid ?? 0 } satisfies BenchServer
  })

/** Asks until the server has its connection: the edge opens it with the first question, and does not wait for it. */
export const awaitReady = (port: number, token: string, every: "1 millis" | "20 millis" = "20 millis") =>
  Effect.tryPromise(async () => {
    const headers = { authorization: `Bearer ${token}` }
    const response = await fetch(`http://127.0.0.1:${port}/api/v1/media/videos/1/progress/`, { headers })
    return (await response.text()).includes(`"PROCESSING"`)
  }).pipe(
    Effect.repeat({ until: (isKnown) => isKnown, schedule: Schedule.spaced(every) }),
    Effect.timeout("20 seconds")
  )

const ticksPerSecond = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }))

/** Microseconds of processor time that a process has used; `NaN` where the system does not say. */
export const cpuMicros = (pid: number): number => {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ") ?? []
    return (Number(fields[11]) + Number(fields[12])) * 1_000_000 / ticksPerSecond
  } catch {
    return Number.NaN
  }
}

const residentKilobytes = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1])

const childrenOf = (pid: number): ReadonlyArray<number> =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter((text) => text !== "").map(Number)

/** Megabytes of memory that a process and its children hold: workerd runs beneath what starts it. */
export const residentMegabytes = (pid: number): number =>
  [pid, ...childrenOf(pid)].reduce((sum, one) => sum + residentKilobytes(one), 0) / 1_024
