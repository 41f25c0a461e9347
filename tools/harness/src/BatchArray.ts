import type { BatchJob } from "./BatchServer.ts"

/** How many children an array has; `null` for a job that is none. */
export const sizeOfArray = (job: BatchJob): number | null => {
  const properties = job["arrayProperties"]
  return typeof properties === "object" && properties !== null && "size" in properties &&
      typeof properties.size === "number"
    ? properties.size
    : null
}

/** The id of the array that a child is of; `null` for a job that is no child. */
export const arrayOfChild = ({ jobId }: BatchJob): string | null => /^(.+):\d+$/.exec(jobId)?.[1] ?? null

/** The children that Batch makes of an array: the same job under the array's id, a colon and their index. */
export const childrenOfArray = (parent: BatchJob, size: number): ReadonlyArray<BatchJob> =>
  Array.from({ length: size }, (_, index) => ({
    ...parent,
    jobId: `${parent.jobId}:${index}`,
    arrayProperties: { index }
  }))

const endedStatuses: ReadonlySet<string> = new Set(["SUCCEEDED", "FAILED"])

/** The status of an array: it waits with its children, stays PENDING while any of them is due or at work, and ends with the last. */
const arrayStatus = (statuses: ReadonlyArray<string>): string => {
  if (statuses.every((status) => endedStatuses.has(status))) return statuses.includes("FAILED") ? "FAILED" : "SUCCEEDED"
  return statuses.every((status) => status === "SUBMITTED") ? "SUBMITTED" : "PENDING"
}

/** An array as its children make it: its status, how many of them are in which, and why it failed. */
export const arrayOf = (parent: BatchJob, children: ReadonlyArray<BatchJob>): BatchJob => {
  const statusSummary: Record<string, number> = {}
  for (const { status } of children) statusSummary[status] = (statusSummary[status] ?? 0) + 1
  const status = arrayStatus(children.map((child) => child.status))
  return {
    ...parent,
    status,
    arrayProperties: { size: children.length, statusSummary },
    ...(status === "FAILED" && parent["isTerminated"] !== true ? { statusReason: "Array Child Job failed" } : {})
  }
}
