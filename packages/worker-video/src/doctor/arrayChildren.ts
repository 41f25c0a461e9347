/** Which child of an array to ask: the array itself runs nowhere, and says no more than how many children are in which state. */
import type { Job } from "./Evidence.ts"

/** How many children of an array are in which state; `null` for a job that is no array. */
export const childStates = (job: Job): ReadonlyMap<string, number> | null =>
  (job.arrayProperties?.size ?? 0) === 0
    ? null
    : new Map(Object.entries(job.arrayProperties?.statusSummary ?? {}).flatMap(([state, count]) =>
      count == null || count === 0 ? [] : [[state, count] as const]
    ))

/** The states in Batch's order, an unknown one last. */
const order = ["SUBMITTED", "PENDING", "RUNNABLE", "STARTING", "RUNNING", "SUCCEEDED", "FAILED"]
const placeOf = (state: string): number => order.includes(state) ? order.indexOf(state) : order.length

/** Such as "2 RUNNABLE, 1 RUNNING". */
export const childStatesText = (states: ReadonlyMap<string, number>): string =>
  [...states].toSorted(([a], [b]) => placeOf(a) - placeOf(b)).map(([state, count]) => `${count} ${state}`).join(", ")

/**
 * In which state the child is that has most to say of an array: what failed it, else who is nearest to a start. `null`
 * for a job that is no array, and for one that goes on.
 */
export const tellingState = (job: Job): "FAILED" | "STARTING" | "RUNNABLE" | null => {
  const states = childStates(job)
  if (states === null || states.has("RUNNING") || job.status === "SUCCEEDED") return null
  const sought = job.status === "FAILED" ? (["FAILED"] as const) : (["STARTING", "RUNNABLE"] as const)
  return sought.find((state) => states.has(state)) ?? null
}

/** The child that was described beside its array. */
export const childOf = (array: Job, jobs: ReadonlyArray<Job>): Job | null =>
  array.jobId == null || childStates(array) === null
    ? null
    : jobs.find(({ jobId }) => jobId?.startsWith(`${array.jobId}:`) === true) ?? null
