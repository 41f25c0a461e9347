import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { JobRef } from "./JobStore.ts"

export class EncodeRuntimeUnavailable extends Schema.TaggedError<EncodeRuntimeUnavailable>()("EncodeRuntimeUnavailable", {
  operation: Schema.String,
  retryable: Schema.Boolean,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Cannot ${this.operation}: the encode runtime is unavailable`
  }
}

/**
 * `Unknown` is no answer: nothing may be concluded from it. Only `Ended` says that the container is gone.
 */
export type EncodeRunState =
  | { readonly _tag: "Waiting" }
  | { readonly _tag: "Running" }
  | { readonly _tag: "Ended"; readonly exitCode: number | null; readonly reason: string }
  | { readonly _tag: "Unknown" }

/** Where encodes run: AWS Batch, or child processes of this one. One submission is one run of the worker's program. */
export class EncodeRuntime extends Context.Service<EncodeRuntime, {
  /** Answers the runtime's id of the run. */
  readonly submit: (job: JobRef) => Effect.Effect<string, EncodeRuntimeUnavailable>
  /** The state of each run, by its id; an id without an answer is `Unknown`. */
  readonly describe: (
    externalIds: ReadonlyArray<string>
  ) => Effect.Effect<ReadonlyMap<string, EncodeRunState>, EncodeRuntimeUnavailable>
  /** Stops a run that waits or runs; harmless when it has ended. It does not wait for the end. */
  readonly terminate: (externalId: string, reason: string) => Effect.Effect<void, EncodeRuntimeUnavailable>
}>()("@lectern/domain/EncodeRuntime") {}
