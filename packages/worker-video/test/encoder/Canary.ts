import { Effect, Queue } from "effect"
import { createServer } from "node:net"

/** A server that nobody is to call: it reports each connection that it gets. */
export const canary = Effect.gen(function* () {
  const connections = yield* Queue.unbounded<string>()
  const server = createServer((socket) => {
    socket.on("error", () => socket.destroy())
    Queue.offerUnsafe(connections, "connected")
    socket.destroy()
  })
  const port = yield* Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        resume(typeof address === "object" && address !== null ? Effect.succeed(address.port) : Effect.die("no port"))
      })
    }),
    () => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )
  return { connections, port }
})
