/**
 * A job: one accepted piece of work, and the state machine of its life.
 *
 *     PENDING ──claim──▶ VALIDATING | RUNNING ──▶ DONE | REVIEW_REQUIRED | FALLBACK_TO_GPU | REJECTED_BAD_INPUT
 *        ▲                    │
 *        │                    ├─ fail, expire ──▶ RETRYING (a failure is left) ──claim──▶ RUNNING
 *        │                    ├─ preempt, defer ▶ RETRYING (no failure counted)
 *        │                    └─ fail, expire ──▶ FAILED   (none is left)
 *        └ every state that is not terminal ──cancel──▶ CANCELLED
 *
 * A claim, and nothing else, raises `attempt`: the attempt is therefore the fencing token of the one who made it. A failure is
 * counted by the one transition that leaves the running attempt, whoever makes it, so that worker, sweep and reconciler cannot
 * count one failure twice (INCIDENTS.md, 25). A run that ends before it has claimed its job counts apart, and ends too.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { EpochMillis as Millis } from "./Epoch.ts"
import { EpochMillis } from "./Epoch.ts"
import { JobKind } from "./JobKind.ts"
import { findStep, type Step, type StepName } from "./Step.ts"
import { TenantId } from "./Tenant.ts"
import { Tier } from "./Tier.ts"
import { VideoId } from "./VideoId.ts"

/**
 * A job's name for its users: a UUID when we made it, any text of 1 to 64 characters when we read it, but for control
 * characters and half characters, which no database keeps.
 */
export const JobId = Schema.String.check(
  Schema.isMinLength(1),
  Schema.isMaxLength(64),
  Schema.isPattern(/^[^\p{Cc}\p{Cs}]*$/u)
).pipe(Schema.brand("JobId"))
export type JobId = typeof JobId.Type

/** The statuses that a client is shown: it polls for ever on any other (CONTRACT.md, section 2). */
export const WireJobStatus = Schema.Literals([
  "PENDING",
  "VALIDATING",
  "RUNNING",
  "RETRYING",
  "DONE",
  "FAILED",
  "REJECTED_BAD_INPUT",
  "FALLBACK_TO_GPU",
  "REVIEW_REQUIRED"
])
export type WireJobStatus = typeof WireJobStatus.Type

/** The contract's statuses and `CANCELLED`, which clients are shown as `FAILED` (see {@link wireStatus}). */
export const JobStatus = Schema.Literals([...WireJobStatus.literals, "CANCELLED"])
export type JobStatus = typeof JobStatus.Type

export class Job extends Schema.Class<Job>("@lectern/domain/Job")({
  tenantId: TenantId,
  id: JobId,
  kind: JobKind,
  tier: Tier,
  /** The video that an encode is for. */
  videoId: Schema.NullOr(VideoId),
  /** What the worker needs beyond the ids; never personal data or secrets (INCIDENTS.md, 43). */
  payload: Schema.Json,
  status: JobStatus,
  /** Raised by every committed transition: the first part of what orders the copies in the mirror. */
  revision: Schema.Int,
  /** How often the job was claimed; the fencing token of the claim that is in force. */
  attempt: Schema.Int,
  /** How many attempts ended in a failure that counts. */
  failures: Schema.Int,
  step: Schema.NullOr(Schema.String),
  leaseOwner: Schema.NullOr(Schema.String),
  /** When others may take the job from its owner. */
  leaseUntil: Schema.NullOr(EpochMillis),
  /** Not to be claimed before. */
  runAfter: EpochMillis,
  /** When the job was last handed to its queue or to Batch; `null` when that is still to be done. */
  dispatchedAt: Schema.NullOr(EpochMillis),
  /** The queue's or Batch's own id of that. */
  externalId: Schema.NullOr(Schema.String),
  /** How often a run of the encode runtime was asked for: the number of the latest of them (see `Submission`). */
  submissions: Schema.Int,
  /** Since when the latest of them has no recorded outcome; `null` when it has one, or there is none. */
  submittingSince: Schema.NullOr(EpochMillis),
  /** How many runs in a row have ended before they claimed the job. */
  unclaimedRuns: Schema.Int,
  result: Schema.NullOr(Schema.Json),
  errorCode: Schema.NullOr(Schema.String),
  errorMessage: Schema.NullOr(Schema.String),
  createdAt: EpochMillis,
  updatedAt: EpochMillis
}) {}

