import { CreateBucketCommand, S3Client } from "@aws-sdk/client-s3"
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ObjectStoreS3 } from "@lectern/adapters/s3"
import { ObjectStore } from "@lectern/domain"
import { FauxqsServer, makeS3Gate } from "@lectern/harness"
import { Effect, FileSystem, Layer, Redacted, Ref, Stream } from "effect"
import { downloadRaw } from "../src/rawDownload.ts"

const mebibyte = 1024 ** 2
const key = "tenants/1/video/raw/a.mp4"

/** Bytes that differ from place to place, of two parts and a rest. */
const bytes = Uint8Array.from({ length: 17 * mebibyte + 5 }, (_, index) => (index * 31 + (index >> 8)) & 0xff)

/** A raw upload in S3, behind a gate that cuts connections. */
const world = Effect.gen(function*() {
  const server = yield* FauxqsServer.make
  const gate = yield* makeS3Gate(server.url)
  const credentials = { accessKeyId: "key", secretAccessKey: "secret" }
  const s3 = new S3Client({ endpoint: server.url, region: "auto", credentials, forcePathStyle: true })
  yield* Effect.promise(() => s3.send(new CreateBucketCommand({ Bucket: "media" })))
  s3.destroy()
  const layer = ObjectStoreS3.layer({
    endpoint: gate.url,
    region: "auto",
    bucket: "media",
    credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") },
    forcePathStyle: true
  })
  const objects = yield* Layer.build(layer)
  const fs = yield* FileSystem.FileSystem
  const path = `${yield* fs.makeTempDirectoryScoped()}/input`
  const put = (content: Uint8Array) =>
    Effect.flatMap(ObjectStore, (store) =>
      store.put(key, Stream.make(content), { contentType: "video/mp4", cacheControl: "", size: content.length })).pipe(
        Effect.provide(objects)
      )
  yield* put(bytes)
  const download = <E, R>(onBytes: (bytes: number, total: number) => Effect.Effect<void, E, R>) =>
    Effect.provide(downloadRaw(key, path, onBytes), objects)
  const ranges = Effect.map(gate.requests, (requests) => requests.flatMap(({ range }) => range ?? []))
  return { download, gate, path, put, ranges }
})

describe("downloadRaw", () => {
  it.live("asks for each part once, says how many bytes have come, and leaves the file byte for byte", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const { download, path, ranges } = yield* world
      const heard = yield* Ref.make<ReadonlyArray<number>>([])
      const head = yield* download((came, total) => Ref.update(heard, (all) => [...all, came, total]))
      assert.strictEqual(head.size, bytes.length)
      assert.isTrue(Buffer.from(yield* fs.readFile(path)).equals(bytes))
      assert.deepStrictEqual((yield* ranges).toSorted(), [
        "bytes=0-8388607",
        "bytes=16777216-17825796",
        "bytes=8388608-16777215"
      ])
      const parts = [8 * mebibyte, 8 * mebibyte, mebibyte + 5]
      const all = yield* Ref.get(heard)
      assert.deepStrictEqual(all.filter((_, index) => index % 2 === 0).toSorted(), parts.toSorted())
      assert.isTrue(all.every((value, index) => index % 2 === 0 || value === bytes.length))
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 60_000)

  it.live("pays for a connection that is cut in the middle with one part, and no byte of the others", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const { download, gate, path, ranges } = yield* world
      yield* gate.cutAnswers(1, 3 * mebibyte)
      yield* download(() => Effect.void)
      assert.isTrue(Buffer.from(yield* fs.readFile(path)).equals(bytes))
      const asked = yield* ranges
      assert.lengthOf(asked, 4)
      assert.lengthOf([...new Set(asked)], 3)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 60_000)

  it.live("takes no parts of two objects for one: an upload that was replaced meanwhile fails the download", () =>
    Effect.gen(function*() {
      const { download, gate, put } = yield* world
      // Every part is cut once, and the object is another one when it is asked for again.
      yield* gate.cutAnswers(3, 3 * mebibyte)
      const first = yield* Ref.make(true)
      const failure = yield* Effect.flip(download(() =>
        Effect.flatMap(Ref.getAndSet(first, false), (isFirst) => isFirst ? put(bytes.map((byte) => byte ^ 1)) : Effect.void)
      ))
      assert.strictEqual(failure._tag, "ObjectStoreUnavailable")
      assert.isTrue(failure._tag === "ObjectStoreUnavailable" && failure.retryable)
      assert.match(String(failure._tag === "ObjectStoreUnavailable" ? failure.cause : ""), /no longer of version/)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 60_000)
})
