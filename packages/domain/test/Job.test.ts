import {
  applySystemCommand,
  applyWorkerCommand,
  type ClaimDecision,
  claimJob,
  defaultJobPolicy,
  isActive,
  isTerminal,
  type Job,
  JobStatus,
  type Lease,
  leaseFault,
  type SystemCommand,
  wireStatus,
  type WorkerCommand
} from "@lectern/domain"
import { Result } from "effect"
import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { jobIn, leaseMillis, leaseOf, newJob, owner, startedAt } from "./jobInState.ts"

const workerCommands = {
  Validate: { _tag: "Validate", step: "presigning" },
  Advance: { _tag: "Advance", step: "probing" },
  Succeed: { _tag: "Succeed", result: { ok: true } },
  RequireReview: { _tag: "RequireReview", result: {}, message: "look" },
  Reject: { _tag: "Reject", code: "bad", message: "no video in it" },
  "Fail (retryable)": { _tag: "Fail", code: "io", message: "lost", retryable: true },
  "Fail (final)": { _tag: "Fail", code: "io", message: "broken", retryable: false },
  Preempt: { _tag: "Preempt", message: "reclaimed" }
} as const satisfies Record<string, WorkerCommand>

/** Past the lease of `jobIn`, or inside it. */
const late = startedAt + leaseMillis
const inTime = startedAt + 1

const systemCommands = {
  "Expire (lease ended)": { at: late, command: { _tag: "Expire", attempt: 1, message: "gone" } },
  "Expire (lease in force)": { at: inTime, command: { _tag: "Expire", attempt: 1, message: "gone" } },
  "Expire (another attempt)": { at: late, command: { _tag: "Expire", attempt: 2, message: "gone" } },
  "RunEnded (its holder's)": { at: inTime, command: { _tag: "RunEnded", runId: owner, reason: "gone", counted: true } },
  "RunEnded (the one it waits for)": { at: inTime, command: { _tag: "RunEnded", runId: "run-1", reason: "gone", counted: true } },
  "RunEnded (another)": { at: inTime, command: { _tag: "RunEnded", runId: "run-9", reason: "gone", counted: true } },
  Cancel: { at: inTime, command: { _tag: "Cancel", message: "deleted" } },
  Redrive: { at: inTime, command: { _tag: "Redrive" } }
} as const satisfies Record<string, { readonly at: number; readonly command: SystemCommand }>

const claims = {
  "claim (in time)": inTime,
  "claim (lease ended)": late
} as const

type WorkerColumn = keyof typeof workerCommands
type SystemColumn = keyof typeof systemCommands
type ClaimColumn = keyof typeof claims
type Column = WorkerColumn | SystemColumn | ClaimColumn

/** A new status, or what is answered instead. `same` is the job itself: the same was said before. */
type Outcome =
  | JobStatus
  | "same"
  | "LeaseLost"
  | "IllegalTransition"
  | "nothing"
  | "Busy"
  | "Finished"
  | "Expired to RETRYING"

const columns: ReadonlyArray<Column> = [
  "claim (in time)",
  "claim (lease ended)",
  "Validate",
  "Advance",
  "Succeed",
  "RequireReview",
  "Reject",
  "Fail (retryable)",
  "Fail (final)",
  "Preempt",
  "Expire (lease ended)",
  "Expire (lease in force)",
  "Expire (another attempt)",
  "RunEnded (its holder's)",
  "RunEnded (the one it waits for)",
  "RunEnded (another)",
  "Cancel",
  "Redrive"
]

type Row = readonly [
  claimInTime: Outcome,
  claimLate: Outcome,
  validate: Outcome,
  advance: Outcome,
  succeed: Outcome,
  requireReview: Outcome,
  reject: Outcome,
  failRetryable: Outcome,
  failFinal: Outcome,
  preempt: Outcome,
  expireEnded: Outcome,
  expireInForce: Outcome,
  expireOther: Outcome,
  runEndedHolder: Outcome,
  runEndedAwaited: Outcome,
  runEndedOther: Outcome,
  cancel: Outcome,
  redrive: Outcome
]

