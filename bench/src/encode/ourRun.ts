/** One run of the encoder's program, whole or killed on its way, with what it cost and what it said. */
import { Schema } from "effect"
import { spawn } from "node:child_process"
import { readdirSync, readFileSync } from "node:fs"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("./program.ts", import.meta.url))

const Line = Schema.fromJsonString(
  Schema.Struct({
    /** Milliseconds from the start of the process. */
    at: Schema.Finite,
    step: Schema.optionalKey(Schema.String),
    fraction: Schema.optionalKey(Schema.Finite),
    remainingSeconds: Schema.optionalKey(Schema.NullOr(Schema.Finite)),
    /** A part that is finished and kept. */
    kept: Schema.optionalKey(Schema.String),
    frames: Schema.optionalKey(Schema.Int)
  })
)
type Line = typeof Line.Type
const decodeLine = Schema.decodeUnknownSync(Line)

/** A line, and what the process and all that it started had cost when it came. */
export interface CostedLine extends Line {
  readonly cpuSeconds: number
}

export interface OurRun {
  readonly wallSeconds: number
  readonly cpuSeconds: number
  readonly lines: ReadonlyArray<CostedLine>
}

/** Clock ticks in a second, as Linux counts processor time for its users everywhere. */
const ticksPerSecond = 100

/** The fields of /proc/PID/stat behind the name, which may hold anything. */
const statOf = (pid: number | string): ReadonlyArray<number> =>
  readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ").slice(1).map(Number)

/** Processor time so far of a process, of its children that have ended, and of those that run, in seconds. */
const cpuOfFamily = (pid: number): number => {
  const own = statOf(pid).slice(10, 14)
  const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((name) => {
    try {
      const fields = statOf(name)
      return fields[0] === pid ? fields.slice(10, 12) : []
    } catch {
      // It ended while it was looked at.
      return []
    }
  })
  return [...own, ...children].reduce((sum, ticks) => sum + ticks, 0) / ticksPerSecond
}

const started = (input: string, outDir: string, mode: "groups" | "whole") => {
  const child = spawn(process.execPath, [program, input, outDir, mode], { stdio: ["ignore", "pipe", "inherit"] })
  const { pid } = child
  if (pid === undefined) throw new Error("The encoder's program did not start")
  return { child, pid }
}

/** Runs to the end. */
export const ourRun = (input: string, outDir: string, mode: "groups" | "whole"): Promise<OurRun> =>
  new Promise((resolve, reject) => {
    const startedAt = performance.now()
    const { child, pid } = started(input, outDir, mode)
    const lines: Array<CostedLine> = []
    createInterface({ input: child.stdout }).on("line", (text) => {
      lines.push({ ...decodeLine(text), cpuSeconds: cpuOfFamily(pid) })
    })
    child.once("close", (code) => {
      const last = lines.at(-1)
      if (code !== 0 || last === undefined) reject(new Error(`The encoder's program ended with exit code ${code}`))
      else resolve({ lines, cpuSeconds: last.cpuSeconds, wallSeconds: (performance.now() - startedAt) / 1000 })
    })
  })

/**
 * Runs until so much of the encode is done and kills it there without a warning. Answers its processor time in seconds.
 */
export const killedRun = (input: string, outDir: string, fraction: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const { child, pid } = started(input, outDir, "groups")
    let cpuSeconds: number | null = null
    createInterface({ input: child.stdout }).on("line", (text) => {
      const line = decodeLine(text)
      if (cpuSeconds !== null || line.step !== "transcoding" || (line.fraction ?? 0) < fraction) return
      cpuSeconds = cpuOfFamily(pid)
      child.kill("SIGKILL")
    })
    child.once("close", () => {
      if (cpuSeconds === null) reject(new Error(`The encode ended before ${fraction} of it was done`))
      else resolve(cpuSeconds)
    })
  })
