import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schedule from "effect/Schedule"
import { bestEffort, countSkip, defaultMirrorBudget, type MirrorOutcome, type SkipReason } from "./bestEffort.ts"
import { type Committed, open } from "./internal/Committed.ts"
import { type IllegalTransition, isTerminal, type JobId, type Lease, type LeaseLost, type WorkerCommand } from "./Job.ts"
import { type Claim, type JobNotFound, type JobRecord, JobStore, type JobStoreUnavailable } from "./JobStore.ts"
import type { MirroredRecord, Sample } from "./MirrorEntry.ts"
import { ProgressMirror } from "./ProgressMirror.ts"
import type { TenantId } from "./Tenant.ts"

/**
 * `Sent`: on its way to the mirror. `Throttled`: less than a second after the last one. `Dropped`: the last one is still on its
 * way, or the mirror was found hanging a moment ago.
 */
export type TickOutcome = "Sent" | "Throttled" | "Dropped"

/** A claimed job in the hands of its worker. */
export interface JobRun {
  readonly lease: Lease
  /** The job as this run last committed it. */
  readonly current: Effect.Effect<JobRecord>
  /** Changes state or step: the database, then the mirror. Says whether the mirror took it; that is all the mirror can do. */
  readonly record: (
    command: WorkerCommand
  ) => Effect.Effect<MirrorOutcome, LeaseLost | IllegalTransition | JobNotFound | JobStoreUnavailable>
  /** Moves inside a step: the mirror alone, once a second at most, without waiting for it. */
  readonly tick: (sample: Sample) => Effect.Effect<TickOutcome>
  /** Renews the lease; to be called by the work as it moves, so that work which stands still loses its lease. */
  readonly heartbeat: Effect.Effect<void, LeaseLost | JobNotFound | JobStoreUnavailable>
}

export type ClaimedRun =
  | { readonly _tag: "Claimed"; readonly run: JobRun }
  | Exclude<Claim, { readonly _tag: "Claimed" | "GaveUp" | "Expired" }>
  | { readonly _tag: "GaveUp" }
  | { readonly _tag: "Expired"; readonly until: number }

export interface JobRecorderOptions {
  /** How long a write waits for its mirror. */
  readonly mirrorBudget: Duration.Input
  /** How long the mirror is left alone after it was found hanging. The last write of a job tries it all the same. */
  readonly mirrorRest: Duration.Input
  /** The least time between two ticks. */
  readonly tickInterval: Duration.Input
  /** How long a write is said again to a database that is away; a worker that has done an hour's work has a minute to wait. */
  readonly databasePatience: Duration.Input
}

export const defaultJobRecorderOptions: JobRecorderOptions = {
  mirrorBudget: defaultMirrorBudget,
  mirrorRest: "10 seconds",
  tickInterval: "1 second",
  databasePatience: "1 minute"
}

/** The one way to change what is recorded: the database first, the mirror second. */
export class JobRecorder extends Context.Service<JobRecorder, {
  /** Runs a write of the store, publishes what it committed, and opens the receipt. Fails as the write fails, and only so. */
  readonly commit: <A extends MirroredRecord, E, R>(
    write: Effect.Effect<Committed<A>, E, R>
  ) => Effect.Effect<A, E, R>
  /** Takes a job for `owner`. */
  readonly claim: (
    tenantId: TenantId,
    jobId: JobId,
    request: { readonly owner: string; readonly leaseMillis: number }
  ) => Effect.Effect<ClaimedRun, JobNotFound | JobStoreUnavailable>
  /**
   * Publishes again what is committed already: for the sweep that mends a mirror, and comes again. It leaves a hanging mirror
   * alone, with ended jobs too: thousands of them would each wait for it.
   */
  readonly republish: (receipt: Committed<MirroredRecord>) => Effect.Effect<MirrorOutcome>
}>()("@lectern/domain/JobRecorder") {
  static readonly layerWith = (
    overrides: Partial<JobRecorderOptions>
  ): Layer.Layer<JobRecorder, never, JobStore | ProgressMirror> =>
    Layer.effect(JobRecorder, make({ ...defaultJobRecorderOptions, ...overrides }))

  static readonly layer: Layer.Layer<JobRecorder, never, JobStore | ProgressMirror> = Layer.effect(
    JobRecorder,
    Effect.suspend(() => make(defaultJobRecorderOptions))
  )
}