const L = "LeaseLost"
const nothing2 = ["nothing", "nothing"] as const
const nothing6 = [...nothing2, ...nothing2, ...nothing2] as const
const table: Record<JobStatus, Row> = {
  PENDING: ["RUNNING", "RUNNING", L, L, L, L, L, L, L, L, ...nothing2, ...nothing2, "PENDING", "nothing", "CANCELLED", "nothing"],
  VALIDATING: [
    "Busy",
    "Expired to RETRYING",
    "VALIDATING",
    "RUNNING",
    "DONE",
    "REVIEW_REQUIRED",
    "REJECTED_BAD_INPUT",
    "RETRYING",
    "FAILED",
    "RETRYING",
    "RETRYING",
    ...nothing2,
    "RETRYING",
    ...nothing2,
    "CANCELLED",
    "nothing"
  ],
  RUNNING: [
    "Busy",
    "Expired to RETRYING",
    "VALIDATING",
    "RUNNING",
    "DONE",
    "REVIEW_REQUIRED",
    "REJECTED_BAD_INPUT",
    "RETRYING",
    "FAILED",
    "RETRYING",
    "RETRYING",
    ...nothing2,
    "RETRYING",
    ...nothing2,
    "CANCELLED",
    "nothing"
  ],
  RETRYING: ["RUNNING", "RUNNING", L, L, L, L, L, "same", "same", "same", ...nothing6, "CANCELLED", "nothing"],
  DONE: ["Finished", "Finished", L, L, "same", L, L, L, L, L, ...nothing6, ...nothing2],
  FAILED: ["Finished", "Finished", L, L, L, L, L, "same", "same", L, ...nothing6, "nothing", "RETRYING"],
  REJECTED_BAD_INPUT: ["Finished", "Finished", L, L, L, L, "same", L, L, L, ...nothing6, ...nothing2],
  FALLBACK_TO_GPU: ["Finished", "Finished", L, L, L, L, L, L, L, L, ...nothing6, ...nothing2],
  REVIEW_REQUIRED: ["Finished", "Finished", L, L, L, "same", L, L, L, L, ...nothing6, ...nothing2],
  CANCELLED: ["Finished", "Finished", L, L, L, L, L, L, L, L, ...nothing6, ...nothing2]
}

const claimOutcome = (decision: ClaimDecision): Outcome => {
  switch (decision._tag) {
    case "Claimed":
    case "GaveUp":
      return decision.job.status
    case "Expired":
      return decision.job.status === "RETRYING" ? "Expired to RETRYING" : decision.job.status
    case "Busy":
    case "Finished":
      return decision._tag
    case "NotDue":
      throw new Error("No job of the table waits for its time")
  }
}

const isClaim = (column: Column): column is ClaimColumn => column in claims
const isWorker = (column: Column): column is WorkerColumn => column in workerCommands

const outcomeOf = (job: Job, column: Column): Outcome => {
  if (isClaim(column)) return claimOutcome(claimJob(job, { owner: "worker-2", leaseMillis }, claims[column]))
  if (isWorker(column)) {
    return Result.match(applyWorkerCommand(job, leaseOf(job), workerCommands[column], inTime), {
      onSuccess: (next): Outcome => next === job ? "same" : next.status,
      onFailure: (error): Outcome => error._tag
    })
  }
  const { at, command } = systemCommands[column]
  return applySystemCommand(job, command, at)?.status ?? "nothing"
}

