import { MessageLedger } from "@lectern/domain"
import { Effect, Schedule } from "effect"

const every = "1 hour"

/**
 * Removes the addresses and texts of jobs that ended longer ago than they are kept, every hour. Processes may overlap.
 */
export const forgetMessages = (retentionMillis: number): Effect.Effect<never, never, MessageLedger> =>
  Effect.gen(function*() {
    const ledger = yield* MessageLedger
    const forget = ledger.purge(retentionMillis).pipe(
      Effect.flatMap((messages) =>
        messages === 0 ? Effect.void : Effect.logInfo("Old messages were forgotten", { messages })),
      Effect.catchTag("JobStoreUnavailable", (error) =>
        Effect.logWarning("Old messages are kept until the database answers", { error: error.message }))
    )
    yield* Effect.repeat(forget, Schedule.spaced(every))
    return yield* Effect.never
  })
