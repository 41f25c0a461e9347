import { assert, describe, it } from "@effect/vitest"
import { Effect, Scope } from "effect"
import { createServer } from "node:net"
import { ClosedPort, freePort, SilentPort } from "../src/index.ts"
import { closed, dial } from "./tcp.ts"

const listen = (port: number) =>
  Effect.callback<string>((resume) => {
    const server = createServer()
    server.once("error", (cause: NodeJS.ErrnoException) => resume(Effect.succeed(cause.code ?? cause.message)))
    server.listen(port, "127.0.0.1", () => server.close(() => resume(Effect.succeed("listened"))))
  })

describe("ports of the harness", () => {
  it.effect("a free port can be listened on", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* listen(yield* freePort), "listened")
    }))

  it.effect("a closed port refuses connections, and nobody can open it while the scope lasts", () =>
    Effect.gen(function*() {
      const { port } = yield* ClosedPort.make
      assert.strictEqual(yield* Effect.flip(dial(port)), "ECONNREFUSED")
      assert.strictEqual(yield* listen(port), "EADDRINUSE")
    }))

  it.effect("a silent port accepts a connection and takes bytes", () =>
    Effect.gen(function*() {
      const silent = yield* SilentPort.make
      const socket = yield* dial(silent.port)
      yield* Effect.callback<void>((resume) => void socket.write("PING\r\n", () => resume(Effect.void)))
      assert.strictEqual(socket.bytesRead, 0)
      const second = yield* dial(silent.port)
      assert.isFalse(second.destroyed)
    }))

  it.effect("a silent port closes its connections with its scope", () =>
    Effect.gen(function*() {
      const outer = yield* Effect.scope
      const socket = yield* Effect.scoped(
        Effect.flatMap(SilentPort.make, ({ port }) => Effect.provideService(dial(port), Scope.Scope, outer))
      )
      yield* closed(socket)
    }))
})
