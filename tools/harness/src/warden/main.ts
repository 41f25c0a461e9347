/**
 * The warden: a process beside each test process that owns servers. It reads orders on its standard input and, when that
 * ends (however its test process died), ends every server that is still held and removes every folder.
 *
 *     hold PID SIGNAL | release PID | folder PATH | forget PATH
 */
import { rmSync } from "node:fs"
import { createInterface } from "node:readline"

/** How long a server may take to obey its own signal before it is killed. */
const graceMillis = 2000

const held = new Map<number, NodeJS.Signals>()
const folders = new Set<string>()

const signal = (pid: number, name: NodeJS.Signals): boolean => {
  try {
    process.kill(pid, name)
    return true
  } catch {
    // ESRCH: it is gone already, which is all that is wanted here.
    return false
  }
}

const isSignal = (name: string): name is NodeJS.Signals => /^SIG[A-Z]+$/.test(name)

const orders = createInterface({ input: process.stdin })
orders.on("line", (line) => {
  const [order = "", subject = "", name = ""] = line.split("\t")
  if (order === "hold") held.set(Number(subject), isSignal(name) ? name : "SIGKILL")
  if (order === "release") held.delete(Number(subject))
  if (order === "folder") folders.add(subject)
  if (order === "forget") folders.delete(subject)
})

const finish = (): never => {
  for (const pid of held.keys()) signal(pid, "SIGKILL")
  for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5 })
  process.exit(0)
}

orders.on("close", () => {
  for (const [pid, name] of held) {
    signal(pid, name)
    // A frozen server obeys nothing but SIGKILL until it runs again.
    signal(pid, "SIGCONT")
  }
  const started = process.hrtime.bigint()
  const poll = setInterval(() => {
    const alive = [...held.keys()].some((pid) => signalZero(pid))
    const waited = Number(process.hrtime.bigint() - started) / 1e6
    if (!alive || waited > graceMillis) {
      clearInterval(poll)
      finish()
    }
  }, 10)
})

const signalZero = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}