/** How often a job may be tried. */
export interface AttemptLimits {
  readonly maxFailures: number
  /** Attempts in all, preempted ones included: an end for a job that is preempted for ever. */
  readonly maxAttempts: number
}

/** How often a kind of job may fail, and how long it waits in between. */
export interface JobPolicy extends AttemptLimits {
  /** Kinds with limits of their own: those whose attempts carry on where the last one ended. */
  readonly ofKind?: Partial<Record<JobKind, AttemptLimits>>
  /** Runs in a row that may end before they claim the job: an end for a container that never comes up. */
  readonly maxUnclaimedRuns: number
  /** Milliseconds from the n-th failure (1-based) to the next attempt. */
  readonly retryDelay: (failures: number) => number
}

export const defaultJobPolicy: JobPolicy = {
  maxFailures: 3,
  maxAttempts: 12,
  // Each attempt sends what the last one left, and waits for the night, a cap or a provider end attempts too.
  ofKind: { messaging: { maxFailures: 12, maxAttempts: 60 } },
  maxUnclaimedRuns: 5,
  retryDelay: (failures) => Math.min(5_000 * 4 ** (failures - 1), 600_000)
}

const limitsOf = (job: Job, policy: JobPolicy): AttemptLimits => policy.ofKind?.[job.kind] ?? policy

export const isTerminal = (status: JobStatus): boolean => {
  switch (status) {
    case "PENDING":
    case "VALIDATING":
    case "RUNNING":
    case "RETRYING":
      return false
    case "DONE":
    case "FAILED":
    case "REJECTED_BAD_INPUT":
    case "FALLBACK_TO_GPU":
    case "REVIEW_REQUIRED":
    case "CANCELLED":
      return true
  }
}

/** In somebody's hands: claimed and neither given back nor ended. */
export const isActive = (status: JobStatus): boolean => status === "VALIDATING" || status === "RUNNING"

/** What a client is shown: it polls for ever on a status that it does not know, so it is never shown `CANCELLED`. */
export const wireStatus = (status: JobStatus): WireJobStatus =>
  status === "CANCELLED" ? "FAILED" : status

/** Proof of a claim: who holds the job, in which attempt. */
export class Lease extends Schema.Class<Lease>("@lectern/domain/Lease")({
  tenantId: TenantId,
  jobId: JobId,
  attempt: Schema.Int,
  owner: Schema.String
}) {}

/** What the holder of a lease may say about its job. */
export type WorkerCommand =
  /** The input is looked at; no promise yet that it can be worked on. */
  | { readonly _tag: "Validate"; readonly step: StepName }
  | { readonly _tag: "Advance"; readonly step: StepName }
  | { readonly _tag: "Succeed"; readonly result: Schema.Json; readonly errorMessage?: string }
  | { readonly _tag: "RequireReview"; readonly result: Schema.Json; readonly message: string }
  | { readonly _tag: "Reject"; readonly code: string; readonly message: string; readonly result?: Schema.Json }
  | { readonly _tag: "Fail"; readonly code: string; readonly message: string; readonly retryable: boolean }
  /** The attempt costs more than this tier may spend: a premium job of this id, with the same payload, takes its place. */
  | { readonly _tag: "FallBackToGpu"; readonly premiumJobId: JobId; readonly message: string }
  /** The machine is taken away or told to stop; not the job's fault, so it counts no failure. */
  | { readonly _tag: "Preempt"; readonly message: string }
  /** Nothing can be done before `until`: the job waits, and no failure is counted. */
  | { readonly _tag: "Defer"; readonly until: Millis; readonly code: string; readonly message: string }

/** What the system may say about a job that it does not hold. */
export type SystemCommand =
  /** The lease ended; counts one failure of the attempt that it names. */
  | { readonly _tag: "Expire"; readonly attempt: number; readonly message: string }
  /**
   * The run is over. If it held the job, that is a failure of its attempt. If the job still waits for it, it ended
   * without a claim, which is `counted` unless the run went with the machine that kept it.
   */
  | { readonly _tag: "RunEnded"; readonly runId: string; readonly reason: string; readonly counted: boolean }
  | { readonly _tag: "Cancel"; readonly message: string }
  /** A person puts a job back that was given up: its failures are forgotten, its attempts go on being counted. */
  | { readonly _tag: "Redrive" }

/** A command that makes no sense in the job's state. A defect of the caller, not of the job; a retry cannot help. */
export class IllegalTransition extends Schema.TaggedError<IllegalTransition>()("IllegalTransition", {
  jobId: JobId,
  status: JobStatus,
  command: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `Cannot ${this.command} job "${this.jobId}" in state ${this.status}: ${this.detail}`
  }
}

