import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { EncodeRuntime, type EncodeRunState } from "../EncodeRuntime.ts"
import type { JobRef } from "../JobStore.ts"

export interface EncodeRunInMemory {
  readonly externalId: string
  readonly job: JobRef
  readonly submission: number
  /** How many containers it was asked for in. */
  readonly containers: number
  readonly state: EncodeRunState
}

/** The runs that were submitted to a runtime in memory, and the hand that moves them: nothing runs by itself. */
export class EncodeRuns extends Context.Service<EncodeRuns, {
  readonly all: Effect.Effect<ReadonlyArray<EncodeRunInMemory>>
  /** What `describe` answers of a run from now on. */
  readonly become: (externalId: string, state: EncodeRunState) => Effect.Effect<void>
}>()("@lectern/domain/testing/EncodeRuns") {}

/** A minute, so that a test can stand on either side of it. */
const findableAfterMillis = 60_000

/** An encode runtime that only keeps the books: a submitted run waits until a test moves it, a terminated one has ended. */
export const layer: Layer.Layer<EncodeRuntime | EncodeRuns> = Layer.effectContext(Effect.sync(() => {
  const runs = new Map<string, EncodeRunInMemory>()

  const become = (externalId: string, state: EncodeRunState) =>
    Effect.sync(() => {
      const run = runs.get(externalId)
      if (run !== undefined) runs.set(externalId, { ...run, state })
    })

  return Context.make(
    EncodeRuntime,
    EncodeRuntime.of({
      findableAfterMillis,
      submit: (job) =>
        Effect.sync(() => {
          const externalId = `run-${runs.size + 1}`
          runs.set(externalId, {
            externalId,
            job: { tenantId: job.tenantId, jobId: job.jobId },
            submission: job.submission,
            containers: job.arraySize ?? 1,
            state: { _tag: "Waiting" }
          })
          return externalId
        }),
      find: ({ jobId, submission, tenantId }) =>
        Effect.sync(() =>
          [...runs.values()]
            .filter((run) => run.job.tenantId === tenantId && run.job.jobId === jobId && run.submission === submission)
            .toSorted((a, b) => Number(a.state._tag === "Ended") - Number(b.state._tag === "Ended"))
            .map(({ externalId }) => externalId)
        ),
      describe: (externalIds) =>
        Effect.sync(() => {
          const states = externalIds.map((id): [string, EncodeRunState] => [id, runs.get(id)?.state ?? { _tag: "Unknown" }])
          return new Map(states)
        }),
      atWork: Effect.sync(() =>
        [...runs.values()]
          .filter(({ state }) => state._tag === "Running")
          .map(({ externalId, job, submission }) => ({ ...job, runId: externalId, submission }))
      ),
      terminate: (externalId, reason) =>
        Effect.suspend(() =>
          runs.get(externalId)?.state._tag === "Ended"
            ? Effect.void
            : become(externalId, { _tag: "Ended", exitCode: null, reason })
        )
    })
  ).pipe(Context.add(EncodeRuns, EncodeRuns.of({ all: Effect.sync(() => [...runs.values()]), become })))
}))
