/**
 * Keeps the promise that nothing of a test outlives it. Each server's process is told to the warden, a process of its
 * own (`warden/main.ts`) whose standard input is a pipe from here: when this process ends, even by SIGKILL, the
 * pipe closes and the warden ends the servers and removes their folders.
 */
import { type ChildProcess, spawn } from "node:child_process"
import { Socket } from "node:net"
import type { Writable } from "node:stream"
import { fileURLToPath } from "node:url"

let orders: Writable | undefined

const startWarden = (): Writable => {
  const warden = spawn(process.execPath, [fileURLToPath(new URL("warden/main.ts", import.meta.url))], {
    // A session of its own: Ctrl-C in the terminal must not end the warden before it has done its work.
    detached: true,
    stdio: ["pipe", "ignore", "inherit"],
    env: { PATH: process.env["PATH"] }
  })
  warden.unref()
  // The pipe must not keep a finished test process alive.
  if (warden.stdin instanceof Socket) warden.stdin.unref()
  warden.stdin.on("error", (cause) => {
    throw new Error("Cannot write to the warden of test servers: they could outlive this process", { cause })
  })
  return warden.stdin
}

const order = (...words: ReadonlyArray<string>): void => {
  orders ??= startWarden()
  orders.write(`${words.join("\t")}\n`)
}

/** From now on the process `pid` gets `signal`, and SIGKILL after two seconds, when this process dies. */
export const hold = (pid: number, signal: NodeJS.Signals): void => order("hold", String(pid), signal)

/** The process `pid` has ended; its number may be given to a stranger. */
export const release = (pid: number): void => order("release", String(pid))

/**
 * From now on `child` gets `signal`, and SIGKILL after two seconds, when this process dies; returns the child. To be
 * called in the turn that started it: `held(spawn(...))`.
 */
export const held = <Child extends ChildProcess>(child: Child, signal: NodeJS.Signals = "SIGKILL"): Child => {
  const { pid } = child
  if (pid !== undefined) {
    hold(pid, signal)
    child.once("exit", () => release(pid))
  }
  return child
}

/** From now on `folder` is removed when this process dies. */
export const guardFolder = (folder: string): void => order("folder", folder)

/** `folder` was removed already. */
export const forgetFolder = (folder: string): void => order("forget", folder)
