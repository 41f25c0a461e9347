import { assert, describe, it } from "@effect/vitest"
import { freePort } from "@lectern/harness"
import { Deferred, Effect, Exit, Fiber, Scope } from "effect"
import { connect } from "node:net"
import { serveOrigin, ServeOriginFailed } from "../../src/origin/index.ts"
import { rawRequest } from "./rawRequest.ts"

const local = { port: 0, host: "127.0.0.1" }
const ok = () => Promise.resolve(new Response("ok"))

const served = Effect.fnUntraced(function*(options: Partial<Parameters<typeof serveOrigin>[0]>) {
  const scope = yield* Scope.make()
  const server = yield* Scope.provide(serveOrigin({ ...local, handler: ok, ...options }), scope)
  return { ...server, close: Scope.close(scope, Exit.void) }
})

describe("serveOrigin", () => {
  it.live("listens on a free port of the address that it was given", () =>
    Effect.gen(function*() {
      const { port, url } = yield* serveOrigin({ ...local, handler: ok })
      assert.strictEqual(url, `http://127.0.0.1:${port}`)
      const text = yield* Effect.promise(() => fetch(url).then((response) => response.text()))
      assert.strictEqual(text, "ok")
    }))

  it.live("fails with a sentence on what to do when the port is taken", () =>
    Effect.gen(function*() {
      const { port } = yield* serveOrigin({ ...local, handler: ok })
      const failure = yield* Effect.flip(Effect.scoped(serveOrigin({ ...local, port, handler: ok })))
      assert.instanceOf(failure, ServeOriginFailed)
      assert.strictEqual(failure.reason, "in_use")
      assert.strictEqual(
        failure.message,
        `Cannot listen on 127.0.0.1:${port}: another process listens there; stop it or choose another port`
      )
    }))

  it.live("fails for an address that this machine does not have", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(Effect.scoped(serveOrigin({ port: 0, host: "192.0.2.1", handler: ok })))
      assert.strictEqual(failure.reason, "address_unavailable")
    }))

  it.live("lets a request in flight finish, takes no new connection meanwhile, and frees the port", () =>
    Effect.gen(function*() {
      const port = yield* freePort
      const arrived = yield* Deferred.make<void>()
      const release = Promise.withResolvers<Response>()
      const server = yield* served({
        port,
        handler: () => {
          Effect.runSync(Deferred.succeed(arrived, undefined))
          return release.promise
        }
      })
      const request = yield* Effect.forkChild(
        Effect.promise(() => fetch(server.url).then((response) => response.text()))
      )
      yield* Deferred.await(arrived)
      const closing = yield* Effect.forkChild(server.close)
      yield* Effect.eventually(Effect.callback<void, string>((resume) => {
        const probe = connect(port, "127.0.0.1")
        probe.on("connect", () => resume(Effect.fail("still listening")))
        probe.on("error", () => resume(Effect.void))
        return Effect.sync(() => probe.destroy())
      }))
      assert.isUndefined(closing.pollUnsafe())
      release.resolve(new Response("finished"))
      assert.strictEqual(yield* Fiber.join(request), "finished")
      yield* Fiber.join(closing)
      yield* serveOrigin({ ...local, port, handler: ok })
    }))

  it.live("cuts what does not finish in time", () =>
    Effect.gen(function*() {
      const arrived = yield* Deferred.make<void>()
      const server = yield* served({
        grace: "50 millis",
        handler: () => {
          Effect.runSync(Deferred.succeed(arrived, undefined))
          return new Promise(() => undefined)
        }
      })
      const request = yield* Effect.forkChild(
        Effect.promise(() => fetch(server.url).then(() => "answered", () => "cut"))
      )
      yield* Deferred.await(arrived)
      yield* server.close
      assert.strictEqual(yield* Fiber.join(request), "cut")
    }))

  it.live("answers what is no HTTP, or has no host, with JSON and closes", () =>
    Effect.gen(function*() {
      const { url } = yield* serveOrigin({ ...local, handler: ok })
      const noHttp = yield* rawRequest(url, ["NONSENSE"])
      assert.match(noHttp, /^HTTP\/1\.1 400 [^]*"code":"invalid_request"/)
      const badHost = yield* rawRequest(url, ["GET / HTTP/1.1", "Host: a/b"])
      assert.match(badHost, /^HTTP\/1\.1 400 [^]*"code":"invalid_request"/)
      const longHead = yield* rawRequest(url, ["GET / HTTP/1.1", "Host: a", `X: ${"x".repeat(20_000)}`])
      assert.match(longHead, /^HTTP\/1\.1 431 [^]*"code":"invalid_request"/)
      const post = ["POST / HTTP/1.1", "Host: a"]
      const twoLengths = yield* rawRequest(url, [...post, "Content-Length: 1", "Content-Length: 2"])
      assert.match(twoLengths, /^HTTP\/1\.1 400 /)
      const negative = yield* rawRequest(url, [...post, "Content-Length: -1"])
      assert.match(negative, /^HTTP\/1\.1 400 /)
    }))

  it.live("answers JSON when the handler itself fails", () =>
    Effect.gen(function*() {
      const { url } = yield* serveOrigin({ ...local, handler: () => Promise.reject(new Error("secret")) })
      const response = yield* Effect.promise(() => fetch(url))
      const text = yield* Effect.promise(() => response.text())
      assert.strictEqual(response.status, 500)
      assert.include(text, "\"code\":\"internal_error\"")
      assert.notInclude(text, "secret")
    }))
})
