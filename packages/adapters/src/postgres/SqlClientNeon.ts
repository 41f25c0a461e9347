import { Client, Pool } from "@neondatabase/serverless"
import { Effect, Layer, Redacted } from "effect"
import type { SqlClient } from "effect/sql/SqlClient"
import { SqlError } from "effect/sql/SqlError"
import { WebSocket } from "ws"
import { connectionLimits } from "./connectionLimits.ts"
import { endsSession, sqlErrorReason, sqlStateOf } from "./sqlErrorReason.ts"
import { layerSqlSessions, type SqlSession } from "./SqlSession.ts"

export interface NeonOptions {
  readonly url: Redacted.Redacted
  /** At most this many connections at once; 10 by default. */
  readonly maxConnections?: number
  /** Which WebSocket to dial for a database's host and port, without `ws://`; Neon's own when left out. */
  readonly wsProxy?: string | ((host: string, port: number | string) => string)
  /** `wss` rather than `ws`; true by default. False also for the Postgres behind a proxy that has no TLS. */
  readonly useSecureWebSocket?: boolean
  /**
   * Sends the password before it is asked for, which saves a round trip where the server wants a clear-text one, as
   * Neon does.
   */
  readonly pipelineConnect?: "password" | false
}

/** Postgres through Neon's driver: Postgres' own protocol inside a WebSocket. Connects with the first statement. */
export const layerNeon = (options: NeonOptions): Layer.Layer<SqlClient> =>
  Layer.unwrap(Effect.map(makePool(options), (pool) =>
    layerSqlSessions({ acquire: acquireFrom(pool), driver: "neon" })))

const makePool = (options: NeonOptions) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const pool = new Pool({
        connectionString: Redacted.value(options.url),
        application_name: "lectern",
        max: options.maxConnections ?? connectionLimits.connections,
        connectionTimeoutMillis: connectionLimits.connect,
        idleTimeoutMillis: connectionLimits.idle,
        maxLifetimeSeconds: connectionLimits.lifetime / 1000,
        // Kept by the client: Neon's pooler refuses the server's own time limits as startup parameters.
        query_timeout: connectionLimits.statement
      })
      // Set per client rather than on the driver's global: two databases in one process may need different proxies.
      pool.Client = class extends Client {
        constructor(config?: ConstructorParameters<typeof Client>[0]) {
          super(config)
          this.neonConfig.webSocketConstructor = WebSocket
          if (options.wsProxy !== undefined) this.neonConfig.wsProxy = options.wsProxy
          if (options.useSecureWebSocket !== undefined) this.neonConfig.useSecureWebSocket = options.useSecureWebSocket
          if (options.pipelineConnect !== undefined) this.neonConfig.pipelineConnect = options.pipelineConnect
        }
      }
      // An idle connection that is cut: the pool has replaced it already, and without a listener the process would die.
      pool.on("error", () => undefined)
      return pool
    }),
    (pool) => Effect.promise(() => pool.end())
  )

const acquireFrom = (pool: Pool) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.tryPromise({
        try: () => connect(pool),
        catch: (cause) => new SqlError({ reason: sqlErrorReason(cause) })
      }).pipe(Effect.map(hold)),
      (held) => Effect.sync(held.release)
    ),
    (held): SqlSession => held
  )

const connect = (pool: Pool) => pool.connect()

/** A pooled client, which goes back into the pool only if nothing is under way on it and it never failed by itself. */
const hold = (client: Awaited<ReturnType<typeof connect>>) => {
  let broken = false
  let underWay = 0
  // The pool listens to idle clients only: an error on one in use would end the process.
  const onError = (): void => {
    broken = true
  }
  client.on("error", onError)
  return {
    query: async (text: string, values: ReadonlyArray<unknown>, rowMode: "object" | "array") => {
      underWay += 1
      try {
        return rowMode === "array"
          ? await client.query<Array<unknown>>({ text, values: [...values], rowMode })
          : await client.query<Record<string, unknown>>({ text, values: [...values] })
      } catch (cause) {
        const state = sqlStateOf(cause)
        if (state === undefined || endsSession(state)) broken = true
        throw cause
      } finally {
        underWay -= 1
      }
    },
    release: (): void => {
      client.removeListener("error", onError)
      client.release(broken || underWay > 0)
    }
  }
}
