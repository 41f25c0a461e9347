import { assert, describe, it } from "@effect/vitest"
import { PlaybackUrls } from "@lectern/domain"
import { Effect, Layer, Redacted } from "effect"
import { attachment, type ObjectGrant, ObjectGrants, PlaybackUrlsLocal } from "../../src/files/index.ts"

const secret = Redacted.make("a secret that is long enough to sign")
const putGrant: ObjectGrant = { method: "PUT", key: "tenants/1/video/raw/a.mp4", contentType: "video/mp4", expiresAt: 100 }
const directoryGrant: ObjectGrant = { method: "GET", key: "tenants/1/video/hls/7/", downloadName: null, expiresAt: 100 }

describe("ObjectGrants", () => {
  it.effect("reads back what it signed until the second at which it ends", () =>
    Effect.gen(function*() {
      const grants = yield* ObjectGrants
      const token = yield* grants.sign(putGrant)
      assert.deepStrictEqual(yield* grants.verify(token, 99_999), putGrant)
      assert.strictEqual((yield* Effect.flip(grants.verify(token, 100_000))).reason, "Expired")
    }).pipe(Effect.provide(ObjectGrants.layer(secret))))

  it.effect("refuses a token in which any one character was changed, or that another secret signed", () =>
    Effect.gen(function*() {
      const grants = yield* ObjectGrants
      const token = yield* grants.sign(putGrant)
      for (let index = 0; index < token.length; index += 1) {
        const other = token[index] === "A" ? "Q" : "A"
        const forged = token.slice(0, index) + other + token.slice(index + 1)
        const refusal = yield* Effect.flip(grants.verify(forged, 0))
        assert.include(["Forged", "Malformed"], refusal.reason)
      }
      for (const text of ["", ".", "a.b.c", `${token}.`, token.split(".")[0] ?? ""]) {
        assert.include(["Forged", "Malformed"], (yield* Effect.flip(grants.verify(text, 0))).reason)
      }
      const stranger = yield* Effect.provide(
        Effect.flatMap(ObjectGrants, (others) => others.sign(putGrant)),
        ObjectGrants.layer(Redacted.make("another secret that is long enough too"))
      )
      assert.strictEqual((yield* Effect.flip(grants.verify(stranger, 0))).reason, "Forged")
    }).pipe(Effect.provide(ObjectGrants.layer(secret))))

  it.effect("grants its own method, key and content type, to the letter", () =>
    Effect.gen(function*() {
      const grants = yield* ObjectGrants
      const token = yield* grants.sign(putGrant)
      const { contentType, key } = putGrant
      assert.deepStrictEqual(yield* grants.authorize(token, { method: "PUT", key, contentType }, 0), putGrant)
      for (
        const request of [
          { method: "GET", key },
          { method: "PUT", key: `${key}x`, contentType },
          { method: "PUT", key, contentType: "video/MP4" },
          { method: "PUT", key, contentType: "video/mp4; charset=utf-8" }
        ] as const
      ) {
        assert.strictEqual((yield* Effect.flip(grants.authorize(token, request, 0))).reason, "Mismatch")
      }
    }).pipe(Effect.provide(ObjectGrants.layer(secret))))

  it.effect("grants what lies under a directory, and nothing that leads out of it", () =>
    Effect.gen(function*() {
      const grants = yield* ObjectGrants
      const token = yield* grants.sign(directoryGrant)
      yield* grants.authorize(token, { method: "GET", key: "tenants/1/video/hls/7/720/seg_1.m4s" }, 0)
      for (const key of ["tenants/1/video/hls/70/a", "tenants/1/video/hls/7/../8/a", "tenants/1/video/hls/7/"]) {
        assert.strictEqual((yield* Effect.flip(grants.authorize(token, { method: "GET", key }, 0))).reason, "Mismatch")
      }
    }).pipe(Effect.provide(ObjectGrants.layer(secret))))

  it.effect("does not start with a secret that is empty or short", () =>
    Effect.gen(function*() {
      for (const weak of ["", "short"]) {
        const failure = yield* Effect.flip(Effect.scoped(Layer.build(ObjectGrants.layer(Redacted.make(weak)))))
        assert.strictEqual(failure.bytes, weak.length)
      }
    }))
})

describe("PlaybackUrlsLocal", () => {
  const layer = PlaybackUrlsLocal.layer({ publicUrl: "http://127.0.0.1:8787", expiresInSeconds: 600 }).pipe(
    Layer.provideMerge(ObjectGrants.layer(secret))
  )

  it.effect("gives an address against which the names in a playlist resolve under the same grant", () =>
    Effect.gen(function*() {
      const urls = yield* PlaybackUrls
      const grants = yield* ObjectGrants
      const address = new URL(yield* urls.url("tenants/1/video/hls/7/master.m3u8"))
      const segment = new URL("720/seg_1.m4s", address)
      const [, media, token, ...rest] = segment.pathname.split("/")
      assert.strictEqual(media, "media")
      assert.deepStrictEqual(rest, ["720", "seg_1.m4s"])
      assert.deepStrictEqual(yield* grants.verify(token ?? "", 0), {
        method: "GET",
        key: "tenants/1/video/hls/7/",
        downloadName: null,
        expiresAt: 600
      })
    }).pipe(Effect.provide(layer)))

  it.effect("grants a key without a directory alone, not the whole store", () =>
    Effect.gen(function*() {
      const urls = yield* PlaybackUrls
      const grants = yield* ObjectGrants
      const token = new URL(yield* urls.url("a.m3u8")).pathname.split("/")[2] ?? ""
      assert.strictEqual((yield* grants.verify(token, 0)).key, "a.m3u8")
    }).pipe(Effect.provide(layer)))
})

describe("attachment", () => {
  it("names a download exactly and keeps a header of one line whatever the name", () => {
    assert.strictEqual(
      attachment("결과 \"1\"\r\n.xlsx"),
      "attachment; filename=\"__ _1___.xlsx\"; filename*=UTF-8''%EA%B2%B0%EA%B3%BC%20%221%22%0D%0A.xlsx"
    )
  })
})
