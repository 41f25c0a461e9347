/**
 * What runs on this machine on behalf of a system: its data directory stands in the environment or the command of every process
 * that it starts.
 */
import { Warden } from "@lectern/harness"
import { Effect, type Scope } from "effect"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { type NotSeen, until } from "./until.ts"

export interface FoundProcess {
  readonly pid: number
  readonly command: string
}

const readOrEmpty = (path: string): string => {
  try {
    return readFileSync(path, "utf8")
  } catch {
    // A process may end while it is looked at.
    return ""
  }
}

const everyProcess = (): ReadonlyArray<FoundProcess & { readonly text: string }> =>
  process.platform === "linux"
    ? readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((name) => {
      const command = readOrEmpty(`/proc/${name}/cmdline`).replaceAll("\0", " ")
      return { pid: Number(name), command, text: `${command} ${readOrEmpty(`/proc/${name}/environ`)}` }
    })
    // With their environment.
    : execFileSync("ps", ["-axEww", "-o", "pid=,command="], { encoding: "utf8" }).split("\n").map((line) => {
      const [, pid = "0", command = ""] = /^\s*(\d+)\s+(.*)$/.exec(line) ?? []
      return { pid: Number(pid), command, text: command }
    })

/** The processes of the system with this data directory: itself, its encodes, and what those have started. */
export const processesOf = (data: string): Effect.Effect<ReadonlyArray<FoundProcess>> =>
  Effect.sync(() =>
    everyProcess()
      .filter(({ pid, text }) => pid !== process.pid && text.includes(data))
      .map(({ command, pid }) => ({ pid, command }))
  )

/** The worker's program that encodes for this system. */
export const encodesOf = (data: string): Effect.Effect<ReadonlyArray<FoundProcess>> =>
  Effect.map(processesOf(data), (found) => found.filter(({ command }) => /worker-video\/src\/main\.ts/.test(command)))

/** Whether an ffmpeg works in this data directory. */
export const ffmpegsOf = (data: string): Effect.Effect<ReadonlyArray<FoundProcess>> =>
  Effect.map(processesOf(data), (found) => found.filter(({ command }) => /^(?:\S*\/)?ff(?:mpeg|probe)\s/.test(command)))

export const nothingRuns = (data: string) =>
  until("the end of every process of the system", processesOf(data), (found) => found.length === 0)

const signalled = (found: ReadonlyArray<FoundProcess>, signal: NodeJS.Signals): void => {
  for (const { pid } of found) {
    try {
      process.kill(pid, signal)
    } catch {
      // It has ended: a signal to nobody is none.
      continue
    }
  }
}

/** Makes the encode that is at work stand still: it says nothing and ends nothing until `thaw`, or the end of the scope. */
export const frozenEncode = (data: string): Effect.Effect<{ readonly thaw: Effect.Effect<void> }, NotSeen, Scope.Scope> =>
  Effect.gen(function*() {
    yield* until("an ffmpeg at work", ffmpegsOf(data), (found) => found.length > 0)
    const stopped = yield* Effect.acquireRelease(
      Effect.gen(function*() {
        const found = [...yield* encodesOf(data), ...yield* ffmpegsOf(data)]
        // Who stands still obeys nobody, not even the end of its parent.
        for (const { pid } of found) Warden.hold(pid, "SIGKILL")
        signalled(found, "SIGSTOP")
        return found
      }),
      (found) =>
        Effect.sync(() => {
          signalled(found, "SIGCONT")
          for (const { pid } of found) Warden.release(pid)
        })
    )
    return { thaw: Effect.sync(() => signalled(stopped, "SIGCONT")) }
  })
