import { type ChildProcess, spawn } from "node:child_process"

/**
 * Kills the child when this process dies, however that happens: a shell waits for the end of a pipe that only this
 * process holds. Returns what calls the shell off, for when the child has ended by itself.
 */
export const guardAgainstOrphan = (child: ChildProcess): (() => void) => {
  const guard = spawn("/bin/sh", ["-c", `read -r line; kill -KILL "$0"`, String(child.pid)], {
    // A group of its own: whoever kills this one's group must not kill the guard.
    detached: true,
    stdio: ["pipe", "ignore", "ignore"]
  })
  // Without the shell the child ends at once, rather than being left behind one day.
  guard.once("error", () => child.kill("SIGKILL"))
  return () => void guard.kill("SIGKILL")
}
