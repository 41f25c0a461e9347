/**
 * What an encode gets, and what it may take. `lectern lint-batch` holds these against the instances: a job that asks for
 * all of a machine's memory never starts (INCIDENTS.md, 31).
 */
export const encodeJob = {
  vcpus: 4,
  /** In MiB; the smallest of the instance types leaves this to a container. */
  memory: 7_168,
  /**
   * Batch ends an attempt after so long, in seconds; it has no limit of its own. The worker ends an ffmpeg that stands still
   * within minutes: this is for what hangs beside it.
   */
  attemptSeconds: 21_600,
  attempts: 3,
  /** Of one architecture, that of the image. Several families and sizes, so that Spot seldom has none of them. */
  instanceTypes: ["c6i.2xlarge", "c6a.2xlarge", "c7i.2xlarge", "m6i.xlarge", "m6a.xlarge", "m7i.xlarge"],
  /** Of the source, its parts and its output, in GiB. */
  diskGib: 100,
  /** Where the image lets a run put its work, as a volume of its own: the root is read-only. */
  workDirectory: "/work"
} as const

/** All encodes at once, in vCPUs. */
export const maxVcpus = { spot: 64, onDemand: 16 } as const
