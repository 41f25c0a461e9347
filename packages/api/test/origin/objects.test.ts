import { assert, describe, it } from "@effect/vitest"
import { ObjectGrants } from "@lectern/adapters/files"
import { ObjectStore, ObjectStoreUnavailable, PlaybackUrls } from "@lectern/domain"
import { Faults, TestDomain } from "@lectern/domain/testing"
import { temporaryFolder } from "@lectern/harness"
import { Clock, Effect, Layer, Stream } from "effect"
import { byteRange } from "../../src/origin/byteRange.ts"
import { layer, layerWith, objectsInFolder, OriginUnderTest, publicUrl } from "./OriginUnderTest.ts"
import { rawRequest } from "./rawRequest.ts"

const videos = "/api/v1/media/videos/"

const withFolder = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.provide(Layer.unwrap(Effect.map(temporaryFolder("objects"), (root) => layerWith(objectsInFolder(root)))))
  )

const pathOf = (address: string): string => {
  assert.isTrue(address.startsWith(publicUrl), address)
  return address.slice(publicUrl.length)
}

const digits = new TextEncoder().encode("0123456789")

const stored = Effect.fnUntraced(function*(key: string, bytes: Uint8Array, contentType: string) {
  const objects = yield* ObjectStore
  yield* objects.put(key, Stream.make(bytes), { size: bytes.length, contentType, cacheControl: "private" })
  return key
})

const uploadAddress = Effect.fnUntraced(function*(key = "tenants/1/video/raw/a.mp4") {
  const objects = yield* ObjectStore
  return pathOf(yield* objects.presignPut(key, { contentType: "video/mp4", expiresInSeconds: 60 }))
})

const grant = Effect.fnUntraced(function*(
  request: { readonly method: "GET" | "PUT"; readonly key: string },
  seconds = 60
) {
  const grants = yield* ObjectGrants
  const expiresAt = Math.ceil((yield* Clock.currentTimeMillis) / 1000) + seconds
  return yield* request.method === "PUT"
    ? grants.sign({ method: "PUT", key: request.key, contentType: "video/mp4", expiresAt })
    : grants.sign({ method: "GET", key: request.key, downloadName: null, expiresAt })
})

/** A store whose one object of 1 MB breaks off after 400 KB. */
const brokenObjects = Layer.effect(
  ObjectStore,
  Effect.map(ObjectStore, (objects) =>
    ObjectStore.of({
      ...objects,
      head: (key) => Effect.succeed({ key, size: 1_000_000, contentType: "application/octet-stream", etag: "\"1\"" }),
      get: (key) =>
        Stream.concat(
          Stream.make(new Uint8Array(400_000)),
          Stream.fail(
            new ObjectStoreUnavailable({ operation: "read", key, retryable: true, cause: new Error("disk gone") })
          )
        )
    }))
).pipe(Layer.provide(TestDomain.layer))

describe("the whole way of an upload", () => {
  it.live("init, PUT to the address that it gave, complete", () =>
    withFolder(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const objects = yield* ObjectStore
      const ticket = yield* call(`${videos}upload/init/`, { body: { title: "t", filename: "a.mov" } })
      assert.strictEqual(ticket.status, 201, ticket.text)
      const bytes = new Uint8Array(5_000_000)
      crypto.getRandomValues(bytes.subarray(0, 60_000))
      const put = yield* call(pathOf(ticket.json.upload_url), {
        method: "PUT",
        body: bytes,
        headers: { "content-type": ticket.json.content_type },
        tenant: null
      })
      assert.strictEqual(put.status, 200, put.text)
      const saved = Buffer.concat(yield* Stream.runCollect(objects.get(ticket.json.file_key)))
      assert.isTrue(saved.equals(bytes))
      const completed = yield* call(`${videos}${ticket.json.video.id}/upload/complete/`, { method: "POST" })
      assert.deepStrictEqual([completed.status, completed.json.status], [200, "UPLOADED"])
    })))
})

