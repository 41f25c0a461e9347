import { type JobStoreFault, JobStoreUnavailable } from "@lectern/domain"
import { Effect, Schedule, Schema } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { endsSession, sqlStateOf } from "./sqlErrorReason.ts"

/**
 * What says nothing of the call: no room for one more (53), nobody let in (28, 3D), an operator to wait for (57), a
 * server that is read-only after a failover.
 */
const isAway = (state: string): boolean => endsSession(state) || /^(?:28|3D|53)/.test(state) || state === "25006"

/** A value that the type or the encoding does not have (22), or more of it than an index or a statement takes (54). */
const isOfValue = (state: string): boolean => /^(?:22|54)/.test(state)

/** What a failure of SQL is to the port. A row that does not decode is nothing that time mends. */
export const databaseFault = (error: SqlError | Schema.SchemaError): JobStoreFault => {
  if (error._tag === "SchemaError") return "bug"
  if (error.isRetryable) return "away"
  const state = sqlStateOf(error)
  if (state === undefined) return "bug"
  return isAway(state) ? "away" : isOfValue(state) ? "value" : "bug"
}

/** The one place where a failure of SQL becomes the port's. */
const databaseFailure = (operation: string) => (error: SqlError | Schema.SchemaError): JobStoreUnavailable =>
  new JobStoreUnavailable({ operation, reason: databaseFault(error), cause: error })

const isCollision = (error: unknown): boolean =>
  isSqlError(error) && (error.reason._tag === "DeadlockError" || error.reason._tag === "SerializationError")

/**
 * Runs a transaction again that the database ended because of another one, three times at most. A lost connection is
 * not tried again here: whether the commit came through is not known, and the caller decides.
 */
export const retryCollisions = <A, E, R>(
  transaction: Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.retry(transaction, {
    times: 3,
    schedule: Schedule.jittered(Schedule.exponential("10 millis")),
    while: isCollision
  })

type DatabaseError = SqlError | Schema.SchemaError

const isDatabaseError = (error: unknown): error is DatabaseError => isSqlError(error) || Schema.isSchemaError(error)

/** Leaves a caller with the port's failures alone. */
export const unavailableWhen = (operation: string) => <A, E, R>(effect: Effect.Effect<A, E | DatabaseError, R>) =>
  Effect.catchIf(effect, isDatabaseError, (error) => Effect.fail(databaseFailure(operation)(error)))
