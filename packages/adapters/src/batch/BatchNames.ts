/** The names of CONTRACT.md, section 7, in one place; infrastructure and documents are made from it (INCIDENTS.md, 32). */
import type { JobId } from "@lectern/domain"

/**
 * The environment variables that say where encodes are submitted, and in how many containers: one more for each so many
 * gigabytes (10^9 bytes) of the upload, up to the most. And what holds without them.
 */
export const batchVariables = {
  jobQueue: { name: "VIDEO_BATCH_JOB_QUEUE", default: "academy-video-batch-queue" },
  jobDefinition: { name: "VIDEO_BATCH_JOB_DEFINITION", default: "academy-video-batch-jobdef" },
  maxContainers: { name: "VIDEO_BATCH_MAX_CONTAINERS", default: 1 },
  gigabytesPerContainer: { name: "VIDEO_BATCH_GB_PER_CONTAINER", default: 2 }
} as const

export const batchComputeEnvironment = "academy-video-batch-ce"
export const batchLogGroup = "/aws/batch/academy-video-worker"

/** What the worker's container finds in its environment. The attempt and the run's own id are set by Batch itself. */
export const containerVariables = {
  jobId: "VIDEO_JOB_ID",
  tenantId: "VIDEO_TENANT_ID",
  attempt: "AWS_BATCH_JOB_ATTEMPT",
  runId: "AWS_BATCH_JOB_ID"
} as const

/** What a submission says of itself, so that its job can be told from others of the same name. */
export const submissionParameters = { jobId: "job_id", tenantId: "tenant_id", submission: "submission" } as const

/** Batch takes letters, digits, `-` and `_`; a job id of a foreign maker may have others. */
export const batchJobName = (jobId: JobId): string => `video-${jobId.slice(0, 8).replaceAll(/[^A-Za-z0-9_-]/g, "_")}`