const make = Effect.fnUntraced(function*(options: JobRecorderOptions) {
  const store = yield* JobStore
  const mirror = yield* ProgressMirror
  const scope = yield* Effect.scope
  const restUntil = yield* Ref.make(0)
  const budget = Duration.fromInputUnsafe(options.mirrorBudget)
  const rest = Duration.toMillis(Duration.fromInputUnsafe(options.mirrorRest))
  const tickInterval = Duration.toMillis(Duration.fromInputUnsafe(options.tickInterval))

  const leaveAlone = (startedAt: number) => (reason: SkipReason): Effect.Effect<void> =>
    Effect.flatMap(Clock.currentTimeMillis, (now) =>
      // A refusal costs nothing and is tried again at once; silence costs the budget each time.
      reason === "timeout" || now - startedAt >= Duration.toMillis(budget) / 2
        ? Ref.set(restUntil, now + rest)
        : Effect.void)

  const resting = Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.map(Ref.get(restUntil), (until) => now < until))

  const republish = Effect.fnUntraced(function*(
    receipt: Committed<MirroredRecord>
  ): Effect.fn.Return<MirrorOutcome> {
    if (yield* resting) {
      yield* countSkip("open")
      return "Skipped"
    }
    return yield* attempt(receipt)
  })

  // Suspended, because a mirror may break even before it has made an effect.
  const attempt = Effect.fnUntraced(function*(receipt: Committed<MirroredRecord>): Effect.fn.Return<MirrorOutcome> {
    const startedAt = yield* Clock.currentTimeMillis
    return yield* bestEffort(Effect.suspend(() => mirror.publish(receipt)), { budget, onSkip: leaveAlone(startedAt) })
  })

  const publish = (receipt: Committed<MirroredRecord>): Effect.Effect<MirrorOutcome> => {
    const { job, video } = open(receipt)
    const last = (job !== null && isTerminal(job.status)) || (video !== null && video.deletedAt !== null)
    return last ? attempt(receipt) : republish(receipt)
  }

  const patient = <A, E>(
    write: Effect.Effect<A, E | JobStoreUnavailable>
  ): Effect.Effect<A, E | JobStoreUnavailable> =>
    Effect.retry(write, {
      schedule: Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")]).pipe(
        Schedule.jittered,
        Schedule.upTo({ duration: options.databasePatience })
      ),
      while: (error) => isUnavailable(error) && error.retryable
    })

  const commit = <A extends MirroredRecord, E, R>(
    write: Effect.Effect<Committed<A>, E, R>
  ): Effect.Effect<A, E, R> => Effect.tap(write, publish).pipe(Effect.map(open), Effect.withSpan("JobRecorder.commit"))

  const start = Effect.fnUntraced(function*(first: Committed<JobRecord>, lease: Lease, leaseMillis: number) {
    const receipts = yield* Ref.make(first)
    let ticks = 0
    let lastTick = Number.NEGATIVE_INFINITY
    let inFlight: Fiber.Fiber<MirrorOutcome> | undefined

    const attributes = { tenant: lease.tenantId, job: lease.jobId, attempt: lease.attempt }

    const record = Effect.fn("JobRecorder.record")(function*(command: WorkerCommand) {
      yield* Effect.annotateCurrentSpan({ ...attributes, command: command._tag })
      const receipt = yield* patient(store.transition(lease, command))
      yield* Ref.set(receipts, receipt)
      ticks = 0
      return yield* publish(receipt)
    })

    const tick = Effect.fnUntraced(function*(sample: Sample): Effect.fn.Return<TickOutcome> {
      const now = yield* Clock.currentTimeMillis
      if (now - lastTick < tickInterval) return "Throttled"
      if (inFlight !== undefined && inFlight.pollUnsafe() === undefined) return "Dropped"
      if (yield* resting) return "Dropped"
      lastTick = now
      ticks += 1
      const receipt = yield* Ref.get(receipts)
      const sampled = { ...sample, tick: ticks }
      inFlight = yield* bestEffort(Effect.suspend(() => mirror.tick(receipt, sampled)), {
        budget,
        onSkip: leaveAlone(now)
      }).pipe(Effect.forkIn(scope))
      return "Sent"
    })

    return {
      lease,
      current: Effect.map(Ref.get(receipts), open),
      record,
      tick,
      heartbeat: store.heartbeat(lease, leaseMillis).pipe(Effect.withSpan("JobRecorder.heartbeat", { attributes }))
    } satisfies JobRun
  })

  const claim = Effect.fn("JobRecorder.claim")(function*(
    tenantId: TenantId,
    jobId: JobId,
    request: { readonly owner: string; readonly leaseMillis: number }
  ): Effect.fn.Return<ClaimedRun, JobNotFound | JobStoreUnavailable> {
    const claimed = yield* patient(store.claim(tenantId, jobId, request))
    switch (claimed._tag) {
      case "Claimed": {
        yield* publish(claimed.receipt)
        return { _tag: "Claimed", run: yield* start(claimed.receipt, claimed.lease, request.leaseMillis) }
      }
      case "GaveUp":
        yield* publish(claimed.receipt)
        return { _tag: "GaveUp" }
      case "Expired":
        yield* publish(claimed.receipt)
        return { _tag: "Expired", until: claimed.until }
      case "Busy":
      case "NotDue":
      case "Finished":
        return claimed
    }
  })

  return JobRecorder.of({ commit, claim, republish })
})

const isUnavailable = (error: unknown): error is JobStoreUnavailable =>
  typeof error === "object" && error !== null && "_tag" in error && error._tag === "JobStoreUnavailable"
