/** Ports of 127.0.0.1 with a known behaviour. */
import { Effect, type Scope } from "effect"
import { connect, createServer, type AddressInfo, type Server, type Socket } from "node:net"
import { HarnessError } from "./HarnessError.ts"

const portOf = (address: AddressInfo | string | null): number =>
  address !== null && typeof address === "object" ? address.port : 0

const fault = (action: string) => (cause: unknown) =>
  new HarnessError({ message: `Cannot ${action}: ${String(cause)}`, output: "", cause })

const listen = (server: Server, port = 0): Effect.Effect<number, HarnessError> =>
  Effect.callback<number, HarnessError>((resume) => {
    server.once("error", (cause) => resume(Effect.fail(fault("listen on a port of 127.0.0.1")(cause))))
    server.listen(port, "127.0.0.1", () => resume(Effect.succeed(portOf(server.address()))))
  })

const close = (server: Server, sockets: Iterable<Socket>): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    for (const socket of sockets) socket.destroy()
    server.close(() => resume(Effect.void))
  })

/** A TCP server that hands each connection to `accept`; it and its connections close with the scope. */
const scopedServer = (accept: (socket: Socket) => void, port?: number) =>
  Effect.acquireRelease(
    Effect.gen(function*() {
      const sockets = new Set<Socket>()
      const server = createServer((socket) => {
        sockets.add(socket)
        socket.on("close", () => sockets.delete(socket))
        // The peer may vanish at any time, which is what these ports are for.
        socket.on("error", () => socket.destroy())
        accept(socket)
      })
      return { port: yield* listen(server, port), server, sockets }
    }),
    ({ server, sockets }) => close(server, sockets)
  )

/**
 * A port that was free a moment ago. Somebody else may take it before you do: a server that is started on it must be asked
 * whether it is really the one that answers.
 */
export const freePort: Effect.Effect<number, HarnessError> = Effect.scoped(
  Effect.map(scopedServer((socket) => socket.destroy()), ({ port }) => port)
)

/** A port that refuses connections for as long as the scope is open. */
export interface ClosedPort {
  readonly port: number
}

/**
 * Holds the port as the near end of a connection of our own: nobody listens on it, and nobody else can be given it.
 */
export const ClosedPort = {
  make: Effect.gen(function*() {
    const { port } = yield* scopedServer(() => {})
    const socket = yield* Effect.acquireRelease(
      Effect.callback<Socket, HarnessError>((resume) => {
        const socket = connect({ host: "127.0.0.1", port })
        socket.once("connect", () => resume(Effect.succeed(socket)))
        socket.once("error", (cause) => resume(Effect.fail(fault("hold a closed port")(cause))))
      }),
      (socket) => Effect.sync(() => socket.destroy())
    )
    return { port: socket.localPort ?? 0 }
  }) satisfies Effect.Effect<ClosedPort, HarnessError, Scope.Scope>
}

/** A port that accepts connections, takes every byte and never answers. */
export interface SilentPort {
  readonly port: number
  /** How many connections are open now. */
  readonly connections: Effect.Effect<number>
}

/** Like a server behind a firewall that drops packets after the handshake, or one that hangs. */
export const SilentPort = {
  make: Effect.map(
    scopedServer((socket) => socket.resume()),
    ({ port, sockets }) => ({ port, connections: Effect.sync(() => sockets.size) })
  ) satisfies Effect.Effect<SilentPort, HarnessError, Scope.Scope>
}