describe("PUT /api/v1/objects/{token}", () => {
  it.live("takes nothing but the granted Content-Type", () =>
    withFolder(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const path = yield* uploadAddress()
      for (const type of ["text/html", "video/mp4; charset=x", "VIDEO/MP4"]) {
        const answer = yield* call(path, { method: "PUT", body: digits, headers: { "content-type": type } })
        assert.deepStrictEqual([answer.status, answer.json.code], [403, "content_type_mismatch"], type)
      }
    })))

  it.live("wants a Content-Length (411), of 5 GiB at most (413), without reading the body", () =>
    withFolder(Effect.gen(function*() {
      const { url } = yield* OriginUnderTest
      const objects = yield* ObjectStore
      const path = yield* uploadAddress()
      const head = [`PUT ${path} HTTP/1.1`, "Host: localhost", "Content-Type: video/mp4"]
      const chunked = yield* rawRequest(url, [...head, "Transfer-Encoding: chunked"], "3\r\nabc\r\n0\r\n\r\n")
      assert.match(chunked, /^HTTP\/1\.1 411 [^]*"length_required"/)
      const huge = yield* rawRequest(url, [...head, `Content-Length: ${5 * 1024 ** 3 + 1}`])
      assert.match(huge, /^HTTP\/1\.1 413 [^]*"body_too_large"/)
      assert.deepStrictEqual(yield* Stream.runCollect(objects.list("tenants/")), [])
    })))

  it.live("keeps nothing of a body that ends early", () =>
    withFolder(Effect.gen(function*() {
      const { url, call } = yield* OriginUnderTest
      const objects = yield* ObjectStore
      const path = yield* uploadAddress()
      const controller = new AbortController()
      const body = new ReadableStream<Uint8Array>({
        start: (stream) => stream.enqueue(digits),
        pull: () => controller.abort()
      })
      yield* Effect.promise(() =>
        fetch(`${url}${path}`, {
          method: "PUT",
          body,
          duplex: "half",
          signal: controller.signal,
          headers: { "content-type": "video/mp4", "content-length": "1000" }
        } as RequestInit).then(() => "answered", () => "aborted")
      )
      const kept = yield* Effect.flip(objects.head("tenants/1/video/raw/a.mp4"))
      assert.strictEqual(kept._tag, "ObjectNotFound")
      const again = yield* call(path, { method: "PUT", body: digits, headers: { "content-type": "video/mp4" } })
      assert.strictEqual(again.status, 200, again.text)
      assert.strictEqual((yield* objects.head("tenants/1/video/raw/a.mp4")).size, 10)
    })))

  it.live("takes an empty file, which the completion then refuses", () =>
    withFolder(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const objects = yield* ObjectStore
      const answer = yield* call(yield* uploadAddress(), {
        method: "PUT",
        body: new Uint8Array(0),
        headers: { "content-type": "video/mp4" }
      })
      assert.strictEqual(answer.status, 200, answer.text)
      assert.strictEqual((yield* objects.head("tenants/1/video/raw/a.mp4")).size, 0)
    })))

  it.live("answers 503 when the store is away", () =>
    Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      yield* faults.script("objects", ["refused"])
      const token = yield* grant({ method: "PUT", key: "a/b.mp4" })
      const answer = yield* call(`/api/v1/objects/${token}`, {
        method: "PUT",
        body: digits,
        headers: { "content-type": "video/mp4" }
      })
      assert.deepStrictEqual([answer.status, answer.json.code], [503, "objects_unavailable"])
    }).pipe(Effect.provide(layer())))
})

describe("tokens of addresses", () => {
  it.live("grant nothing when they are forged, have ended, or are for something else", () =>
    withFolder(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      yield* stored("a/b.mp4", digits, "video/mp4")
      const get = yield* grant({ method: "GET", key: "a/b.mp4" })
      const put = yield* grant({ method: "PUT", key: "a/b.mp4" })
      const folder = yield* grant({ method: "GET", key: "a/" })
      const ended = yield* grant({ method: "GET", key: "a/b.mp4" }, -1)
      const body = { method: "PUT", body: digits, headers: { "content-type": "video/mp4" } }
      const refused = [
        yield* call("/api/v1/objects/nonsense"),
        yield* call(`/api/v1/objects/${get}x`),
        yield* call(`/api/v1/objects/${ended}`),
        yield* call(`/api/v1/objects/${put}`),
        yield* call(`/api/v1/objects/${folder}`),
        yield* call(`/api/v1/objects/${get}`, body),
        yield* call(`/api/v1/objects/${folder}`, body),
        yield* call(`/media/${get}/b.mp4`),
        yield* call(`/media/${put}/b.mp4`),
        yield* call(`/media/${folder}x/b.mp4`)
      ]
      for (const answer of refused) {
        assert.deepStrictEqual([answer.status, answer.json?.code], [403, "address_refused"], answer.text)
        assert.strictEqual(answer.headers.get("access-control-allow-origin"), "*")
      }
      assert.strictEqual((yield* call(`/api/v1/objects/${get}`, { tenant: null })).status, 200)
    })))

  it.live("stand in no log", () =>
    withFolder(Effect.gen(function*() {
      const { call, logs, token: bearer } = yield* OriginUnderTest
      const token = yield* grant({ method: "GET", key: "a/" })
      yield* call(`/media/${token}/master.m3u8?secret=1`)
      yield* call(`/api/v1/objects/${token}`)
      yield* call(`${videos}?search=personal`)
      const text = JSON.stringify(logs)
      assert.strictEqual(logs.length, 3)
      const ofTokens = [token, token.split(".")[0] ?? "", (yield* bearer(1)).slice(0, 20)]
      for (const secret of [...ofTokens, "secret=1", "personal"]) {
        assert.notInclude(text, secret)
      }
      assert.include(text, "/media/{token}/master.m3u8")
      assert.include(text, "/api/v1/objects/{token}")
    })))
})

