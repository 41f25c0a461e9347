import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { EncodeRuntime, type EncodeRuntimeUnavailable } from "./EncodeRuntime.ts"
import type { Job } from "./Job.ts"
import { JobMessage, JobQueue, type QueueUnavailable } from "./JobQueue.ts"
import { JobStore, type JobStoreUnavailable, type Undispatched } from "./JobStore.ts"

export type DispatchFailure = EncodeRuntimeUnavailable | QueueUnavailable | JobStoreUnavailable

/** A job that was just committed, as the dispatcher wants it. */
export const undispatched = (job: Job): Undispatched => ({
  tenantId: job.tenantId,
  jobId: job.id,
  kind: job.kind,
  tier: job.tier,
  attempt: job.attempt,
  payload: job.payload,
  createdAt: job.createdAt
})

/**
 * Hands committed jobs over: encodes to the encode runtime, everything else to the queue; then notes it in the row.
 *
 * Always after the commit (INCIDENTS.md, 35). Nothing depends on its success: a job that was not handed over, or whose note
 * was lost, is found by the sweep, and one that was handed over twice is claimed once.
 */
export class JobDispatcher extends Context.Service<JobDispatcher, {
  readonly dispatch: (job: Undispatched) => Effect.Effect<void, DispatchFailure>
  /** As `dispatch`, for a request that has done its part with the commit: a failure is logged and left to the sweep. */
  readonly dispatchSoon: (job: Undispatched) => Effect.Effect<"Dispatched" | "LeftToSweep">
}>()("@lectern/domain/JobDispatcher") {
  static readonly layer: Layer.Layer<JobDispatcher, never, JobStore | EncodeRuntime | JobQueue> = Layer.effect(
    JobDispatcher,
    Effect.gen(function*() {
      const store = yield* JobStore
      const runtime = yield* EncodeRuntime
      const queue = yield* JobQueue

      const dispatch = Effect.fn("JobDispatcher.dispatch")(function*(job: Undispatched) {
        yield* Effect.annotateCurrentSpan({ tenant: job.tenantId, job: job.jobId, kind: job.kind })
        const externalId = job.kind === "video_encode"
          ? yield* runtime.submit(job)
          : yield* queue.send(
            new JobMessage({
              job_id: job.jobId,
              job_type: job.kind,
              tier: job.tier,
              tenant_id: job.tenantId,
              payload: job.payload,
              created_at: DateTime.formatIso(DateTime.makeUnsafe(job.createdAt)),
              attempt: job.attempt + 1
            })
          )
        yield* store.markDispatched(job, job.attempt, externalId)
      })

      const dispatchSoon = (job: Undispatched) =>
        dispatch(job).pipe(
          Effect.as("Dispatched" as const),
          Effect.catchTags({
            EncodeRuntimeUnavailable: leave(job),
            QueueUnavailable: leave(job),
            JobStoreUnavailable: leave(job)
          })
        )

      return JobDispatcher.of({ dispatch, dispatchSoon })
    })
  )
}

const leave = (job: Undispatched) => (failure: DispatchFailure): Effect.Effect<"LeftToSweep"> =>
  Effect.logWarning("A job was not handed over and is left to the sweep", {
    tenant: job.tenantId,
    job: job.jobId,
    kind: job.kind,
    error: failure.message
  }).pipe(Effect.as("LeftToSweep" as const))
