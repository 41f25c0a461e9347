import { Effect, Layer, Predicate, type Scope, Stream } from "effect"
import * as Reactivity from "effect/reactivity/Reactivity"
import * as SqlClient from "effect/sql/SqlClient"
import type { Connection } from "effect/sql/SqlConnection"
import { SqlError } from "effect/sql/SqlError"
import * as Statement from "effect/sql/Statement"
import { sqlErrorReason } from "./sqlErrorReason.ts"

/** One Postgres session, as every driver of the field offers it: `$1` placeholders, one statement per query. */
export interface SqlSession {
  /**
   * Rejects with whatever the driver rejects with; an error of the database has its SQLSTATE in `code`. `rowMode`
   * says whether a row is an object by column name or an array in the order of the columns.
   */
  query(
    text: string,
    values: ReadonlyArray<unknown>,
    rowMode: "object" | "array"
  ): Promise<{ readonly rows: ReadonlyArray<unknown> }>
}

export interface SqlSessionsOptions {
  /**
   * A session of one's own, given back when the scope closes. Asked for once per statement or transaction. It may
   * come back with a transaction open and a query under way, when its user was interrupted: to end both is the
   * giver's part.
   */
  readonly acquire: Effect.Effect<SqlSession, SqlError, Scope.Scope>
  /** The name that traces show. */
  readonly driver: string
}

/** A SqlClient over sessions that something else holds: a pool, one embedded database, another process. */
export const layerSqlSessions = (options: SqlSessionsOptions): Layer.Layer<SqlClient.SqlClient> =>
  Layer.effect(
    SqlClient.SqlClient,
    Effect.gen(function*() {
      /**
       * Sessions that are known to be gone: there is nothing to roll back on them, and asking would hide the first
       * error.
       */
      const lost = new WeakSet<Connection>()
      const acquirer = Effect.map(options.acquire, (session) => makeConnection(session, lost))
      return yield* SqlClient.make({
        acquirer,
        compiler: makeCompiler(),
        driver: options.driver,
        isTransaction: (connection) => !lost.has(connection),
        releaseSavepoint: (name) => `RELEASE SAVEPOINT ${name}`,
        spanAttributes: [["db.system.name", "postgresql"], ["db.client.driver", options.driver]]
      })
    })
  ).pipe(Layer.provide(Reactivity.layer))

const makeConnection = (session: SqlSession, lost: WeakSet<Connection>): Connection => {
  const query = (text: string, values: ReadonlyArray<unknown>, rowMode: "object" | "array") =>
    Effect.tryPromise({
      try: () => session.query(text, values, rowMode),
      catch: (cause) => {
        const reason = sqlErrorReason(cause)
        if (reason._tag === "ConnectionError") lost.add(connection)
        return new SqlError({ reason })
      }
    }).pipe(
      // What was given up may run on: a ROLLBACK would wait behind it. Giving the session back ends both.
      Effect.onInterrupt(() => Effect.sync(() => void lost.add(connection)))
    )
  const execute: Connection["execute"] = (text, values, transformRows) =>
    Effect.map(query(text, values, "object"), ({ rows }) => {
      const objects = rows.filter(Predicate.isObject)
      return transformRows === undefined ? objects : transformRows(objects)
    })
  const executeValues: Connection["executeValues"] = (text, values) =>
    Effect.map(query(text, values, "array"), ({ rows }) =>
      rows.filter((row): row is ReadonlyArray<unknown> => Array.isArray(row)))
  const connection: Connection = {
    execute,
    executeUnprepared: execute,
    executeRaw: (text, values) => query(text, values, "object"),
    executeValues,
    executeValuesUnprepared: executeValues,
    executeStream: (text, values, transformRows) =>
      Stream.unwrap(Effect.map(execute(text, values, transformRows), (rows) => Stream.fromIterable(rows)))
  }
  return connection
}

const makeCompiler = (): Statement.Compiler =>
  Statement.makeCompiler({
    dialect: "pg",
    placeholder: (index) => `$${index}`,
    onIdentifier: Statement.defaultEscape("\""),
    onRecordUpdate: (placeholders, alias, columns, values, returning) => [
      `(values ${placeholders}) AS ${alias}${columns}${returning === undefined ? "" : ` RETURNING ${returning[0]}`}`,
      returning === undefined ? values.flat() : [...values.flat(), ...returning[1]]
    ],
    // There are no custom segments: the constructor of the client offers none.
    onCustom: (_segment, placeholder) => [placeholder(undefined), [null]]
  })
