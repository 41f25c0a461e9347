import { createJob, Job, JobId, type JobKind, type JobStatus, Lease, TenantId, VideoId } from "@lectern/domain"

export const tenant = TenantId.make(7)
export const jobId = JobId.make("0f8fad5b-d9cb-469f-a165-70867728950e")
export const videoId = VideoId.make(42)

export const startedAt = 1_000_000
export const leaseMillis = 60_000
export const owner = "worker-1"

export const newJob = (kind: JobKind = "video_encode"): Job =>
  createJob({ tenantId: tenant, id: jobId, kind, videoId: kind === "video_encode" ? videoId : null, payload: {} }, startedAt)

/** A job as it stands in a state when it got there in its first attempt. */
export const jobIn = (status: JobStatus, fields: Partial<typeof Job.Type> = {}): Job => {
  const active = status === "VALIDATING" || status === "RUNNING"
  return new Job({
    ...newJob(),
    status,
    revision: 5,
    attempt: status === "PENDING" ? 0 : 1,
    failures: status === "RETRYING" || status === "FAILED" ? 1 : 0,
    leaseOwner: active ? owner : null,
    leaseUntil: active ? startedAt + leaseMillis : null,
    dispatchedAt: startedAt,
    externalId: status === "RETRYING" ? null : "run-1",
    ...fields
  })
}

export const leaseOf = (job: Job): Lease =>
  new Lease({ tenantId: job.tenantId, jobId: job.id, attempt: job.attempt, owner })
