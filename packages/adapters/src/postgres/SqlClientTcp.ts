import { PgClient } from "@effect/sql-pg"
import { Context, Effect, Layer, type Redacted } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import type { SqlError } from "effect/sql/SqlError"
import { connectionLimits } from "./connectionLimits.ts"

export interface TcpOptions {
  /** `postgres://user:password@host:port/database`, with `?sslmode=require` where the network is not trusted. */
  readonly url: Redacted.Redacted
  /** At most this many connections at once; 10 by default. */
  readonly maxConnections?: number
}

/** Postgres over TCP. Connects with the first statement, not when the layer is built. */
export const layerTcp = (options: TcpOptions): Layer.Layer<SqlClient, SqlError> =>
  PgClient.layer({
    url: options.url,
    applicationName: "lectern",
    maxConnections: options.maxConnections ?? connectionLimits.connections,
    minConnections: 0,
    connectTimeout: connectionLimits.connect,
    idleTimeout: connectionLimits.idle,
    connectionTTL: connectionLimits.lifetime,
    keepAlive: connectionLimits.keepAlive,
    startupParameters: {
      statement_timeout: String(connectionLimits.statement),
      lock_timeout: String(connectionLimits.lock),
      idle_in_transaction_session_timeout: String(connectionLimits.idleInTransaction)
    }
  }).pipe(
    Layer.flatMap((context) => Layer.effect(SqlClient, Effect.succeed(Context.get(context, SqlClient))))
  )
