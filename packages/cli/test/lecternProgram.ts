import { Warden } from "@lectern/harness"
import { type ChildProcess, spawn } from "node:child_process"
import { mkdtemp, realpath, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { onTestFinished } from "vitest"

const program = fileURLToPath(new URL("../bin/lectern.mjs", import.meta.url))

export const sampleFile = (name: string): string => fileURLToPath(new URL(`../../../media/${name}`, import.meta.url))

/** Variables that the program reads must come from the test alone. */
const ownVariables = /^(?:DATABASE_|REDIS_|S3_|R2_|SQS_|AWS_|VIDEO_|MEDIA_|AUTH_|OTEL_|LOG_LEVEL$|PORT$|PUBLIC_URL$|NODE_OPTIONS$)/

export interface ProgramOptions {
  readonly env?: Readonly<Record<string, string>>
  readonly cwd?: string
}

export interface ProgramEnd {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface StartedProgram {
  readonly child: ChildProcess
  /** Ends when either output holds `text`; fails when the program ends without it. */
  readonly says: (text: string) => Promise<string>
  readonly end: Promise<ProgramEnd>
}

/** Starts `lectern` as a user does, and ends it with the test where it has not ended by itself. */
export const startLectern = (args: ReadonlyArray<string>, options: ProgramOptions = {}): StartedProgram => {
  const inherited = Object.entries(process.env).filter(([name]) => !ownVariables.test(name))
  const started = spawn(process.execPath, [program, ...args], {
    cwd: options.cwd ?? tmpdir(),
    env: { ...Object.fromEntries(inherited), ...options.env },
    stdio: ["ignore", "pipe", "pipe"]
  })
  const child = Warden.held(started, "SIGTERM")
  const written = { stdout: "", stderr: "" }
  const waiting = new Set<() => void>()
  for (const name of ["stdout", "stderr"] as const) {
    child[name].setEncoding("utf8").on("data", (text: string) => {
      written[name] += text
      for (const look of waiting) look()
    })
  }
  const end = new Promise<ProgramEnd>((resolve, reject) => {
    child.on("error", reject)
    child.on("close", (code, signal) => resolve({ code, signal, ...written }))
  })
  onTestFinished(async () => {
    if (child.exitCode === null) child.kill("SIGTERM")
    await end
  })
  const says = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const look = (): void => {
        const all = written.stdout + written.stderr
        if (!all.includes(text)) return
        waiting.delete(look)
        resolve(all)
      }
      waiting.add(look)
      look()
      void end.then(
        (ended) => reject(new Error(`lectern ended with ${ended.code} and did not say "${text}": ${ended.stderr}`)),
        reject
      )
    })
  return { child, says, end }
}

export const lectern = (args: ReadonlyArray<string>, options: ProgramOptions = {}): Promise<ProgramEnd> =>
  startLectern(args, options).end

/** A folder of its own for a test, gone with it. Its path stands in no command line but of what works in it. */
export const ownFolder = async (): Promise<string> => {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "lectern-cli-")))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}