/** The lease is no longer in force: another claim, the sweep or a cancellation took the job. Stop working, write nothing. */
export class LeaseLost extends Schema.TaggedError<LeaseLost>()("LeaseLost", {
  jobId: JobId,
  attempt: Schema.Int,
  status: JobStatus,
  currentAttempt: Schema.Int
}) {
  override get message(): string {
    return `Cannot write to job "${this.jobId}" as attempt ${this.attempt}: it is ${this.status} in attempt ${this.currentAttempt}`
  }
}

export interface NewJob {
  readonly tenantId: TenantId
  readonly id: JobId
  readonly kind: JobKind
  /** `basic` where it is not given. */
  readonly tier?: Tier
  readonly videoId: VideoId | null
  readonly payload: Schema.Json
}

export const createJob = (input: NewJob, now: Millis): Job =>
  new Job({
    tier: "basic",
    ...input,
    status: "PENDING",
    revision: 1,
    attempt: 0,
    failures: 0,
    step: null,
    leaseOwner: null,
    leaseUntil: null,
    runAfter: now,
    dispatchedAt: null,
    externalId: null,
    submissions: 0,
    submittingSince: null,
    unclaimedRuns: 0,
    result: null,
    errorCode: null,
    errorMessage: null,
    createdAt: now,
    updatedAt: now
  })

const change = (job: Job, now: Millis, fields: Partial<typeof Job.Type>): Job =>
  new Job({ ...job, ...fields, revision: job.revision + 1, updatedAt: now })

const released = { leaseOwner: null, leaseUntil: null } as const
const notHandedOver = { dispatchedAt: null, externalId: null, submittingSince: null } as const

const giveUp = (job: Job, now: Millis, code: string, message: string): Job =>
  change(job, now, { ...released, status: "FAILED", errorCode: code, errorMessage: message })

const failAttempt = (job: Job, now: Millis, policy: JobPolicy, code: string, message: string): Job => {
  const failures = job.failures + 1
  const limits = limitsOf(job, policy)
  return failures >= limits.maxFailures || job.attempt >= limits.maxAttempts
    ? giveUp(new Job({ ...job, failures }), now, code, message)
    : change(job, now, {
      ...released,
      failures,
      status: "RETRYING",
      runAfter: now + policy.retryDelay(failures),
      ...notHandedOver,
      errorCode: code,
      errorMessage: message
    })
}

/** A run has ended before it claimed the job: the next one is asked for later, unless that was the last. */
const failToStart = (job: Job, now: Millis, policy: JobPolicy, reason: string): Job => {
  const unclaimedRuns = job.unclaimedRuns + 1
  return unclaimedRuns >= policy.maxUnclaimedRuns
    ? giveUp(new Job({ ...job, unclaimedRuns }), now, "never_started", neverStarted(unclaimedRuns, reason))
    : change(job, now, { ...notHandedOver, unclaimedRuns, runAfter: now + policy.retryDelay(unclaimedRuns) })
}

/** The holder of the job fell silent: it is gone, or it hangs. */
export const leaseExpired = "lease_expired"

/** The job was preempted as often as it may be attempted. */
const tooManyAttemptsCode = "too_many_attempts"

/** What came of the wish to claim a job. */
export type ClaimDecision =
  | { readonly _tag: "Claimed"; readonly job: Job; readonly lease: Lease }
  /** Somebody holds it: ask again when the lease ends; never discard the message (INCIDENTS.md, 37). */
  | { readonly _tag: "Busy"; readonly until: Millis }
  | { readonly _tag: "NotDue"; readonly until: Millis }
  | { readonly _tag: "Finished"; readonly status: JobStatus }
  /** The last holder vanished and no further attempt is left: the job is now `FAILED`. */
  | { readonly _tag: "GaveUp"; readonly job: Job }
  /** The last holder vanished; that failure is counted now, and the next attempt has to wait. */
  | { readonly _tag: "Expired"; readonly job: Job; readonly until: Millis }

