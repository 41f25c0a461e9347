import { Warden } from "@lectern/harness"
import { Effect, Exit, type Scope } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("soakWorker.ts", import.meta.url))

/** Attempts that a worker is to have begun before it is killed: another number each time, the same in every run. */
const begunBeforeKill = (kill: number): number => 12 + kill * 7 % 23

interface Slot {
  child: ChildProcess
  readonly inWork: Set<string>
  begun: number
}

export interface SoakWorkers {
  /** Workers that were killed so far. */
  readonly kills: () => number
  /** Workers that ended by themselves so far. */
  readonly deaths: () => number
}

/**
 * Keeps `count` workers, and kills them until `kills` were: one that is at work on jobs none of which was hit before.
 * Three workers lost are what makes a job poison, and a soak must not make any.
 */
export const startSoakWorkers = (options: {
  readonly count: number
  readonly kills: number
  readonly env: Readonly<Record<string, string>>
  /** A folder for what the workers compile. */
  readonly compileCache: string
}): Effect.Effect<SoakWorkers, never, Scope.Scope> => {
  const hit = new Set<string>()
  const slots = new Set<Slot>()
  let kills = 0
  let deaths = 0
  let over = false

  const start = (): void => {
    const child = Warden.held(spawn(process.execPath, ["--disable-warning=ExperimentalWarning", program], {
      env: { PATH: process.env["PATH"], NODE_COMPILE_CACHE: options.compileCache, ...options.env },
      stdio: ["pipe", "pipe", "inherit"]
    }))
    const slot: Slot = { child, inWork: new Set(), begun: 0 }
    slots.add(slot)
    createInterface({ input: child.stdout }).on("line", (line) => {
      const [word, jobId = ""] = line.split(" ")
      if (word === "end") slot.inWork.delete(jobId)
      if (word !== "begin") return
      slot.begun += 1
      slot.inWork.add(jobId)
      const fresh = [...slot.inWork].every((id) => !hit.has(id))
      if (!child.killed && kills < options.kills && slot.begun >= begunBeforeKill(kills) && fresh) {
        kills += 1
        child.kill("SIGKILL")
      }
    })
    child.on("exit", () => {
      slots.delete(slot)
      for (const id of slot.inWork) hit.add(id)
      if (over) return
      if (!child.killed) deaths += 1
      start()
    })
  }

  return Effect.as(
    Effect.acquireRelease(
      Effect.sync(() => {
        for (let n = 0; n < options.count; n += 1) start()
      }),
      () =>
        Effect.callback<void>((resume) => {
          over = true
          if (slots.size === 0) return resume(Exit.void)
          for (const { child } of slots) {
            child.on("exit", () => {
              if (slots.size === 0) resume(Exit.void)
            })
            child.kill("SIGKILL")
          }
        })
    ),
    { kills: () => kills, deaths: () => deaths }
  )
}
