import { EncodeRuntime, isSuperseded, JobStore, type RunAtWork } from "@lectern/domain"
import { Effect } from "effect"

export interface SupersededRuns {
  /** Runs that were told to stop. */
  readonly terminated: number
  /** What could not be done now, as sentences. */
  readonly failures: ReadonlyArray<string>
}

const reasonFor = ({ submission }: RunAtWork, current: string): string =>
  `Superseded: submission ${submission} lost its job, which run ${current} was submitted for since`

/**
 * Ends the runs that go on although their job has moved on to a later submission: a container that hangs is fenced by
 * its lease, but runs, and costs, until Batch's time limit.
 *
 * The row decides, read for each run just before it is ended. A job that this database does not have is somebody
 * else's. A run that comes to hold its job in between is told to stop with SIGTERM and gives the job back, which counts
 * no failure. Nothing is written: what cannot be asked or ended now is left to the next time.
 */
export const endSupersededRuns = Effect.gen(function*() {
  const store = yield* JobStore
  const runtime = yield* EncodeRuntime

  const end = Effect.fnUntraced(function*(run: RunAtWork) {
    const { job } = yield* store.getJob(run.tenantId, run.jobId)
    if (job.externalId === null || !isSuperseded(job, run)) return "Left" as const
    yield* runtime.terminate(run.runId, reasonFor(run, job.externalId))
    yield* Effect.logInfo("A superseded run was ended", { tenant: run.tenantId, job: run.jobId, run: run.runId })
    return "Terminated" as const
  })

  const outcomes = yield* Effect.forEach(yield* runtime.atWork, (run) =>
    Effect.catchTags(end(run), {
      JobNotFound: () => Effect.succeed("Left" as const),
      JobStoreUnavailable: (error) => Effect.succeed({ failure: error.message }),
      EncodeRuntimeUnavailable: (error) => Effect.succeed({ failure: error.message })
    }))
  return {
    terminated: outcomes.filter((it) => it === "Terminated").length,
    failures: outcomes.flatMap((it) => typeof it === "string" ? [] : [it.failure])
  } satisfies SupersededRuns
}).pipe(
  Effect.catchTag("EncodeRuntimeUnavailable", (error) =>
    Effect.succeed<SupersededRuns>({ terminated: 0, failures: [error.message] })),
  Effect.withSpan("Operations.endSupersededRuns")
)
