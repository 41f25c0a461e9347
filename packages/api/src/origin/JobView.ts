import { Schema } from "effect"
import { type Job, JobId, JobKind, type MirroredProgress, WireJobStatus, wireStatus } from "@lectern/domain"

/** `percent` is 0..100 of the job, `step_percent` of the step; `step_index` counts from 1. */
export const JobProgressView = Schema.Struct({
  step: Schema.String,
  percent: Schema.Int,
  step_index: Schema.Int,
  step_total: Schema.Int,
  step_name: Schema.String,
  step_name_display: Schema.String,
  step_percent: Schema.Int
}).annotate({ identifier: "JobProgress" })
export type JobProgressView = typeof JobProgressView.Type

export const JobView = Schema.Struct({
  job_id: JobId,
  job_type: JobKind,
  status: WireJobStatus,
  result: Schema.NullOr(Schema.Json),
  error_message: Schema.NullOr(Schema.String),
  progress: Schema.NullOr(JobProgressView)
}).annotate({ identifier: "Job" })
export type JobView = typeof JobView.Type

export const jobProgressOf = (progress: typeof MirroredProgress.Type): JobProgressView => ({
  step: progress.step,
  percent: progress.percent,
  step_index: progress.step_index,
  step_total: progress.step_total,
  step_name: progress.step_name,
  step_name_display: progress.step_name_display,
  step_percent: progress.step_percent
})

export const jobView = (job: Job, progress: JobProgressView | null): JobView => ({
  job_id: job.id,
  job_type: job.kind,
  status: wireStatus(job.status),
  result: job.result,
  error_message: job.errorMessage,
  progress
})
