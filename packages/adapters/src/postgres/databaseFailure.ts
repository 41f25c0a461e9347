import { JobStoreUnavailable } from "@lectern/domain"
import { Effect, Schedule, Schema } from "effect"
import { isSqlError, type SqlError } from "effect/sql/SqlError"
import { endsSession, sqlStateOf } from "./sqlErrorReason.ts"

/**
 * What the server refuses for now: no room for one more (53), being asked by an operator to wait (57), read-only
 * after a failover.
 */
const passes = (state: string): boolean => endsSession(state) || state.startsWith("53") || state === "25006"

/** Whether the same call may succeed later. */
export const isRetryable = (error: SqlError): boolean => {
  if (error.isRetryable) return true
  const state = sqlStateOf(error)
  return state !== undefined && passes(state)
}

/** The one place where a failure of SQL becomes the port's. A row that does not decode is nothing that time mends. */
export const databaseFailure = (operation: string) => (error: SqlError | Schema.SchemaError): JobStoreUnavailable =>
  new JobStoreUnavailable({
    operation,
    retryable: error._tag === "SqlError" && isRetryable(error),
    cause: error
  })

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