describe("GET /api/v1/objects/{token}", () => {
  it.live("sends a download under its name in any script", () =>
    withFolder(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const objects = yield* ObjectStore
      yield* stored("tenants/1/exports/j/errors.xlsx", digits, "application/zip")
      const address = yield* objects.presignGet("tenants/1/exports/j/errors.xlsx", {
        expiresInSeconds: 60,
        downloadName: "오류 \"행\".xlsx"
      })
      const answer = yield* call(pathOf(address), { tenant: null })
      assert.deepStrictEqual([answer.status, answer.text], [200, "0123456789"])
      assert.strictEqual(
        answer.headers.get("content-disposition"),
        `attachment; filename="__ ___.xlsx"; filename*=UTF-8''${encodeURIComponent("오류 \"행\".xlsx")}`
      )
      assert.strictEqual(answer.headers.get("x-content-type-options"), "nosniff")
      assert.strictEqual(answer.headers.get("content-type"), "application/zip")
    })))

  it.live("answers 404 for an object that is gone and 503 when the store fails at its first byte", () =>
    Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const faults = yield* Faults
      const token = yield* grant({ method: "GET", key: "a/b.bin" })
      assert.strictEqual((yield* call(`/api/v1/objects/${token}`)).status, 404)
      yield* faults.aside(stored("a/b.bin", new Uint8Array(300_000), "application/octet-stream"))
      yield* faults.script("objects", ["ok", "refused"])
      const failed = yield* call(`/api/v1/objects/${token}`)
      assert.deepStrictEqual([failed.status, failed.json.code], [503, "objects_unavailable"])
      assert.strictEqual((yield* call(`/api/v1/objects/${token}`)).text.length, 300_000)
    }).pipe(Effect.provide(layer())))
})

it.live("a download whose source fails on the way is cut, never ended as if it were whole", () =>
  Effect.gen(function*() {
    const { url, logs } = yield* OriginUnderTest
    const token = yield* grant({ method: "GET", key: "a/b.bin" })
    const outcome = yield* Effect.promise(async () => {
      const response = await fetch(`${url}/api/v1/objects/${token}`)
      return response.arrayBuffer().then(() => "whole", () => `cut after ${response.status}`)
    })
    assert.strictEqual(outcome, "cut after 200")
    const errors = logs.filter((line) => line.level === "Error").map((line) => line.message[0])
    assert.deepStrictEqual(errors, ["A download was cut because the object could not be read on"])
  }).pipe(Effect.provide(layerWith(brokenObjects))))

