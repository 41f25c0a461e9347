import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3"
import { assert, describe, it } from "@effect/vitest"
import { ObjectStore, PlaybackUrls } from "@lectern/domain"
import { ClosedPort, FauxqsServer, makeS3Gate, SilentPort } from "@lectern/harness"
import { Context, Effect, Layer, Redacted, Stream } from "effect"
import { createServer } from "node:http"
import { ObjectStoreS3, type ObjectStoreS3Options, PlaybackUrlsCdn } from "../../src/s3/index.ts"
import { objectStoreSuite } from "../conformance/ObjectStoreSuite.ts"

const mebibyte = 1024 * 1024
const headers = { contentType: "application/octet-stream", cacheControl: "no-store" }

const options = (endpoint: string): ObjectStoreS3Options => ({
  endpoint,
  region: "auto",
  bucket: "media",
  credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") },
  forcePathStyle: true,
  partBytes: 5 * mebibyte,
  requestTimeoutMillis: 10_000
})

const quick = (port: number): ObjectStoreS3Options => ({
  ...options(`http://127.0.0.1:${port}`),
  requestTimeoutMillis: 200,
  maxAttempts: 2
})

const client = (endpoint: string) =>
  Effect.acquireRelease(
    Effect.sync(() =>
      new S3Client({
        endpoint,
        region: "auto",
        credentials: { accessKeyId: "key", secretAccessKey: "secret" },
        forcePathStyle: true
      })
    ),
    (s3) => Effect.sync(() => s3.destroy())
  )

const bucket = Effect.gen(function*() {
  const server = yield* FauxqsServer.make
  const s3 = yield* client(server.url)
  yield* Effect.promise(() => s3.send(new CreateBucketCommand({ Bucket: "media" })))
  return { server, gate: yield* makeS3Gate(server.url) }
})

const storeAt = (settings: ObjectStoreS3Options) =>
  Effect.map(Layer.build(ObjectStoreS3.layer(settings)), (context) => Context.get(context, ObjectStore))

/** A server that answers every request with one status and one S3 error code. */
const answering = (status: number, code: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly server: ReturnType<typeof createServer>; readonly requests: Array<string> }>((resume) => {
        const requests: Array<string> = []
        const server = createServer((request, response) => {
          requests.push(`${request.method} ${request.url}`)
          request.resume()
          response.writeHead(status, { "content-type": "application/xml" })
          response.end(request.method === "HEAD" ? undefined : `<Error><Code>${code}</Code><Message>no</Message></Error>`)
        })
        server.listen(0, "127.0.0.1", () => resume(Effect.succeed({ server, requests })))
      }),
      ({ server }) =>
        Effect.callback<void>((resume) => {
          server.closeAllConnections()
          server.close(() => resume(Effect.void))
        })
    ),
    ({ requests, server }) => {
      const address = server.address()
      return { port: typeof address === "object" && address !== null ? address.port : 0, requests }
    }
  )

objectStoreSuite(
  "S3",
  Layer.unwrap(Effect.map(bucket, ({ gate }) => ObjectStoreS3.layer(options(gate.url)))),
  { bigBytes: 12 * mebibyte + 7 }
)

