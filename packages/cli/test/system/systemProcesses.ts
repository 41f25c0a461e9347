/** What runs on this machine on behalf of a system: its data directory stands in the environment or the command of every process that it starts. */
import { Effect } from "effect"
import { execFileSync } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { until } from "./until.ts"

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
