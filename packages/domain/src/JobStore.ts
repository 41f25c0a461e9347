import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Committed } from "./internal/Committed.ts"
import type { EpochMillis } from "./Epoch.ts"
import { JobId } from "./Job.ts"
import type { JobKind } from "./JobKind.ts"
import type { IllegalTransition, Job, JobStatus, Lease, LeaseLost, SystemCommand, WorkerCommand } from "./Job.ts"
import type { SeenWaiting, SubmissionBegun, SubmissionRecorded } from "./Submission.ts"
import type { TenantId } from "./Tenant.ts"
import type { Tier } from "./Tier.ts"
import { followEncode, type NewVideo, type Video, type VideoConflict } from "./Video.ts"
import { VideoId } from "./VideoId.ts"

/**
 * Why the database did not do what was asked.
 *
 * - `away`: it cannot be used now; the same call may succeed later.
 * - `value`: it cannot keep a value of the call, and never will: a NUL in a text, a number or a text past its limits.
 * - `bug`: the program and the database contradict each other: a statement, a constraint, a row that cannot be read.
 */
export const JobStoreFault = Schema.Literals(["away", "value", "bug"])
export type JobStoreFault = typeof JobStoreFault.Type

const faultTexts: Readonly<Record<JobStoreFault, string>> = {
  away: "the database is unavailable",
  value: "the database cannot keep a value of it",
  bug: "the program and the database contradict each other"
}

/**
 * The database did not do what was asked, or did not say so. After `away` nothing is known about it; after the others
 * nothing of it happened.
 */
export class JobStoreUnavailable extends Schema.TaggedError<JobStoreUnavailable>()("JobStoreUnavailable", {
  operation: Schema.String,
  reason: JobStoreFault,
  cause: Schema.Defect()
}) {
  /** Whether the same call may succeed later. */
  get retryable(): boolean {
    return this.reason === "away"
  }

  override get message(): string {
    return `Cannot ${this.operation}: ${faultTexts[this.reason]}`
  }
}

/** No such video for this tenant; another tenant's counts as none. */
export class VideoNotFound extends Schema.TaggedError<VideoNotFound>()("VideoNotFound", { videoId: VideoId }) {
  override get message(): string {
    return `There is no video ${this.videoId}`
  }
}

/** No such job for this tenant; another tenant's counts as none. */
export class JobNotFound extends Schema.TaggedError<JobNotFound>()("JobNotFound", { jobId: JobId }) {
  override get message(): string {
    return `There is no job "${this.jobId}"`
  }
}

export interface JobRecord {
  readonly job: Job
  readonly video: Video | null
  /** The job that was made in the transaction which this record is of, to take the place of `job`. */
  readonly successor?: Job
}

export interface VideoRecord {
  readonly video: Video
  readonly job: Job | null
}

/**
 * A record after its job has become `job`: the video follows its own encode, and is left out where it follows another. Where the
 * job is the same as before, the video is too.
 */
export const withJob = (record: JobRecord, job: Job, now: EpochMillis): JobRecord => {
  const video = record.video !== null && record.video.encodeJobId === job.id ? record.video : null
  return { job, video: video === null || job === record.job ? video : followEncode(video, job, now) }
}

export type Claim =
  | { readonly _tag: "Claimed"; readonly receipt: Committed<JobRecord>; readonly lease: Lease }
  | { readonly _tag: "Busy"; readonly until: EpochMillis }
  | { readonly _tag: "NotDue"; readonly until: EpochMillis }
  | { readonly _tag: "Finished"; readonly status: JobStatus }
  | { readonly _tag: "GaveUp"; readonly receipt: Committed<JobRecord> }
  | { readonly _tag: "Expired"; readonly receipt: Committed<JobRecord>; readonly until: EpochMillis }

/** A job by its two names. */
export interface JobRef {
  readonly tenantId: TenantId
  readonly jobId: JobId
}

/** A job that waits to be handed to its queue or to Batch. */
export interface Undispatched extends JobRef {
  readonly kind: JobKind
  readonly tier: Tier
  readonly attempt: number
  readonly submissions: number
  readonly payload: Schema.Json
  readonly createdAt: EpochMillis
}

export interface VideoPage {
  readonly count: number
  readonly videos: ReadonlyArray<Video>
}

/**
 * The system of record. A transition that is not here did not happen.
 *
 * Every method is one transaction. A method that changes something answers with a `Committed` receipt, minted after the commit.
 * Rows are read for update, decided on by the pure functions of `Job` and `Video`, and written with a raised revision, so
 * that two callers never decide on the same state. The time is the database's own where it is a real one: leases are compared
 * between machines whose clocks differ.
 */
export class JobStore extends Context.Service<JobStore, {
  /** Registers an upload. */
  readonly createVideo: (
    tenantId: TenantId,
    input: NewVideo
  ) => Effect.Effect<Committed<VideoRecord>, JobStoreUnavailable>
  /** The upload is there: the video becomes `UPLOADED` and gets its encode job, in one transaction. `fileSize` in bytes. */
  readonly completeUpload: (
    tenantId: TenantId,
    videoId: VideoId,
    upload: { readonly jobId: JobId; readonly fileSize: number }
  ) => Effect.Effect<Committed<JobRecord>, VideoNotFound | VideoConflict | JobStoreUnavailable>
  /** A new encode job for a video whose last one has ended. */
  readonly retryEncode: (
    tenantId: TenantId,
    videoId: VideoId,
    jobId: JobId
  ) => Effect.Effect<Committed<JobRecord>, VideoNotFound | VideoConflict | JobStoreUnavailable>
  /**
   * Hides the video and cancels its encode. The record's job is the encode as it is now, with what is needed to stop it.
   * Begun twice, it answers the same. `finishDelete` ends it, after the objects are gone.
   */
  readonly beginDelete: (
    tenantId: TenantId,
    videoId: VideoId
  ) => Effect.Effect<Committed<VideoRecord>, VideoNotFound | JobStoreUnavailable>
  /** Removes the row of a video whose deletion has begun, and its jobs; harmless when it is gone already. */
  readonly finishDelete: (tenantId: TenantId, videoId: VideoId) => Effect.Effect<void, JobStoreUnavailable>
  /** Accepts a job that belongs to no video. */
  readonly createJob: (
    tenantId: TenantId,
    input: { readonly id: JobId; readonly kind: JobKind; readonly tier?: Tier; readonly payload: Schema.Json }
  ) => Effect.Effect<Committed<JobRecord>, JobStoreUnavailable>

