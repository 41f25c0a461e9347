import { Context, Effect, Layer, type Scope } from "effect"
import { connect } from "node:net"
import { pipeline } from "node:stream"
import { createWebSocketStream, type WebSocket, WebSocketServer } from "ws"
import { HarnessError } from "./HarnessError.ts"
import { freePort } from "./ports.ts"
import { PostgresServer } from "./PostgresServer.ts"

/** Where a proxied connection may go. */
export interface Target {
  readonly host: string
  readonly port: number
}

/** The WebSocket close code for a request against the server's policy (RFC 6455, 7.4.1). */
const policyViolation = 1008

const splice = (socket: WebSocket, target: Target): void => {
  const database = connect({ host: target.host, port: target.port, noDelay: true })
  const browser = createWebSocketStream(socket)
  // Either end may go first, and by a reset; both then go, and what was on its way is delivered before.
  pipeline(database, browser, () => {
    database.destroy()
    socket.terminate()
  })
  pipeline(browser, database, () => undefined)
}

/**
 * What stands before a Neon database: a WebSocket server that carries Postgres' own protocol, as
 * `@neondatabase/serverless` speaks it. Set
 * `neonConfig.wsProxy = proxy.wsProxy`, `neonConfig.useSecureWebSocket = false`, `neonConfig.pipelineConnect = false`.
 */
export class NeonProxy extends Context.Service<NeonProxy, {
  readonly port: number
  /** The value for `neonConfig.wsProxy`: which address to dial for a database's host and port. */
  readonly wsProxy: (host: string, port: number | string) => string
  /** How many connections are open now. */
  readonly connections: Effect.Effect<number>
  /** Cuts every open connection without a word, as a proxy that restarts does. */
  readonly sever: Effect.Effect<void>
}>()("@lectern/harness/NeonProxy") {
  /** Starts a proxy to these targets, and to no other, for as long as the scope is open. */
  static readonly make = (
    targets: ReadonlyArray<Target>
  ): Effect.Effect<NeonProxy["Service"], HarnessError, Scope.Scope> =>
    Effect.gen(function*() {
      const port = yield* freePort
      const server = yield* Effect.acquireRelease(
        Effect.callback<WebSocketServer, HarnessError>((resume) => {
          const server = new WebSocketServer({ host: "127.0.0.1", port, perMessageDeflate: false })
          server.once("listening", () => resume(Effect.succeed(server)))
          server.once("error", (cause) =>
            resume(Effect.fail(
              new HarnessError({ message: `Cannot start the Neon proxy on port ${port}: ${cause.message}`, output: "", cause })
            )))
        }),
        (server) =>
          Effect.callback<void>((resume) => {
            for (const socket of server.clients) socket.terminate()
            server.close(() => resume(Effect.void))
          })
      )
      server.on("connection", (socket, request) => {
        const address = new URL(request.url ?? "/", "ws://127.0.0.1").searchParams.get("address")
        const target = targets.find(({ host, port }) => address === `${host}:${port}`)
        if (target === undefined) socket.close(policyViolation, "address not allowed")
        else splice(socket, target)
      })
      return {
        port,
        wsProxy: (host: string, databasePort: number | string) => `127.0.0.1:${port}/v1?address=${host}:${databasePort}`,
        connections: Effect.sync(() => server.clients.size),
        sever: Effect.sync(() => {
          for (const socket of server.clients) socket.terminate()
        })
      }
    }).pipe(Effect.retry({ times: 2 }))

  /** A proxy in front of the {@link PostgresServer} of the context. */
  static readonly layer: Layer.Layer<NeonProxy, HarnessError, PostgresServer> = Layer.effect(
    NeonProxy,
    Effect.flatMap(PostgresServer, (postgres) => NeonProxy.make([postgres]))
  )
}
