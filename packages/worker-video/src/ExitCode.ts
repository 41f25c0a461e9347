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
  /** Told to stop. 128 + SIGTERM. */
  preempted: 143
} as const

export type ExitCode = typeof ExitCode[keyof typeof ExitCode]