  /**
   * Takes a job for `owner`, who has to send a heartbeat every `leaseMillis` at the latest. The owner of an encode is the
   * `EncodeRuntime`'s id of the run: only so can a sweep tell that it was the holder whose run has ended.
   */
  readonly claim: (
    tenantId: TenantId,
    jobId: JobId,
    request: { readonly owner: string; readonly leaseMillis: number }
  ) => Effect.Effect<Claim, JobNotFound | JobStoreUnavailable>
  /** What the holder of a lease says about its job. */
  readonly transition: (
    lease: Lease,
    command: WorkerCommand
  ) => Effect.Effect<Committed<JobRecord>, LeaseLost | IllegalTransition | JobNotFound | JobStoreUnavailable>
  /** Renews a lease; neither a transition nor a new revision. */
  readonly heartbeat: (
    lease: Lease,
    leaseMillis: number
  ) => Effect.Effect<void, LeaseLost | JobNotFound | JobStoreUnavailable>
  /** What the system says about a job; `null` when the command came too late to change anything. */
  readonly intervene: (
    ref: JobRef,
    command: SystemCommand
  ) => Effect.Effect<Committed<JobRecord> | null, JobNotFound | JobStoreUnavailable>
  /** Opens a submission of an encode, or says why not (see `Submission`). A job that is gone has moved on. */
  readonly beginSubmission: (
    ref: JobRef,
    seen: SeenWaiting,
    findableAfterMillis: number
  ) => Effect.Effect<SubmissionBegun, JobStoreUnavailable>
  /** Closes a submission with the run that came of it, or says that the job waits for no such run. */
  readonly recordSubmission: (
    ref: JobRef,
    submission: number,
    runId: string
  ) => Effect.Effect<SubmissionRecorded, JobStoreUnavailable>
  /** Closes a submission that the runtime has refused; harmless when it is closed. */
  readonly dropSubmission: (ref: JobRef, submission: number) => Effect.Effect<void, JobStoreUnavailable>
  /**
   * Notes that attempt `attempt + 1` of a job was put into its queue; nothing when the job has moved on meanwhile, or has an
   * open submission, which is another way to be handed over.
   */
  readonly markDispatched: (
    ref: JobRef,
    attempt: number,
    externalId: string
  ) => Effect.Effect<void, JobStoreUnavailable>

  readonly getVideo: (tenantId: TenantId, videoId: VideoId) => Effect.Effect<VideoRecord, VideoNotFound | JobStoreUnavailable>
  /** Newest first; `search` is looked for in the title, letter case ignored. */
  readonly listVideos: (
    tenantId: TenantId,
    query: { readonly search: string | null; readonly limit: number; readonly offset: number }
  ) => Effect.Effect<VideoPage, JobStoreUnavailable>
  readonly getJob: (tenantId: TenantId, jobId: JobId) => Effect.Effect<JobRecord, JobNotFound | JobStoreUnavailable>

  /**
   * Jobs that wait, are due, and were never handed over; or longer than `olderThanMillis` ago without being claimed
   * since, which is for jobs of a queue alone: an encode that was handed over has a run to ask for. All tenants; at most
   * `limit`, oldest first.
   */
  readonly findUndispatched: (
    options: { readonly olderThanMillis: number; readonly limit: number }
  ) => Effect.Effect<ReadonlyArray<Undispatched>, JobStoreUnavailable>
  /** Active jobs whose lease has ended. All tenants. */
  readonly findExpired: (
    limit: number
  ) => Effect.Effect<ReadonlyArray<JobRef & { readonly attempt: number }>, JobStoreUnavailable>
  /** Active or waiting encodes that were handed over, for a reconciliation with Batch. All tenants. */
  readonly findDispatchedEncodes: (
    limit: number
  ) => Effect.Effect<
    ReadonlyArray<JobRef & { readonly attempt: number; readonly status: JobStatus; readonly externalId: string }>,
    JobStoreUnavailable
  >
  /** Jobs that were given up, the latest first; an encode only while its video is there and follows it. All tenants. */
  readonly findGivenUp: (limit: number) => Effect.Effect<ReadonlyArray<Job>, JobStoreUnavailable>
  /** Videos whose deletion has begun and not ended. All tenants. */
  readonly findDeleting: (limit: number) => Effect.Effect<ReadonlyArray<VideoRecord>, JobStoreUnavailable>
  /** Everything that a poller may be watching: what has not ended, and what ended since `changedSince`. All tenants. */
  readonly findLive: (
    options: { readonly changedSince: EpochMillis; readonly limit: number }
  ) => Effect.Effect<ReadonlyArray<Committed<JobRecord | VideoRecord>>, JobStoreUnavailable>
  /** Fails when the database cannot be written to: for readiness, not for liveness. */
  readonly ping: Effect.Effect<void, JobStoreUnavailable>
}>()("@lectern/domain/JobStore") {}
