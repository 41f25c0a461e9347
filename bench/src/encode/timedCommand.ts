import { execFile } from "node:child_process"

export interface Timed {
  readonly wallSeconds: number
  /** Of the command and all its children, user and system. */
  readonly cpuSeconds: number
  readonly stdout: string
}

const script = "TIMEFORMAT=\"timed %R %U %S\"; time \"$@\""

/**
 * Runs a command to its end, in `directory` if one is given, and says what it cost. A failure throws with what it said.
 */
export const timedCommand = (command: ReadonlyArray<string>, directory?: string): Promise<Timed> =>
  new Promise((resolve, reject) => {
    const options = { cwd: directory, maxBuffer: 2 ** 26 }
    execFile("bash", ["-c", script, "bash", ...command], options, (error, stdout, stderr) => {
      const [, wall, user, system] = /^timed ([\d.]+) ([\d.]+) ([\d.]+)$/m.exec(stderr) ?? []
      if (error !== null) reject(new Error(`${command.slice(0, 2).join(" ")} failed: ${stderr.slice(-2000)}`))
      else resolve({ wallSeconds: Number(wall), cpuSeconds: Number(user) + Number(system), stdout })
    })
  })
