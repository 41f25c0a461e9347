import { Deferred, Effect, Fiber, Option, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"

const decodeTaken = Schema.decodeUnknownEffect(Schema.Tuple([Schema.Struct({ taken: Schema.Boolean })]))

/**
 * Runs `work` unless somebody else, on whatever machine, runs work of the same `name` on this database now: then it answers
 * `None` at once. The lock is an advisory one of a transaction, because a pooler gives each transaction another session; the
 * transaction is held by a fiber of its own, so that what `work` writes is committed by itself.
 *
 * Should the connection that holds the lock be lost, `work` goes on and others may begin: it must be harmless beside itself.
 */
export const singleFlight = <A, E, R>(
  name: string,
  work: Effect.Effect<A, E, R>
): Effect.Effect<Option.Option<A>, E | SqlError | Schema.SchemaError, R | SqlClient> =>
  Effect.scoped(Effect.gen(function*() {
    const sql = yield* SqlClient
    const taken = yield* Deferred.make<boolean, SqlError | Schema.SchemaError>()
    const done = yield* Deferred.make<void>()
    const holder = yield* sql.withTransaction(
      Effect.gen(function*() {
        // It is idle for as long as the work takes.
        yield* sql`SET LOCAL idle_in_transaction_session_timeout = 0`
        const [answer] = yield* decodeTaken(
          yield* sql`SELECT pg_try_advisory_xact_lock(hashtext('lectern'), hashtext(${name})) AS taken`
        )
        yield* Deferred.succeed(taken, answer.taken)
        if (answer.taken) yield* Deferred.await(done)
      })
    ).pipe(
      Effect.onExit((exit) => exit._tag === "Failure" ? Deferred.failCause(taken, exit.cause) : Effect.void),
      Effect.forkScoped
    )
    if (!(yield* Deferred.await(taken))) return Option.none()
    return yield* work.pipe(
      Effect.map(Option.some),
      Effect.ensuring(Effect.andThen(Deferred.succeed(done, undefined), Fiber.await(holder)))
    )
  }))