describe("a job's state machine", () => {
  const pairs = JobStatus.literals.flatMap((status) =>
    columns.map((column, index) => ({ status, column, expected: table[status][index] })))

  it("has an expected outcome for every status and every command", () => {
    expect(new Set(columns)).toEqual(
      new Set([...Object.keys(claims), ...Object.keys(workerCommands), ...Object.keys(systemCommands)])
    )
    expect(columns).toHaveLength(18)
    expect(JobStatus.literals).toHaveLength(10)
    expect(pairs).toHaveLength(180)
    expect(pairs.filter((pair) => pair.expected === undefined)).toEqual([])
  })

  it.each(pairs)("answers $column in state $status with $expected", ({ status, column, expected }) => {
    expect(outcomeOf(jobIn(status), column)).toBe(expected)
  })

  it.each(JobStatus.literals)("lets no holder of an older lease say anything in state %s", (status) => {
    const job = jobIn(status, { attempt: 2 })
    const stale = leaseOf(jobIn(status, { attempt: 1 }))
    for (const command of Object.values(workerCommands)) {
      const answer = applyWorkerCommand(job, stale, command, inTime)
      expect(Result.isFailure(answer) && answer.failure._tag).toBe("LeaseLost")
    }
  })

  it.each(["VALIDATING", "RUNNING"] as const)("lets nobody but the owner say anything in state %s", (status) => {
    const job = jobIn(status, { leaseOwner: "worker-2" })
    for (const command of Object.values(workerCommands)) {
      const answer = applyWorkerCommand(job, leaseOf(job), command, inTime)
      expect(Result.isFailure(answer) && answer.failure._tag).toBe("LeaseLost")
    }
  })

  it("does not go back to validation once a step was taken", () => {
    const answer = applyWorkerCommand(
      jobIn("RUNNING", { step: "probing" }),
      leaseOf(jobIn("RUNNING")),
      workerCommands.Validate,
      inTime
    )
    expect(Result.isFailure(answer) && answer.failure.message).toBe(
      `Cannot validate job "${newJob().id}" in state RUNNING: it is past that, at step "probing"`
    )
  })

  it("refuses a step that its kind does not have, by name", () => {
    for (const _tag of ["Validate", "Advance"] as const) {
      const answer = applyWorkerCommand(jobIn("RUNNING"), leaseOf(jobIn("RUNNING")), { _tag, step: "parsing" }, inTime)
      expect(Result.isFailure(answer) && answer.failure.message).toBe(
        `Cannot move to step "parsing" job "${newJob().id}" in state RUNNING: a video_encode has no such step`
      )
    }
  })

  it("does not claim a job before its time", () => {
    const job = jobIn("RETRYING", { runAfter: late })
    expect(claimJob(job, { owner, leaseMillis }, late - 1)).toEqual({ _tag: "NotDue", until: late })
    expect(claimJob(job, { owner, leaseMillis }, late)._tag).toBe("Claimed")
  })

  it("ends a job whose attempts are used up, at the claim and at the preemption", () => {
    const spent = { attempt: defaultJobPolicy.maxAttempts }
    const claimed = claimJob(jobIn("RETRYING", spent), { owner, leaseMillis }, late)
    expect(claimed._tag === "GaveUp" && claimed.job).toMatchObject({ status: "FAILED", errorCode: "too_many_attempts" })
    const running = jobIn("RUNNING", spent)
    const preempted = Result.getOrThrow(applyWorkerCommand(running, leaseOf(running), workerCommands.Preempt, inTime))
    expect(preempted).toMatchObject({ status: "FAILED", errorCode: "too_many_attempts", failures: 0 })
  })

  it("answers a preemption said again as the first time, when it used up the last attempt", () => {
    const running = jobIn("RUNNING", { attempt: defaultJobPolicy.maxAttempts })
    const preempted = Result.getOrThrow(applyWorkerCommand(running, leaseOf(running), workerCommands.Preempt, inTime))
    expect(Result.getOrThrow(applyWorkerCommand(preempted, leaseOf(running), workerCommands.Preempt, late))).toBe(preempted)
  })

  it("ends with the failure that reaches the limit, found by whoever finds it", () => {
    const job = jobIn("RUNNING", { failures: defaultJobPolicy.maxFailures - 1 })
    const said = Result.getOrThrow(applyWorkerCommand(job, leaseOf(job), workerCommands["Fail (retryable)"], inTime))
    const swept = applySystemCommand(job, systemCommands["Expire (lease ended)"].command, late)
    const claimed = claimJob(job, { owner: "worker-2", leaseMillis }, late)
    expect([said.status, swept?.status, claimed._tag]).toEqual(["FAILED", "FAILED", "GaveUp"])
    expect([said.failures, swept?.failures]).toEqual([3, 3])
    expect(said.leaseOwner).toBe(null)
  })

  it("waits longer after each failure, and ten minutes at most", () => {
    expect([1, 2, 3, 4, 5, 50].map(defaultJobPolicy.retryDelay)).toEqual([5_000, 20_000, 80_000, 320_000, 600_000, 600_000])
    const job = jobIn("RUNNING", { failures: 1 })
    expect(Result.getOrThrow(applyWorkerCommand(job, leaseOf(job), workerCommands["Fail (retryable)"], inTime)).runAfter)
      .toBe(inTime + 20_000)
  })

  it("asks for a new hand-over when it waits for another attempt", () => {
    for (const column of ["Fail (retryable)", "Preempt"] as const) {
      const job = jobIn("RUNNING")
      const next = Result.getOrThrow(applyWorkerCommand(job, leaseOf(job), workerCommands[column], inTime))
      expect(next).toMatchObject({ status: "RETRYING", dispatchedAt: null, externalId: null, leaseOwner: null, leaseUntil: null })
    }
  })

  it("shows its clients no status that they do not know", () => {
    expect(JobStatus.literals.map(wireStatus)).toEqual([
      "PENDING",
      "VALIDATING",
      "RUNNING",
      "RETRYING",
      "DONE",
      "FAILED",
      "REJECTED_BAD_INPUT",
      "FALLBACK_TO_GPU",
      "REVIEW_REQUIRED",
      "FAILED"
    ])
  })
})

/** One event in a job's life; `lease` picks one of all leases that were ever given. */
type Event =
  | { readonly _tag: "Wait"; readonly millis: number }
  | { readonly _tag: "Claim" }
  | { readonly _tag: "Say"; readonly command: WorkerCommand; readonly lease: number }
  | { readonly _tag: "Intervene"; readonly command: SystemCommand }

