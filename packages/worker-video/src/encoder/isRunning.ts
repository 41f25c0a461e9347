/** Whether there is a process of this id on this machine, whosever it is. */
export const isRunning = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    // EPERM is somebody else's process, which runs.
    return !(error instanceof Error && "code" in error && error.code === "ESRCH")
  }
}
