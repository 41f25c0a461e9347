import * as Context from "effect/Context"
import * as DateTime from "effect/DateTime"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { containersFor, type EncodeArray, oneContainer } from "./EncodeArray.ts"
import { EncodeRuntime, type EncodeRuntimeUnavailable, type SubmissionUncertain } from "./EncodeRuntime.ts"
import type { Job } from "./Job.ts"
import { JobMessage, JobQueue, type QueueUnavailable } from "./JobQueue.ts"
import { JobStore, type JobStoreUnavailable, type Undispatched } from "./JobStore.ts"

export type DispatchFailure = EncodeRuntimeUnavailable | SubmissionUncertain | QueueUnavailable | JobStoreUnavailable

/** A job that was just committed, as the dispatcher wants it. */
export const undispatched = (job: Job): Undispatched => ({
  tenantId: job.tenantId,
  jobId: job.id,
  kind: job.kind,
  tier: job.tier,
  attempt: job.attempt,
  submissions: job.submissions,
  payload: job.payload,
  createdAt: job.createdAt
})

/** `Left`: nothing was to be done, or not yet; the job moved on, or an earlier submission of it is still open. */
export type Dispatched = "Dispatched" | "Left"

/**
 * Hands committed jobs over: encodes to the encode runtime, everything else to the queue; then notes it in the row.
 *
 * Always after the commit (INCIDENTS.md, 35). Nothing depends on its success: a job that was not handed over, or whose
 * note was lost, is found by the sweep. A message that was sent twice is claimed once; a run is submitted once (see
 * `Submission`).
 */
export class JobDispatcher extends Context.Service<JobDispatcher, {
  readonly dispatch: (job: Undispatched) => Effect.Effect<Dispatched, DispatchFailure>
  /** As `dispatch`, for a request that has done its part with the commit: a failure is logged and left to the sweep. */
  readonly dispatchSoon: (job: Undispatched) => Effect.Effect<"Dispatched" | "LeftToSweep">
}>()("@lectern/domain/JobDispatcher") {
  /** `array` says in how many containers an encode is asked for. */
  static readonly layerWith = (
    array: EncodeArray
  ): Layer.Layer<JobDispatcher, never, JobStore | EncodeRuntime | JobQueue> =>
    Layer.effect(
      JobDispatcher,
      Effect.gen(function*() {
        const store = yield* JobStore
        const runtime = yield* EncodeRuntime
        const queue = yield* JobQueue

        const send = Effect.fnUntraced(function*(job: Undispatched) {
          const messageId = yield* queue.send(
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
          yield* store.markDispatched(job, job.attempt, messageId)
        })

        const endSecondRun = (runId: string) => runtime.terminate(runId, "Submitted a second time")

        const recordRun = Effect.fnUntraced(function*(job: Undispatched, submission: number, runId: string) {
          const recorded = yield* store.recordSubmission(job, submission, runId)
          if (recorded === "Superseded") yield* endSecondRun(runId)
          return recorded === "Recorded" ? "Dispatched" : "Left"
        })

        /** Asked for before a submission is opened: an answer may be lost, and one that is open has to wait. */
        const containersOf = (job: Undispatched): Effect.Effect<number, JobStoreUnavailable> =>
          array.mostContainers === 1 ? Effect.succeed(1) : store.getJob(job.tenantId, job.jobId).pipe(
            Effect.map(({ video }) => containersFor(array, video?.fileSize ?? null)),
            // What opens the submission finds that out by itself.
            Effect.catchTag("JobNotFound", () => Effect.succeed(1))
          )

        /** Asks for a run. What the runtime refused, the next one need not look for. */
        const ask = Effect.fnUntraced(function*(job: Undispatched, submission: number, containers: number) {
          const runId = yield* runtime.submit({
            tenantId: job.tenantId,
            jobId: job.jobId,
            submission,
            ...(containers === 1 ? {} : { arraySize: containers })
          }).pipe(
            Effect.tapErrorTag("EncodeRuntimeUnavailable", () => store.dropSubmission(job, submission))
          )
          return yield* recordRun(job, submission, runId)
        })

        const submit = Effect.fnUntraced(function*(job: Undispatched): Effect.fn.Return<Dispatched, DispatchFailure> {
          const containers = yield* containersOf(job)
          const begun = yield* store.beginSubmission(job, job, runtime.findableAfterMillis)
          switch (begun._tag) {
            case "Quiet":
            case "MovedOn":
              return "Left"
            case "Submit":
              return yield* ask(job, begun.submission, containers)
            case "Find": {
              const [run, ...others] = yield* runtime.find({
                tenantId: job.tenantId,
                jobId: job.jobId,
                submission: begun.submission
              })
              if (run === undefined) return yield* ask(job, begun.submission, containers)
              yield* Effect.forEach(others, endSecondRun, { discard: true })
              return yield* recordRun(job, begun.submission, run)
            }
          }
        })

        const dispatch = Effect.fn("JobDispatcher.dispatch")(function*(job: Undispatched) {
          yield* Effect.annotateCurrentSpan({ tenant: job.tenantId, job: job.jobId, kind: job.kind })
          if (job.kind === "video_encode") return yield* submit(job)
          yield* send(job)
          return "Dispatched"
        })

        const dispatchSoon = (job: Undispatched) =>
          dispatch(job).pipe(
            Effect.map((dispatched) => dispatched === "Dispatched" ? dispatched : "LeftToSweep"),
            Effect.catchTags({
              EncodeRuntimeUnavailable: leave(job),
              SubmissionUncertain: leave(job),
              QueueUnavailable: leave(job),
              JobStoreUnavailable: leave(job)
            })
          )

        return JobDispatcher.of({ dispatch, dispatchSoon })
      })
    )

  /** One container for each encode. */
  static readonly layer: Layer.Layer<JobDispatcher, never, JobStore | EncodeRuntime | JobQueue> =
    JobDispatcher.layerWith(oneContainer)
}

const leave = (job: Undispatched) => (failure: DispatchFailure): Effect.Effect<"LeftToSweep"> =>
  Effect.logWarning("A job was not handed over and is left to the sweep", {
    tenant: job.tenantId,
    job: job.jobId,
    kind: job.kind,
    error: failure.message
  }).pipe(Effect.as("LeftToSweep" as const))