/** Decides a claim. `leaseMillis` is how long others leave the job alone without a heartbeat. */
export const claimJob = (
  job: Job,
  request: { readonly owner: string; readonly leaseMillis: number },
  now: Millis,
  policy: JobPolicy = defaultJobPolicy
): ClaimDecision => {
  if (isTerminal(job.status)) return { _tag: "Finished", status: job.status }
  if (isActive(job.status)) {
    if (job.leaseUntil !== null && job.leaseUntil > now) return { _tag: "Busy", until: job.leaseUntil }
    const expired = failAttempt(job, now, policy, leaseExpired, vanished(job))
    return isTerminal(expired.status)
      ? { _tag: "GaveUp", job: expired }
      : { _tag: "Expired", job: expired, until: expired.runAfter }
  }
  if (job.runAfter > now) return { _tag: "NotDue", until: job.runAfter }
  if (job.attempt >= limitsOf(job, policy).maxAttempts) {
    return { _tag: "GaveUp", job: giveUp(job, now, tooManyAttemptsCode, tooManyAttempts(job)) }
  }
  const claimed = change(job, now, {
    status: "RUNNING",
    attempt: job.attempt + 1,
    step: null,
    leaseOwner: request.owner,
    leaseUntil: now + request.leaseMillis,
    unclaimedRuns: 0,
    // It came before the note of its submission: what holds the job now is the run that was asked for.
    ...(job.submittingSince === null
      ? {}
      : { submittingSince: null, dispatchedAt: now, externalId: runOfHolder(request.owner) }),
    errorCode: null,
    errorMessage: null
  })
  return {
    _tag: "Claimed",
    job: claimed,
    lease: new Lease({ tenantId: job.tenantId, jobId: job.id, attempt: claimed.attempt, owner: request.owner })
  }
}

const vanished = (job: Job): string => `작업 서버가 응답 없이 멈췄습니다 (시도 ${job.attempt}회)`
const tooManyAttempts = (job: Job): string => `작업이 ${job.attempt}회 중단되었습니다`
const runEnded = (reason: string): string => `작업 서버가 종료되었습니다: ${reason}`
const neverStarted = (runs: number, reason: string): string =>
  `작업 서버가 ${runs}회 모두 시작되지 못했습니다. 관리자에게 알려 주세요 (${reason.slice(0, maxShownReason)})`

/** So many characters of a runtime's reason are shown to whoever waits for the job. */
const maxShownReason = 200

/** The run that a holder belongs to: the tasks of an array job hold under its id, a colon and their number. */
export const runOfHolder = (owner: string): string => owner.split(":", 1)[0] ?? owner

/** `null` when the lease is in force. */
export const leaseFault = (job: Job, lease: Lease): LeaseLost | null =>
  isActive(job.status) && job.attempt === lease.attempt && job.leaseOwner === lease.owner
    ? null
    : new LeaseLost({ jobId: job.id, attempt: lease.attempt, status: job.status, currentAttempt: job.attempt })

const stepOf = (job: Job, name: StepName): Result.Result<Step, IllegalTransition> => {
  const found = findStep(job.kind, name)
  return found === null
    ? Result.fail(
      new IllegalTransition({
        jobId: job.id,
        status: job.status,
        command: `move to step "${name}"`,
        detail: `a ${job.kind} has no such step`
      })
    )
    : Result.succeed(found)
}

/**
 * Whether the same attempt has said this already: the answer to it was lost, and it is said again.
 *
 * Anything that ended the attempt as a failure answers a `Fail`: one failure is counted once.
 */
const alreadyApplied = (job: Job, lease: Lease, command: WorkerCommand): boolean => {
  if (job.attempt !== lease.attempt) return false
  switch (command._tag) {
    case "Validate":
    case "Advance":
      return false
    case "Succeed":
      return job.status === "DONE"
    case "RequireReview":
      return job.status === "REVIEW_REQUIRED"
    case "Reject":
      return job.status === "REJECTED_BAD_INPUT"
    case "FallBackToGpu":
      return job.status === "FALLBACK_TO_GPU"
    case "Fail":
      return job.status === "RETRYING" || job.status === "FAILED"
    case "Preempt":
    case "Defer":
      return job.status === "RETRYING" || (job.status === "FAILED" && job.errorCode === tooManyAttemptsCode)
  }
}

/**
 * Decides what the holder of `lease` says. The lease is checked first: a stale holder learns nothing else. The job itself comes
 * back, unchanged, when the same attempt said the same before.
 */