const events: fc.Arbitrary<ReadonlyArray<Event>> = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ _tag: fc.constant("Claim" as const) }) },
    {
      weight: 3,
      arbitrary: fc.record({
        _tag: fc.constant("Wait" as const),
        millis: fc.constantFrom(1, 5_000, 20_000, leaseMillis, 600_000)
      })
    },
    {
      weight: 8,
      arbitrary: fc.record({
        _tag: fc.constant("Say" as const),
        command: fc.constantFrom<WorkerCommand>(...Object.values(workerCommands)),
        lease: fc.oneof(fc.constant(-1), fc.nat(20))
      })
    },
    {
      weight: 2,
      arbitrary: fc.record({
        _tag: fc.constant("Intervene" as const),
        command: fc.oneof(
          fc.record({
            _tag: fc.constant("Expire" as const),
            attempt: fc.integer({ min: 0, max: 13 }),
            message: fc.constant("gone")
          }),
          fc.record({
            _tag: fc.constant("RunEnded" as const),
            runId: fc.constantFrom("worker-0", "worker-1", "worker-2"),
            reason: fc.constant("gone"),
            counted: fc.boolean()
          }),
          fc.constant({ _tag: "Cancel" as const, message: "deleted" })
        )
      })
    }
  ),
  { minLength: 1, maxLength: 60 }
)

describe("any life of a job", () => {
  it("keeps the promises of its state machine", () => {
    const reached = new Set<JobStatus>()
    fc.assert(
      fc.property(events, fc.integer({ min: 1, max: 5 }), (life, maxFailures) => {
        const policy = { ...defaultJobPolicy, maxFailures, maxAttempts: 6 }
        const leases: Array<Lease> = []
        /** The attempts that ended in a counted failure. */
        const failed = new Set<number>()
        let now = startedAt
        let job = newJob()
        for (const event of life) {
          const before = job
          let after: Job = before
          switch (event._tag) {
            case "Wait":
              now += event.millis
              break
            case "Claim": {
              const decision = claimJob(before, { owner: `worker-${leases.length}`, leaseMillis }, now, policy)
              if ("job" in decision) after = decision.job
              if (decision._tag === "Claimed") {
                leases.push(decision.lease)
                // The lease is in force, and its attempt is nobody else's.
                expect(leaseFault(after, decision.lease)).toBe(null)
                expect(new Set(leases.map((lease) => lease.attempt)).size).toBe(leases.length)
              }
              break
            }
            case "Say": {
              const lease = leases.at(event.lease === -1 ? -1 : event.lease % Math.max(1, leases.length))
              if (lease === undefined) break
              const inForce = leaseFault(before, lease) === null
              const answer = applyWorkerCommand(before, lease, event.command, now, policy)
              if (Result.isSuccess(answer)) after = answer.success
              // Whoever holds no lease in force changes nothing.
              if (!inForce) expect(after).toBe(before)
              break
            }
            case "Intervene":
              after = applySystemCommand(before, event.command, now, policy) ?? before
          }
          reached.add(after.status)
          if (after === before) continue
          job = after
          expect(isTerminal(before.status)).toBe(false)
          expect(after.revision).toBe(before.revision + 1)
          expect(after.attempt - before.attempt).toBe(event._tag === "Claim" && isActive(after.status) ? 1 : 0)
          expect(after.attempt).toBeLessThanOrEqual(policy.maxAttempts)
          expect(after.failures).toBeLessThanOrEqual(maxFailures)
          if (after.failures !== before.failures) {
            expect(after.failures).toBe(before.failures + 1)
            expect(isActive(before.status)).toBe(true)
            // One failure is counted once, whoever reports it.
            expect(failed.has(after.attempt)).toBe(false)
            failed.add(after.attempt)
          }
          expect(isActive(after.status)).toBe(after.leaseOwner !== null && after.leaseUntil !== null)
          if (after.status === "RETRYING") expect([after.dispatchedAt, after.externalId]).toEqual([null, null])
          if (after.status === "FAILED") expect(after.errorMessage).not.toBe(null)
          expect(wireStatus(after.status)).not.toBe("CANCELLED")
          expect(after.updatedAt).toBe(now)
          expect([after.id, after.tenantId, after.createdAt]).toEqual([before.id, before.tenantId, before.createdAt])
        }
        expect(job.failures).toBe(failed.size)
      }),
      { numRuns: 2_000, seed: 20_261_121 }
    )
    // The lives were worth looking at: all states but the one that no command leads to.
    expect(reached).toEqual(new Set(JobStatus.literals.filter((status) => status !== "FALLBACK_TO_GPU")))
  })
})
