import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type { LeaseLost } from "./Job.ts"
import type { JobRun } from "./JobRecorder.ts"
import type { JobNotFound } from "./JobStore.ts"

/** Work that moves asks so often whether it is still wanted, in milliseconds: a cancellation is heard within that. */
export const longestDeafnessMillis = 5_000

/**
 * Runs work that says `pulse` whenever it has moved.
 *
 * A pulse renews the lease, four times per lease at the most or every five seconds if that is more often, so that work which
 * stands still loses it (INCIDENTS.md, 22), and work that nobody wants any more hears of it (INCIDENTS.md, 21). When the lease is lost the work is interrupted and the loss is the result. A heartbeat that the database did not take is
 * logged, and the next pulse tries again (INCIDENTS.md, 23).
 */
export const holdLease = <A, E, R>(
  run: JobRun,
  leaseMillis: number,
  work: (pulse: Effect.Effect<void>) => Effect.Effect<A, E, R>
): Effect.Effect<A, E | LeaseLost | JobNotFound, R> =>
  Effect.gen(function*() {
    const lost = yield* Deferred.make<never, LeaseLost | JobNotFound>()
    let renewedAt = yield* Clock.currentTimeMillis
    let renewing = false
    const renewAfter = Math.min(leaseMillis / 4, longestDeafnessMillis)

    const renew = Effect.gen(function*() {
      renewing = true
      const startedAt = yield* Clock.currentTimeMillis
      yield* run.heartbeat
      renewedAt = startedAt
    }).pipe(
      Effect.timeout(leaseMillis / 4),
      Effect.catchTags({
        LeaseLost: (error) => Deferred.fail(lost, error),
        JobNotFound: (error) => Deferred.fail(lost, error),
        JobStoreUnavailable: (error) => missed(error.message),
        TimeoutError: () => missed("Cannot renew the lease: the database did not answer in time")
      }),
      Effect.ensuring(Effect.sync(() => {
        renewing = false
      }))
    )

    const pulse = Effect.flatMap(Clock.currentTimeMillis, (now) =>
      renewing || now - renewedAt < renewAfter ? Effect.void : renew)

    return yield* Effect.raceFirst(work(pulse), Deferred.await(lost))
  })

const missed = (error: string): Effect.Effect<void> => Effect.logWarning("A heartbeat was not taken", { error })
