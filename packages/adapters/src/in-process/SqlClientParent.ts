import { Effect, Layer, Schema } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { ConnectionError, SqlError } from "effect/sql/SqlError"
import { layerSqlSessions, type SqlSession } from "../postgres/SqlSession.ts"
import { type IpcUnavailable, ParentChannel } from "./ParentChannel.ts"
import { QueryRows } from "./PortProtocol.ts"

const decodeRows = Schema.decodeUnknownPromise(QueryRows)

/** SQL on the parent's embedded database, one turn per statement or transaction. A parent that is gone is a lost connection. */
export const layer: Layer.Layer<SqlClient, IpcUnavailable> = Layer.unwrap(
  Effect.map(ParentChannel, (parent) => {
    const ask = (request: Parameters<typeof parent.ask>[0]) =>
      Effect.tryPromise({
        try: () => parent.ask(request),
        catch: (cause) => new SqlError({ reason: new ConnectionError({ cause, operation: request._tag }) })
      })

    const acquire = Effect.acquireRelease(
      Effect.sync(() => parent.newSession()),
      (session) =>
        Effect.catchTag(ask({ _tag: "Release", session }), "SqlError", (error) =>
          // A parent that is gone holds nothing for us; one that is there ends a silent turn by itself.
          Effect.logDebug("A turn at the parent's database was not given back", { error: error.message }))
    ).pipe(
      Effect.tap((session) => ask({ _tag: "Acquire", session })),
      Effect.map((session): SqlSession => ({
        query: async (text, values, rowMode) => decodeRows(await parent.ask({ _tag: "Query", session, text, values, rowMode }))
      }))
    )
    return layerSqlSessions({ acquire, driver: "parent" })
  })
).pipe(Layer.provide(ParentChannel.layer))
