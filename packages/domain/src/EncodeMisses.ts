import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type { JobRef, JobStoreUnavailable } from "./JobStore.ts"

/** An encode that its runtime did not know when it was asked for run `externalId`. */
export interface MissedRun extends JobRef {
  readonly externalId: string
}

/** How often a run was asked for and not known, in a row. */
export interface Misses {
  readonly count: number
  /** Milliseconds from the first of them to now, by the database's clock. */
  readonly sinceMillis: number
}

/**
 * Remembers between reconciliations, and between the processes that reconcile, which runs their runtime did not know. One
 * answer is no proof: a run that was just submitted may not be known yet, and one that ended days ago is not any more.
 */
export class EncodeMisses extends Context.Service<EncodeMisses, {
  /** Notes one more miss and answers with all of this run; another run of the same job begins anew. */
  readonly note: (run: MissedRun) => Effect.Effect<Misses, JobStoreUnavailable>
  /** The run was found, or what its absence meant has been done; harmless where nothing was noted. */
  readonly forget: (ref: JobRef) => Effect.Effect<void, JobStoreUnavailable>
}>()("@lectern/domain/EncodeMisses") {}
