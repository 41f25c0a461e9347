import { spawn } from "node:child_process"
import { constants } from "node:os"
import { guardAgainstOrphan } from "./orphanGuard.ts"

export interface ProgramWithGrace {
  readonly command: string
  readonly arguments: ReadonlyArray<string>
  readonly env: NodeJS.ProcessEnv
  /** Milliseconds between being told to end and being killed. */
  readonly graceMillis: number
}

/**
 * Runs a program that, told to end, would wait for others without a bound, and returns its exit code. SIGTERM and SIGINT
 * of this process tell it to end; where it has not after its grace it is killed. Either is an end in good order: 0. It
 * ends with this process, however that dies.
 */
export const runWithGrace = (program: ProgramWithGrace): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(program.command, program.arguments, {
      env: program.env,
      stdio: ["ignore", "inherit", "inherit"],
      // A group of its own: Ctrl-C is meant for this process, which gives the program its grace.
      detached: true
    })
    child.once("error", reject)
    if (child.pid === undefined) return
    const dismissGuard = guardAgainstOrphan(child)
    let kill: NodeJS.Timeout | undefined
    const end = (): void => {
      if (kill !== undefined) return
      kill = setTimeout(() => child.kill("SIGKILL"), program.graceMillis)
      child.kill("SIGTERM")
    }
    process.once("SIGTERM", end)
    process.once("SIGINT", end)
    child.once("exit", (code, signal) => {
      clearTimeout(kill)
      dismissGuard()
      const ownCode = code ?? 128 + (signal === null ? 0 : constants.signals[signal])
      resolve(kill === undefined ? ownCode : 0)
    })
  })
