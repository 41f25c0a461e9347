import { layerFor, RunHistoryPostgres } from "@lectern/adapters/postgres"
import { RunHistory } from "@lectern/domain"
import { type Evidence, seenRuns } from "@lectern/worker-video/doctor"
import { Effect, Layer, Redacted } from "effect"

/**
 * Evidence with what our database kept of what Batch said before, for a job by its id or a run's; what is seen now is
 * kept as well. Without `DATABASE_URL` there is nothing to add, and a database that is away is part of the evidence.
 */
export const withHistory = (
  evidence: Evidence,
  jobOrRun: string,
  variables: Readonly<Record<string, string | undefined>>
): Effect.Effect<Evidence> => {
  const url = variables["DATABASE_URL"]?.trim()
  if (url === undefined || url === "") return Effect.succeed(evidence)
  return Effect.gen(function*() {
    const kept = yield* RunHistory
    yield* kept.note(seenRuns(evidence))
    return { ...evidence, history: yield* kept.of(jobOrRun) }
  }).pipe(
    Effect.provide(RunHistoryPostgres.layer.pipe(Layer.provide(layerFor(Redacted.make(url))))),
    Effect.catch((error) =>
      Effect.succeed<Evidence>({
        ...evidence,
        missing: [
          ...(evidence.missing ?? []),
          { call: "our history", kind: "unreachable", fault: error._tag, message: "the database did not answer" }
        ]
      })
    )
  )
}
