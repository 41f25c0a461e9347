/** TCP connections as a test sees them. */
import { Effect, type Scope } from "effect"
import { connect, type Socket } from "node:net"

/** A connection that is open until the scope closes, or the code of the error, such as `ECONNREFUSED`. */
export const dial = (port: number): Effect.Effect<Socket, string, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Socket, string>((resume) => {
      const socket = connect({ host: "127.0.0.1", port })
      socket.once("connect", () => resume(Effect.succeed(socket)))
      socket.on("error", (cause: NodeJS.ErrnoException) => resume(Effect.fail(cause.code ?? cause.message)))
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** Returns when the other end has closed the connection, by whatever means. */
export const closed = (socket: Socket): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    if (socket.closed) return resume(Effect.void)
    socket.resume()
    socket.once("close", () => resume(Effect.void))
  })
