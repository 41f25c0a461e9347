/**
 * A message that readiness sends through a real queue names a job that there is none of. Whoever receives it acknowledges it
 * and does nothing: a worker that is faster than the check must not put it aside among the dead letters of people.
 */
import { JobId } from "./Job.ts"

const prefix = "readiness-"

/** The job that a probe names; `id` is a UUID. */
export const readinessJobId = (id: string): JobId => JobId.make(`${prefix}${id}`)

export const isReadinessJob = (jobId: JobId): boolean => jobId.startsWith(prefix)
