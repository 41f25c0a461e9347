import { assert, describe, it } from "@effect/vitest"
import { ObjectStore } from "@lectern/domain"
import { temporaryFolder } from "@lectern/harness"
import { Effect, Exit, Layer, Scope } from "effect"
import { readdirSync } from "node:fs"
import { join } from "node:path"
import { layerWith, objectsInFolder, OriginUnderTest, publicUrl } from "./OriginUnderTest.ts"

describe("the end of the origin", () => {
  it.live("cuts an upload that does not end, and leaves nothing of it", () =>
    Effect.gen(function*() {
      const root = yield* temporaryFolder("shutdown")
      const scope = yield* Scope.make()
      const services = yield* Layer.buildWithScope(layerWith(objectsInFolder(root), { grace: "50 millis" }), scope)
      const scratch = () => readdirSync(join(root, "scratch"))
      const upload = yield* Effect.gen(function*() {
        const { url } = yield* OriginUnderTest
        const objects = yield* ObjectStore
        const address = yield* objects.presignPut("a/b.mp4", { contentType: "video/mp4", expiresInSeconds: 60 })
        const first = Promise.withResolvers<void>()
        const body = new ReadableStream<Uint8Array>({
          start: (controller) => controller.enqueue(new Uint8Array(1000)),
          pull: () => {
            first.resolve()
            return new Promise(() => undefined)
          }
        })
        const request: RequestInit & { readonly duplex: "half" } = {
          method: "PUT",
          body,
          duplex: "half",
          headers: { "content-type": "video/mp4", "content-length": "5000" }
        }
        const answered = fetch(`${url}${address.slice(publicUrl.length)}`, request).then(() => "answered", () => "cut")
        yield* Effect.promise(() => first.promise)
        return answered
      }).pipe(Effect.provide(services))
      yield* Effect.repeat(Effect.andThen(Effect.yieldNow, Effect.sync(() => scratch().length)), {
        until: (files) => files === 1
      })
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(yield* Effect.promise(() => upload), "cut")
      assert.deepStrictEqual(scratch(), [])
    }))
})
