/**
 * How a run of the worker ends, as Batch sees it. Batch's retry rules and the people who read them go by these numbers.
 *
 * Never 0 after SIGTERM: Batch would call the job done and skip its retry rules (INCIDENTS.md, 20).
 */
export const ExitCode = {
  /** The job is done, or there was nothing to do: it is finished, in other hands, or gone. */
  done: 0,
  /** The input cannot be worked on; no retry helps. sysexits.h: EX_DATAERR is 65; 64 is what our retry rules name. */
  badInput: 64,
  /** A fault of ours. sysexits.h: EX_SOFTWARE. */
  bug: 70,
  /** Something around us failed; the next attempt may succeed. sysexits.h: EX_TEMPFAIL. */
  temporary: 75,
  /** The configuration is wrong; no retry helps. sysexits.h: EX_CONFIG. */
  configuration: 78,
  /**
   * The memory limit was reached; only more memory helps. 128 + SIGKILL, which is also how the system ends us itself
   * when it chooses us and not ffmpeg.
   */
  outOfMemory: 137,
  /** Told to stop. 128 + SIGTERM. */
  preempted: 143
} as const

export type ExitCode = typeof ExitCode[keyof typeof ExitCode]

/**
 * After these Batch itself tries again at once. After all others its rules end the run, and the row says what becomes
 * of the job.
 */
export const retriedByBatch: ReadonlyArray<ExitCode> = [ExitCode.temporary, ExitCode.preempted]
