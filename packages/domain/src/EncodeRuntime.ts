import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { JobRef } from "./JobStore.ts"

/** The runtime refused or could not be asked. Nothing came of the call. */
export class EncodeRuntimeUnavailable extends Schema.TaggedError<EncodeRuntimeUnavailable>()(
  "EncodeRuntimeUnavailable",
  { operation: Schema.String, retryable: Schema.Boolean, cause: Schema.Defect() }
) {
  override get message(): string {
    return `Cannot ${this.operation}: the encode runtime is unavailable`
  }
}

/** The answer to a submission was lost: there may be a run, or none. Never ask again before looking for it. */
export class SubmissionUncertain extends Schema.TaggedError<SubmissionUncertain>()("SubmissionUncertain", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Cannot tell whether the encode runtime did ${this.operation}: its answer was lost`
  }
}

/** What the runtime itself says of a run, word for word: it forgets, and a termination overwrites it. */
export interface RunWords {
  readonly status: string
  readonly statusReason: string | null
  readonly containerReason: string | null
  readonly exitCode: number | null
  readonly logStream: string | null
}

/**
 * `Unknown` is no answer: nothing may be concluded from it. `Ended` says that the container is gone, `Vanished` that the
 * run went with the machine that kept it, which is nobody's failure.
 */
export type EncodeRunState =
  & (
    | { readonly _tag: "Waiting" }
    | { readonly _tag: "Running" }
    | { readonly _tag: "Ended"; readonly exitCode: number | null; readonly reason: string }
    | { readonly _tag: "Vanished"; readonly reason: string }
    | { readonly _tag: "Unknown" }
  )
  & { readonly words?: RunWords }

/** One run that is asked for: the job, and the number of the wish (see `Submission`). */
export interface EncodeSubmission extends JobRef {
  readonly submission: number
  /**
   * In how many containers the run works on the job together, 2 to 10,000; one where it is not given. A runtime whose runs
   * share one machine makes one of them all the same: they would only take it from each other.
   */
  readonly arraySize?: number
}

/** A run that is at work now, and the wish that it came of. */
export interface RunAtWork extends JobRef {
  readonly runId: string
  readonly submission: number
}

/** Where encodes run: AWS Batch, or child processes of this one. One submission is one run of the worker's program. */
export class EncodeRuntime extends Context.Service<EncodeRuntime, {
  /** Milliseconds after which `find` knows of every run that was submitted before. */
  readonly findableAfterMillis: number
  /** Answers the runtime's id of the run. It is asked once, and never again by itself where the answer is lost. */
  readonly submit: (
    submission: EncodeSubmission
  ) => Effect.Effect<string, EncodeRuntimeUnavailable | SubmissionUncertain>
  /** The runs of exactly this submission, those that have not ended first; none where there is no trace of one. */
  readonly find: (submission: EncodeSubmission) => Effect.Effect<ReadonlyArray<string>, EncodeRuntimeUnavailable>
  /** The state of each run, by its id; an id without an answer is `Unknown`. */
  readonly describe: (
    externalIds: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyMap<string, EncodeRunState>, EncodeRuntimeUnavailable>
  /** The runs of anybody's submissions that are at work now and were not told to stop; those that wait are none of them. */
  readonly atWork: Effect.Effect<ReadonlyArray<RunAtWork>, EncodeRuntimeUnavailable>
  /**
   * Stops a run that waits or runs, all containers of it; harmless when it has ended. It does not wait for the end.
   */
  readonly terminate: (externalId: string, reason: string) => Effect.Effect<void, EncodeRuntimeUnavailable>
}>()("@lectern/domain/EncodeRuntime") {}