export const applyWorkerCommand = (
  job: Job,
  lease: Lease,
  command: WorkerCommand,
  now: Millis,
  policy: JobPolicy = defaultJobPolicy
): Result.Result<Job, LeaseLost | IllegalTransition> => {
  if (alreadyApplied(job, lease, command)) return Result.succeed(job)
  const fault = leaseFault(job, lease)
  if (fault !== null) return Result.fail(fault)
  switch (command._tag) {
    case "Validate":
      if (job.status !== "VALIDATING" && job.step !== null) {
        return Result.fail(
          new IllegalTransition({
            jobId: job.id,
            status: job.status,
            command: "validate",
            detail: `it is past that, at step "${job.step}"`
          })
        )
      }
      return Result.map(stepOf(job, command.step), (step) =>
        change(job, now, { status: "VALIDATING", step: step.name }))
    case "Advance":
      return Result.map(stepOf(job, command.step), (step) => change(job, now, { status: "RUNNING", step: step.name }))
    case "Succeed":
      return Result.succeed(
        change(job, now, {
          ...released,
          status: "DONE",
          step: "done",
          result: command.result,
          errorCode: null,
          errorMessage: command.errorMessage ?? null
        })
      )
    case "RequireReview":
      return Result.succeed(
        change(job, now, {
          ...released,
          status: "REVIEW_REQUIRED",
          result: command.result,
          errorCode: "review_required",
          errorMessage: command.message
        })
      )
    case "Reject":
      return Result.succeed(
        change(job, now, {
          ...released,
          status: "REJECTED_BAD_INPUT",
          result: command.result ?? null,
          errorCode: command.code,
          errorMessage: command.message
        })
      )
    case "Fail":
      return Result.succeed(
        command.retryable
          ? failAttempt(job, now, policy, command.code, command.message)
          : giveUp(new Job({ ...job, failures: job.failures + 1 }), now, command.code, command.message)
      )
    case "FallBackToGpu":
      return job.kind === "video_encode" || job.tier === "premium"
        ? Result.fail(
          new IllegalTransition({
            jobId: job.id,
            status: job.status,
            command: "fall back to a premium job",
            detail: `a ${job.tier} ${job.kind} has none above it`
          })
        )
        : Result.succeed(
          change(job, now, {
            ...released,
            status: "FALLBACK_TO_GPU",
            result: { premium_job_id: command.premiumJobId },
            errorCode: "fallback_to_gpu",
            errorMessage: command.message
          })
        )
    case "Preempt":
    case "Defer":
      return Result.succeed(
        job.attempt >= limitsOf(job, policy).maxAttempts
          ? giveUp(job, now, tooManyAttemptsCode, tooManyAttempts(job))
          : change(job, now, {
            ...released,
            status: "RETRYING",
            runAfter: command._tag === "Defer" ? command.until : now,
            ...notHandedOver,
            errorCode: command._tag === "Defer" ? command.code : "preempted",
            errorMessage: command.message
          })
      )
  }
}

/** The job that has to be written in one transaction with the command that brought `job` where it is; `null` for most. */
export const successorOf = (job: Job, command: WorkerCommand, now: Millis): Job | null =>
  command._tag === "FallBackToGpu"
    ? createJob(
      { tenantId: job.tenantId, id: command.premiumJobId, kind: job.kind, tier: "premium", videoId: null, payload: job.payload },
      now
    )
    : null

/**
 * Decides what the system says. `null` when there is nothing left to do: the command comes too late or names an attempt that
 * somebody else has ended, and saying it again is harmless.
 */
export const applySystemCommand = (
  job: Job,
  command: SystemCommand,
  now: Millis,
  policy: JobPolicy = defaultJobPolicy
): Job | null => {
  switch (command._tag) {
    case "Expire":
      return isActive(job.status) && job.attempt === command.attempt && job.leaseUntil !== null && job.leaseUntil <= now
        ? failAttempt(job, now, policy, leaseExpired, command.message)
        : null
    case "RunEnded":
      if (isActive(job.status)) {
        return job.leaseOwner !== null && runOfHolder(job.leaseOwner) === command.runId
          ? failAttempt(job, now, policy, "run_ended", runEnded(command.reason))
          : null
      }
      if (isTerminal(job.status) || job.externalId !== command.runId) return null
      return command.counted ? failToStart(job, now, policy, command.reason) : change(job, now, notHandedOver)
    case "Cancel":
      return isTerminal(job.status)
        ? null
        : change(job, now, { ...released, status: "CANCELLED", errorCode: "cancelled", errorMessage: command.message })
    case "Redrive":
      return job.status === "FAILED" && job.attempt < policy.maxAttempts
        ? change(job, now, {
          ...notHandedOver,
          status: "RETRYING",
          failures: 0,
          unclaimedRuns: 0,
          runAfter: now,
          errorCode: null,
          errorMessage: null
        })
        : null
  }
}
