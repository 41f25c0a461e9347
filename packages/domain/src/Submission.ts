/**
 * How a job gets exactly one run of the encode runtime, whatever is lost between the two.
 *
 *     row ──begin──▶ open (number n, since t) ──record──▶ handed over (the run's id)
 *                      │        ▲
 *                      │        └ begin, after the runtime's window: look for run n, ask again only if there is none
 *                      └─ drop: the runtime refused it, there is no run n
 *
 * The wish is committed before the runtime is asked, so that a lost answer is known to be lost. While a submission is
 * open and its window has not passed, nobody asks again: the runtime may have a run that it does not list yet. A claim by
 * the run itself closes it as well. Whoever comes to record a second run is told so, and ends that run.
 */
import type { EpochMillis } from "./Epoch.ts"
import { isActive, isTerminal, Job, leaseExpired, runOfHolder } from "./Job.ts"

/** What the caller knows of a job that waits: a decision on anything older is void. */
export interface SeenWaiting {
  readonly attempt: number
  readonly submissions: number
}

export type SubmissionBegun =
  /** Ask for a run of this number. */
  | { readonly _tag: "Submit"; readonly submission: number }
  /** An earlier answer was lost: look for the run of this number, and ask for it only where there is none. */
  | { readonly _tag: "Find"; readonly submission: number }
  /** Somebody is asking, or the runtime cannot be looked through yet. */
  | { readonly _tag: "Quiet"; readonly until: EpochMillis }
  /** The job is not what the caller saw: it was handed over, claimed or ended meanwhile. */
  | { readonly _tag: "MovedOn" }

/** Decides whether the caller may ask for a run. `findableAfterMillis` is the runtime's window. */
export const beginSubmission = (
  job: Job,
  seen: SeenWaiting,
  findableAfterMillis: number,
  now: EpochMillis
): { readonly begun: SubmissionBegun; readonly job: Job } => {
  const isDue = (job.status === "PENDING" || job.status === "RETRYING") && job.runAfter <= now
  const isAsSeen = job.attempt === seen.attempt && job.submissions === seen.submissions
  if (!isDue || !isAsSeen || job.externalId !== null) return { begun: { _tag: "MovedOn" }, job }
  if (job.submittingSince === null) {
    const submission = job.submissions + 1
    return {
      begun: { _tag: "Submit", submission },
      job: new Job({ ...job, submissions: submission, submittingSince: now })
    }
  }
  const until = job.submittingSince + findableAfterMillis
  return until > now
    ? { begun: { _tag: "Quiet", until }, job }
    : { begun: { _tag: "Find", submission: job.submissions }, job: new Job({ ...job, submittingSince: now }) }
}

/** `Superseded`: this is not the run that the job waits for (any more); nobody else will end it. */
export type SubmissionRecorded = "Recorded" | "Superseded"

/** Decides whether `runId` is the run of submission `submission`. */
export const recordSubmission = (
  job: Job,
  submission: number,
  runId: string,
  now: EpochMillis
): { readonly recorded: SubmissionRecorded; readonly job: Job } => {
  if (job.externalId === runId) return { recorded: "Recorded", job }
  return isTerminal(job.status) || job.submissions !== submission || job.submittingSince === null
    ? { recorded: "Superseded", job }
    : { recorded: "Recorded", job: new Job({ ...job, submittingSince: null, dispatchedAt: now, externalId: runId }) }
}

/** The runtime has refused the submission: there is no such run, and the next one need not wait. */
export const dropSubmission = (job: Job, submission: number): Job =>
  job.submissions === submission && job.submittingSince !== null ? new Job({ ...job, submittingSince: null }) : job

/**
 * Whether nobody waits for a run any more that is still at work: it came of an earlier submission than the job's latest,
 * which is known to have a run of its own, and
 *
 * - that or another run holds the job, or the job has ended; or
 * - the job waits because the lease of its last holder ran out: whoever held it hangs, and may stand where the next
 *   run is to go.
 *
 * A job that waits for another reason may still be claimed by an earlier run, such as one that its runtime starts again
 * after a preemption.
 */
export const isSuperseded = (job: Job, run: { readonly runId: string; readonly submission: number }): boolean => {
  const isWanted = job.externalId === run.runId || (job.leaseOwner !== null && runOfHolder(job.leaseOwner) === run.runId)
  if (isWanted || run.submission >= job.submissions || job.externalId === null) return false
  return isTerminal(job.status) || isActive(job.status) || job.errorCode === leaseExpired
}
