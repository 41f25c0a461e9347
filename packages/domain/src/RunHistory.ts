import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { EpochMillis } from "./Epoch.ts"
import type { EncodeRunState, RunWords } from "./EncodeRuntime.ts"
import type { JobRef, JobStoreUnavailable } from "./JobStore.ts"

/** A run of a job, as its runtime described it just now. */
export interface RunSighting extends JobRef {
  readonly runId: string
  readonly words: RunWords
}

/** What there is to note after runs were asked for. */
export const sightingsOf = (
  rows: ReadonlyArray<JobRef & { readonly externalId: string }>,
  states: ReadonlyMap<string, EncodeRunState>
): ReadonlyArray<RunSighting> =>
  rows.flatMap(({ externalId, jobId, tenantId }) => {
    const words = states.get(externalId)?.words
    return words === undefined ? [] : [{ tenantId, jobId, runId: externalId, words }]
  })

/** What a runtime said of a run, and from when until when it was seen to say so. */
export class SeenWords extends Schema.Class<SeenWords>("@lectern/domain/SeenWords")({
  runId: Schema.String,
  status: Schema.String,
  statusReason: Schema.NullOr(Schema.String),
  containerReason: Schema.NullOr(Schema.String),
  exitCode: Schema.NullOr(Schema.Int),
  logStream: Schema.NullOr(Schema.String),
  firstSeenAt: EpochMillis,
  lastSeenAt: EpochMillis
}) {}

/** How long something is kept after it was last seen, in milliseconds: Batch itself forgets after some days. */
export const runHistoryKeptMillis = 90 * 24 * 3_600_000
/** So many different things are kept of one run; a run that says more is told apart no further. */
export const wordsKeptOfARun = 50
/** Said again within so many milliseconds, it is not written again: sweeps ask every few seconds. */
export const runHistoryRestMillis = 5 * 60_000

/**
 * What the encode runtime said of the runs: it forgets them, and a termination overwrites the reason that led to it.
 * Kept with the job and removed with it.
 */
export class RunHistory extends Context.Service<RunHistory, {
  /** Notes what was seen; what was seen before only lasts longer. A job that is gone has no history. */
  readonly note: (sightings: ReadonlyArray<RunSighting>) => Effect.Effect<void, JobStoreUnavailable>
  /** Everything about a job's runs, or about one run, by the id of either, as it was first seen. All tenants. */
  readonly of: (jobOrRun: string) => Effect.Effect<ReadonlyArray<SeenWords>, JobStoreUnavailable>
}>()("@lectern/domain/RunHistory") {}
