import { isTerminal, type JobRef, JobStore, ObjectStore } from "@lectern/domain"
import { Effect, Schedule } from "effect"
import { Encoder } from "./encoder/index.ts"
import { ExitCode } from "./ExitCode.ts"
import { makeKeptParts } from "./KeptParts.ts"
import { downloadRaw } from "./rawDownload.ts"
import { workDirectory } from "./workDirectory.ts"

export interface EncodeHelpOptions {
  /** Names this helper among those who encode the same video. */
  readonly partsOwner: string
  readonly leaseMillis: number
  readonly workRoot: string
}

/** How soon a helper stops that nobody needs any more. */
const lookEvery = "5 seconds"

/**
 * Helps with an encode whose job somebody else holds: encodes parts as long as there are free ones, and writes neither
 * to the job nor to its mirror. Ends early when the job has ended. What goes wrong here is no failure of the job.
 */
export const helpEncode = Effect.fn("EncodeHelp.help")(function*(ref: JobRef, options: EncodeHelpOptions) {
  const store = yield* JobStore
  const encoder = yield* Encoder
  const objects = yield* ObjectStore

  const ended = store.getJob(ref.tenantId, ref.jobId).pipe(
    Effect.map(({ job }) => isTerminal(job.status)),
    Effect.catchTags({
      JobNotFound: () => Effect.succeed(true),
      // Nothing is known: the work goes on.
      JobStoreUnavailable: () => Effect.succeed(false)
    }),
    Effect.repeat({ until: (over) => over, schedule: Schedule.spaced(lookEvery) })
  )

  const help = Effect.gen(function*() {
    const { video } = yield* store.getJob(ref.tenantId, ref.jobId)
    if (video === null) return ExitCode.done
    const work = yield* workDirectory(options.workRoot)
    const input = `${work}/input`
    const { etag } = yield* objects.head(video.fileKey)
    yield* downloadRaw(video.fileKey, input, () => Effect.void)
    const { keep } = yield* makeKeptParts({
      tenantId: video.tenantId,
      videoId: video.id,
      owner: options.partsOwner,
      leaseMillis: options.leaseMillis,
      onFile: Effect.void
    })
    yield* encoder.encodeFreeParts({ input, source: etag, keep, onProgress: () => Effect.void })
    yield* Effect.logInfo("No part is free any more")
    return ExitCode.done
  }).pipe(
    Effect.scoped,
    Effect.catchTags({
      EncodeClosed: (error) => Effect.as(Effect.logInfo(error.message), ExitCode.done),
      JobNotFound: (error) => Effect.as(Effect.logInfo(error.message), ExitCode.done),
      // Whoever holds the job finds the same, and says so.
      MediaRejected: (error) => Effect.as(Effect.logWarning(error.message), ExitCode.done)
    }),
    Effect.catch((error) => Effect.as(Effect.logError("The help failed", { error: error.message }), ExitCode.temporary))
  )

  return yield* Effect.raceFirst(
    help,
    Effect.as(Effect.andThen(ended, Effect.logInfo("The job has ended")), ExitCode.done)
  )
})