describe("GET /media/{token}/*", () => {
  const master = "tenants/1/video/hls/7/master.m3u8"

  const playback = Effect.gen(function*() {
    const urls = yield* PlaybackUrls
    yield* stored(master, new TextEncoder().encode("#EXTM3U"), "application/vnd.apple.mpegurl")
    yield* stored("tenants/1/video/hls/7/v1/seg 1.m4s", digits, "video/iso.segment")
    yield* stored("tenants/1/video/hls/8/master.m3u8", digits, "application/vnd.apple.mpegurl")
    return pathOf(yield* urls.url(master))
  })

  it.live("serves a playlist, and what it names, by relative names", () =>
    withFolder(Effect.gen(function*() {
      const { call, url } = yield* OriginUnderTest
      const path = yield* playback
      const playlist = yield* call(path, { tenant: null, headers: { origin: "https://school.example" } })
      assert.deepStrictEqual([playlist.status, playlist.text], [200, "#EXTM3U"])
      assert.strictEqual(playlist.headers.get("content-type"), "application/vnd.apple.mpegurl")
      assert.strictEqual(playlist.headers.get("cache-control"), "no-cache")
      assert.strictEqual(playlist.headers.get("access-control-allow-origin"), "*")
      const segment = yield* call(new URL("v1/seg%201.m4s", `${url}${path}`).pathname, { tenant: null })
      assert.deepStrictEqual([segment.status, segment.text], [200, "0123456789"])
      assert.strictEqual(segment.headers.get("cache-control"), "public, max-age=31536000, immutable")
      const etag = segment.headers.get("etag") ?? ""
      const unchanged = yield* call(new URL("v1/seg%201.m4s", `${url}${path}`).pathname, {
        headers: { "if-none-match": etag }
      })
      assert.deepStrictEqual([unchanged.status, unchanged.text], [304, ""])
    })))

  it.live("serves ranges", () =>
    withFolder(Effect.gen(function*() {
      const { call, url } = yield* OriginUnderTest
      const path = new URL("v1/seg%201.m4s", `${url}${yield* playback}`).pathname
      const range = (value: string) => call(path, { headers: { range: value } })
      const part = yield* range("bytes=2-4")
      assert.deepStrictEqual([part.status, part.text], [206, "234"])
      assert.strictEqual(part.headers.get("content-range"), "bytes 2-4/10")
      assert.strictEqual(part.headers.get("content-length"), "3")
      assert.deepStrictEqual([(yield* range("bytes=-3")).text, (yield* range("bytes=7-")).text], ["789", "789"])
      const beyond = yield* range("bytes=10-")
      assert.deepStrictEqual([beyond.status, beyond.headers.get("content-range")], [416, "bytes */10"])
      const head = yield* call(path, { method: "HEAD" })
      assert.deepStrictEqual([head.status, head.text, head.headers.get("content-length")], [200, "", "10"])
    })))

  it.live("never leaves its folder", () =>
    withFolder(Effect.gen(function*() {
      const { call, url } = yield* OriginUnderTest
      const path = yield* playback
      const folder = path.slice(0, path.lastIndexOf("/") + 1)
      const upwards = ["..%2f8%2fmaster.m3u8", "%2e%2e%2f8/master.m3u8", "v1/%2e%2e/%2e%2e%2f8/master.m3u8"]
      const ways = [...upwards, "", "v1//seg", "v1/", ".", "a%5cb", "a%00b", "한글", "x".repeat(900)]
      for (const way of ways) {
        const answer = yield* call(`${folder}${way}`)
        assert.isTrue(answer.status === 404 || answer.status === 403, `${way}: ${answer.status}`)
        assert.isString(answer.json.detail, way)
      }
      const raw = yield* rawRequest(url, [`GET ${folder}../8/master.m3u8 HTTP/1.1`, "Host: localhost"])
      assert.match(raw, /^HTTP\/1\.1 40[34] /)
    })))
})

describe("byteRange", () => {
  const cases = [
    [undefined, 10, "Whole"],
    ["bytes=0-0", 10, { start: 0, end: 0 }],
    ["bytes=0-", 10, { start: 0, end: 9 }],
    ["bytes=5-999", 10, { start: 5, end: 9 }],
    ["bytes=-1", 10, { start: 9, end: 9 }],
    ["bytes=-99", 10, { start: 0, end: 9 }],
    ["bytes=-0", 10, "Unsatisfiable"],
    ["bytes=0-", 0, "Unsatisfiable"],
    ["bytes=10-10", 10, "Unsatisfiable"],
    ["bytes=5-4", 10, "Whole"],
    ["bytes=-", 10, "Whole"],
    ["bytes=1-2,4-5", 10, "Whole"],
    ["items=0-1", 10, "Whole"],
    ["bytes=1e1-2", 10, "Whole"]
  ] as const
  for (const [header, size, expected] of cases) {
    it(`reads ${String(header)} of ${size} bytes`, () => {
      assert.deepStrictEqual(
        byteRange(header, size),
        typeof expected === "string" ? { _tag: expected } : { _tag: "Part", range: expected }
      )
    })
  }
})
