import { Effect, Fiber } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { ConnectionError, isSqlError, SqlError } from "effect/sql/SqlError"
import { connectionLimits } from "./connectionLimits.ts"

/**
 * One transaction, with an end to the wait for it.
 *
 * Effect's own turns a rollback that fails into a defect; on a lost connection it always does, and the defect would
 * hide that the database is away.
 */
export const withTransaction = <A, E, R>(
  sql: SqlClient,
  work: Effect.Effect<A, E, R>,
  limit: { readonly millis: number } = { millis: connectionLimits.transaction }
): Effect.Effect<A, E | SqlError, R> =>
  withinLimit(
    Effect.catchDefect(sql.withTransaction(work), (defect): Effect.Effect<never, SqlError> =>
      isSqlError(defect) ? Effect.fail(defect) : Effect.die(defect)),
    limit.millis
  )

/**
 * Fails when `work` has not ended within `millis`: for a server or a network that went silent.
 *
 * The work is a fiber of its own, because its clean-up (a cancel, a rollback) waits for the same silence. It is told
 * to stop, not waited for, and ends with its connection. A caller that is interrupted does wait, within the same
 * limit.
 */
export const withinLimit = <A, E, R>(
  work: Effect.Effect<A, E, R>,
  millis: number = connectionLimits.transaction
): Effect.Effect<A, E | SqlError, R> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Effect.forkDetach(restore(work)), (fiber) =>
      restore(Effect.timeoutOrElse(Fiber.join(fiber), {
        duration: millis,
        orElse: () => Effect.andThen(Effect.sync(() => fiber.interruptUnsafe()), Effect.fail(silent(millis)))
      })).pipe(
        Effect.onInterrupt(() => Effect.timeoutOption(Fiber.interrupt(fiber), millis))
      ))
  )

const silent = (millis: number): SqlError => {
  const message = `The database gave no answer within ${millis} ms`
  return new SqlError({ reason: new ConnectionError({ cause: new Error(message), message, operation: "wait" }) })
}