describe("ObjectStoreS3", () => {
  it.effect("aborts the upload of a body that failed, so that no parts are left to pay for", () =>
    Effect.gen(function*() {
      const { gate } = yield* bucket
      const store = yield* storeAt(options(gate.url))
      yield* Effect.exit(
        store.put("broken", Stream.concat(Stream.make(new Uint8Array(6 * mebibyte)), Stream.fail("broken")), {
          ...headers,
          size: 11 * mebibyte
        })
      )
      const methods = (yield* gate.requests).map(({ method }) => method)
      assert.deepStrictEqual([methods[0], methods.at(-1)], ["POST", "DELETE"])
      assert.deepStrictEqual(yield* Stream.runCollect(store.multipart.list("")), [])
    }))

  it.effect("sends a part again whose connection was cut, and no other", () =>
    Effect.gen(function*() {
      const { gate } = yield* bucket
      const store = yield* storeAt(options(gate.url))
      yield* gate.cutParts(1)
      const bytes = new Uint8Array(15 * mebibyte).fill(7)
      yield* store.put("cut", Stream.make(bytes), { ...headers, size: bytes.length })
      const sent = (yield* gate.requests).flatMap(({ query }) => query.get("partNumber") ?? [])
      assert.deepStrictEqual([...new Set(sent)].toSorted(), ["1", "2", "3"])
      assert.lengthOf(sent, 4)
      assert.strictEqual((yield* store.head("cut")).size, bytes.length)
    }))

  it.effect("takes a part whose answer was cut for a failure that another try may mend, and keeps nothing of it", () =>
    Effect.gen(function*() {
      const { gate } = yield* bucket
      const store = yield* storeAt(options(gate.url))
      yield* store.put("a", Stream.make(new Uint8Array(100_000).fill(3)), { ...headers, size: 100_000 })
      const head = yield* store.head("a")
      yield* gate.cutAnswers(1, 40_000)
      const failure = yield* Effect.flip(store.getPart(head, { start: 0, end: 99_999 }))
      assert.isTrue(failure._tag === "ObjectStoreUnavailable" && failure.retryable)
      assert.lengthOf(yield* store.getPart(head, { start: 0, end: 99_999 }), 100_000)
    }))

  it.effect("demands of a write the version that was seen, or that there is none", () =>
    Effect.gen(function*() {
      const { gate } = yield* bucket
      const store = yield* storeAt(options(gate.url))
      yield* store.putIfUnchanged({ key: "a", etag: null }, new Uint8Array(3), headers)
      const { etag } = yield* store.head("a")
      yield* store.putIfUnchanged({ key: "a", etag }, new Uint8Array(4), headers)
      const writes = (yield* gate.requests).filter(({ method }) => method === "PUT")
      assert.deepStrictEqual(writes.map(({ demands }) => demands), ["*", etag])
    }))

  it.effect("takes a write that meets another one for an object that has changed, and does not send it again", () =>
    Effect.gen(function*() {
      const { gate } = yield* bucket
      const store = yield* storeAt(options(gate.url))
      yield* gate.conflict(1)
      const failure = yield* Effect.flip(store.putIfUnchanged({ key: "a", etag: null }, new Uint8Array(3), headers))
      assert.strictEqual(failure._tag, "ObjectChanged")
      assert.lengthOf(yield* gate.requests, 1)
      assert.strictEqual((yield* Effect.flip(store.head("a")))._tag, "ObjectNotFound")
    }))

  it.effect("says that the object has changed when it was its own write whose answer was lost", () =>
    Effect.gen(function*() {
      const { gate } = yield* bucket
      const store = yield* storeAt(options(gate.url))
      yield* gate.loseAnswers(1)
      const failure = yield* Effect.flip(store.putIfUnchanged({ key: "a", etag: null }, new Uint8Array(3), headers))
      assert.strictEqual(failure._tag, "ObjectChanged")
      assert.strictEqual((yield* store.head("a")).size, 3)
    }))

  it.effect("takes neither a missing bucket, nor a refusal, nor a conflict of another kind for a lost condition", () =>
    Effect.gen(function*() {
      const { server } = yield* bucket
      const denied = yield* answering(403, "AccessDenied")
      const aborted = yield* answering(409, "OperationAborted")
      for (
        const settings of [quick(denied.port), quick(aborted.port), { ...options(server.url), bucket: "other" }]
      ) {
        const store = yield* storeAt(settings)
        for (const etag of [null, "\"1\""]) {
          const failure = yield* Effect.flip(store.putIfUnchanged({ key: "a", etag }, new Uint8Array(3), headers))
          assert.strictEqual(failure._tag, "ObjectStoreUnavailable")
        }
      }
    }))

  it.effect("signs an address for one part, which the browser's PUT completes to an object", () =>
    Effect.gen(function*() {
      const { gate } = yield* bucket
      const { head, multipart } = yield* storeAt(options(gate.url))
      const upload = yield* multipart.begin("raw/big.mp4", { contentType: "video/mp4", cacheControl: "private" })
      const address = yield* multipart.presignPart(upload, 1, { expiresInSeconds: 900 })
      const query = new URL(address).searchParams
      assert.deepStrictEqual(
        [query.get("partNumber"), query.get("uploadId"), query.get("X-Amz-Expires"), query.get("X-Amz-SignedHeaders")],
        ["1", upload.uploadId, "900", "host"]
      )
      const answer = yield* Effect.promise(() => fetch(address, { method: "PUT", body: "bytes" }))
      yield* multipart.complete(upload, [{ number: 1, etag: answer.headers.get("etag") ?? "" }])
      assert.strictEqual((yield* head("raw/big.mp4")).size, 5)
    }))

  it.effect("removes more objects under a prefix than fit one request", () =>
    Effect.gen(function*() {
      const { server } = yield* bucket
      const store = yield* storeAt(options(server.url))
      yield* Effect.forEach(
        Array.from({ length: 1_003 }, (_, index) => index),
        (index) => store.put(`many/${index}`, Stream.empty, { ...headers, size: 0 }),
        { concurrency: 20, discard: true }
      )
      assert.strictEqual(yield* store.removePrefix("many/"), 1_003)
      assert.deepStrictEqual(yield* Stream.runCollect(store.list("many/")), [])
    }))

  it.effect("signs an address to which a PUT of that content type goes, and one that downloads under a name", () =>
    Effect.gen(function*() {
      const { server } = yield* bucket
      const store = yield* storeAt(options(server.url))
      const target = yield* store.presignPut("raw/x.mp4", { contentType: "video/mp4", expiresInSeconds: 900 })
      const query = new URL(target).searchParams
      assert.strictEqual(query.get("X-Amz-SignedHeaders"), "content-type;host")
      assert.strictEqual(query.get("X-Amz-Expires"), "900")
      const answer = yield* Effect.promise(() =>
        fetch(target, { method: "PUT", headers: { "content-type": "video/mp4" }, body: "bytes" })
      )
      assert.strictEqual(answer.status, 200)
      assert.strictEqual((yield* store.head("raw/x.mp4")).contentType, "video/mp4")
      const source = yield* store.presignGet("raw/x.mp4", { expiresInSeconds: 60, downloadName: "강의.mp4" })
      assert.include(new URL(source).searchParams.get("response-content-disposition"), "filename*=UTF-8''%EA%B0%95%EC%9D%98.mp4")
      assert.strictEqual(yield* Effect.promise(async () => (await fetch(source)).text()), "bytes")
    }))

  it.effect("takes neither a refusal nor a missing bucket for an absent object", () =>
    Effect.gen(function*() {
      const { server } = yield* bucket
      const denied = yield* answering(403, "AccessDenied")
      for (
        const [settings, retryable] of [
          [quick(denied.port), false],
          [{ ...options(server.url), bucket: "other" }, false]
        ] as const
      ) {
        const store = yield* storeAt(settings)
        for (
          const call of [
            Effect.asVoid(store.head("a")),
            Stream.runDrain(store.get("a")),
            Stream.runDrain(store.list("a/")),
            store.ping
          ]
        ) {
          const failure = yield* Effect.flip(call)
          assert.strictEqual(failure._tag, "ObjectStoreUnavailable")
          assert.strictEqual(failure._tag === "ObjectStoreUnavailable" && failure.retryable, retryable)
        }
      }
    }))

  it.effect("tries a call to a server that is out of order as often as it is told, and says that a later one may do", () =>
    Effect.gen(function*() {
      const { port, requests } = yield* answering(503, "SlowDown")
      const failure = yield* Effect.flip((yield* storeAt(quick(port))).head("a"))
      assert.strictEqual(requests.length, 2)
      assert.isTrue(failure._tag === "ObjectStoreUnavailable" && failure.retryable)
    }))

  it.effect("gives up on a server that refuses connections or never answers, and says that a later call may do", () =>
    Effect.gen(function*() {
      const silent = yield* SilentPort.make
      const closed = yield* ClosedPort.make
      for (const { port } of [silent, closed]) {
        const store = yield* storeAt(quick(port))
        for (
          const call of [
            Effect.asVoid(store.head("a")),
            Stream.runDrain(store.get("a")),
            store.put("a", Stream.make(new Uint8Array(3)), { ...headers, size: 3 }),
            store.put("a", Stream.make(new Uint8Array(6 * mebibyte)), { ...headers, size: 6 * mebibyte }),
            store.remove("a"),
            Effect.asVoid(store.removePrefix("a/")),
            store.ping
          ]
        ) {
          const failure = yield* Effect.flip(call)
          assert.isTrue(failure._tag === "ObjectStoreUnavailable" && failure.retryable)
        }
      }
    }))
})

describe("PlaybackUrlsCdn", () => {
  it.effect("puts the key under the address of the CDN", () =>
    Effect.gen(function*() {
      const urls = yield* PlaybackUrls
      assert.strictEqual(
        yield* urls.url("tenants/1/video/hls/7/master.m3u8"),
        "https://cdn.example.com/media/tenants/1/video/hls/7/master.m3u8"
      )
    }).pipe(Effect.provide(PlaybackUrlsCdn.layer({ baseUrl: "https://cdn.example.com/media/" }))))
})
