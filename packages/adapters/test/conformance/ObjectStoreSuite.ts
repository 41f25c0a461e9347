import { assert, describe, layer as shared } from "@effect/vitest"
import { type MultipartUpload, ObjectStore, type ObjectStoreUnavailable } from "@lectern/domain"
import { Effect, Exit, type Layer, Schema, Stream } from "effect"
import { randomUUID } from "node:crypto"

class Broken extends Schema.TaggedError<Broken>()("Broken", { message: Schema.String }) {}

const playlist = { contentType: "application/vnd.apple.mpegurl", cacheControl: "no-cache" }
const binary = { contentType: "application/octet-stream", cacheControl: "public, max-age=31536000, immutable" }

/** `size` bytes that differ from place to place, in chunks of odd lengths. */
const pattern = (size: number, seed: number): Uint8Array =>
  Uint8Array.from({ length: size }, (_, index) => (index * 31 + seed + (index >> 8)) & 0xff)

const chunked = (bytes: Uint8Array, chunk: number): Stream.Stream<Uint8Array> =>
  Stream.fromIterable(
    Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, index) => bytes.subarray(index * chunk, (index + 1) * chunk))
  )

const read = <E>(body: Stream.Stream<Uint8Array, E>): Effect.Effect<Uint8Array, E> =>
  Effect.map(Stream.runCollect(body), (chunks) => Uint8Array.from(Buffer.concat(chunks)))

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

const sorted = (keys: Iterable<string>): ReadonlyArray<string> => [...keys].sort()

export interface ObjectStoreSuiteOptions {
  /** Bytes of an object that the store takes in several requests. */
  readonly bigBytes: number
}

/** What every object store promises (`ObjectStore` in the domain). Each test has a prefix of its own. */
export const objectStoreSuite = <E>(
  name: string,
  layer: Layer.Layer<ObjectStore, E>,
  options: ObjectStoreSuiteOptions
): void => {
  describe(`${name} as an object store`, () => {
    shared(layer, { timeout: "60 seconds" })((it) => {
      const write = Effect.fnUntraced(function*(key: string, content: string) {
        const store = yield* ObjectStore
        const bytes = text(content)
        yield* store.put(key, Stream.make(bytes), { ...binary, size: bytes.length })
      })

      it.effect("gives back the bytes, the size and the content type that were put", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const key = `${randomUUID()}/video/hls/7/master.m3u8`
          const bytes = pattern(100_003, 1)
          yield* store.put(key, chunked(bytes, 777), { ...playlist, size: bytes.length })
          assert.deepStrictEqual(yield* read(store.get(key)), bytes)
          const head = yield* store.head(key)
          assert.strictEqual(head.key, key)
          assert.strictEqual(head.size, bytes.length)
          assert.strictEqual(head.contentType, playlist.contentType)
        }))

      it.effect("keeps an object of many parts byte for byte", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const key = `${randomUUID()}/big.mp4`
          const bytes = pattern(options.bigBytes, 3)
          yield* store.put(key, chunked(bytes, 1_000_003), { ...binary, size: bytes.length })
          assert.strictEqual((yield* store.head(key)).size, bytes.length)
          assert.isTrue(Buffer.from(yield* read(store.get(key))).equals(bytes))
        }))

      it.effect("keeps an empty object", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const key = `${randomUUID()}/empty`
          yield* store.put(key, Stream.empty, { ...binary, size: 0 })
          assert.strictEqual((yield* store.head(key)).size, 0)
          assert.strictEqual((yield* read(store.get(key))).length, 0)
        }))

      it.effect("gives the bytes of a range, both ends included, and no more than there are", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const key = `${randomUUID()}/range`
          const bytes = pattern(10_000, 5)
          yield* store.put(key, Stream.make(bytes), { ...binary, size: bytes.length })
          assert.deepStrictEqual(yield* read(store.get(key, { start: 0, end: 0 })), bytes.slice(0, 1))
          assert.deepStrictEqual(yield* read(store.get(key, { start: 4_000, end: 8_999 })), bytes.slice(4_000, 9_000))
          assert.deepStrictEqual(yield* read(store.get(key, { start: 9_990, end: 20_000 })), bytes.slice(9_990))
          assert.strictEqual((yield* read(store.get(key, { start: 10_000, end: 10_001 }))).length, 0)
        }))

      it.effect("replaces an object as a whole, its headers too", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const key = `${randomUUID()}/replaced`
          yield* write(key, "the first, which is longer")
          const first = yield* store.head(key)
          yield* store.put(key, Stream.make(text("second")), { ...playlist, size: 6 })
          const second = yield* store.head(key)
          assert.deepStrictEqual(yield* read(store.get(key)), text("second"))
          assert.strictEqual(second.contentType, playlist.contentType)
          assert.notStrictEqual(second.etag, first.etag)
        }))

      for (
        const { bytes, many, size } of [
          { many: "fewer", size: 11, bytes: 10 },
          { many: "more", size: 9, bytes: 10 },
          { many: "fewer, of many parts,", size: options.bigBytes + 1, bytes: options.bigBytes },
          { many: "more, of many parts,", size: options.bigBytes - 1, bytes: options.bigBytes }
        ]
      ) {
        it.effect(`refuses a body of ${many} bytes than announced and keeps what was there`, () =>
          Effect.gen(function*() {
            const store = yield* ObjectStore
            const key = `${randomUUID()}/sized`
            yield* write(key, "old")
            const failure: ObjectStoreUnavailable = yield* Effect.flip(
              store.put(key, chunked(pattern(bytes, 1), 1_000_003), { ...binary, size })
            )
            assert.strictEqual(failure._tag, "ObjectStoreUnavailable")
            assert.isFalse(failure.retryable)
            assert.deepStrictEqual(yield* read(store.get(key)), text("old"))
          }))
      }

      it.effect("leaves nothing of an object whose body failed, and hands the body's own failure on", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const prefix = `${randomUUID()}/`
          const failure = yield* Effect.flip(
            store.put(
              `${prefix}half`,
              Stream.concat(Stream.make(text("half")), Stream.fail(new Broken({ message: "the line broke" }))),
              { ...binary, size: 8 }
            )
          )
          assert.strictEqual(failure._tag, "Broken")
          assert.deepStrictEqual(yield* Stream.runCollect(store.list(prefix)), [])
          assert.strictEqual((yield* Effect.flip(store.head(`${prefix}half`)))._tag, "ObjectNotFound")
        }))

      it.effect("says of an absent object that there is none, to a look and to a read", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const key = `${randomUUID()}/absent`
          assert.strictEqual((yield* Effect.flip(store.head(key)))._tag, "ObjectNotFound")
          assert.strictEqual((yield* Effect.flip(read(store.get(key))))._tag, "ObjectNotFound")
          assert.strictEqual((yield* Effect.flip(read(store.get(key, { start: 0, end: 1 }))))._tag, "ObjectNotFound")
        }))

      it.effect("lists the keys that start with a prefix, be it whole parts or the beginning of one", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const root = randomUUID()
          const keys = ["a", "a/b", "a/b/c", "ab", "b/a~1%", "b/a 2"].map((key) => `${root}/${key}`)
          yield* Effect.forEach(keys, (key) => write(key, key))
          assert.deepStrictEqual(sorted(yield* Stream.runCollect(store.list(`${root}/`))), sorted(keys))
          assert.deepStrictEqual(sorted(yield* Stream.runCollect(store.list(`${root}/a/`))), sorted([`${root}/a/b`, `${root}/a/b/c`]))
          assert.deepStrictEqual(
            sorted(yield* Stream.runCollect(store.list(`${root}/a`))),
            sorted([`${root}/a`, `${root}/a/b`, `${root}/a/b/c`, `${root}/ab`])
          )
          assert.deepStrictEqual(yield* Stream.runCollect(store.list(`${root}/none/`)), [])
          assert.deepStrictEqual(yield* read(store.get(`${root}/a/b`)), text(`${root}/a/b`))
        }))

      it.effect("removes one object, and is content when there is none", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const root = randomUUID()
          yield* write(`${root}/a`, "a")
          yield* write(`${root}/a/b`, "b")
          yield* store.remove(`${root}/a`)
          yield* store.remove(`${root}/a`)
          assert.deepStrictEqual(yield* Stream.runCollect(store.list(`${root}/`)), [`${root}/a/b`])
        }))

      it.effect("removes everything under a prefix and nothing beside it, and says how many went", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const root = randomUUID()
          yield* Effect.forEach(["hls/1/a", "hls/1/b/c", "hls/10/a", "hls/1"], (key) => write(`${root}/${key}`, key))
          assert.strictEqual(yield* store.removePrefix(`${root}/hls/1/`), 2)
          assert.strictEqual(yield* store.removePrefix(`${root}/hls/1/`), 0)
          assert.deepStrictEqual(
            sorted(yield* Stream.runCollect(store.list(`${root}/`))),
            sorted([`${root}/hls/10/a`, `${root}/hls/1`])
          )
          yield* write(`${root}/hls/1/a`, "again")
          assert.deepStrictEqual(yield* read(store.get(`${root}/hls/1/a`)), text("again"))
        }))

      it.effect("gives a part of the object that was looked at, and of no other that has taken its place", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const key = `${randomUUID()}/part`
          const bytes = pattern(10_000, 5)
          yield* store.put(key, Stream.make(bytes), { ...binary, size: bytes.length })
          const head = yield* store.head(key)
          assert.deepStrictEqual(Uint8Array.from(yield* store.getPart(head, { start: 4_000, end: 8_999 })), bytes.slice(4_000, 9_000))
          assert.deepStrictEqual(Uint8Array.from(yield* store.getPart(head, { start: 9_999, end: 9_999 })), bytes.slice(9_999))
          yield* store.put(key, Stream.make(pattern(10_000, 6)), { ...binary, size: bytes.length })
          const changed = yield* Effect.flip(store.getPart(head, { start: 0, end: 9 }))
          assert.strictEqual(changed._tag, "ObjectChanged")
          yield* store.remove(key)
          assert.strictEqual((yield* Effect.flip(store.getPart(head, { start: 0, end: 9 })))._tag, "ObjectNotFound")
        }))

      const putSeen = Effect.fnUntraced(function*(key: string, etag: string | null, content: string) {
        const { putIfUnchanged } = yield* ObjectStore
        return yield* putIfUnchanged({ key, etag }, text(content), playlist)
      })

      it.effect("puts an object where there still is none, and refuses where there is one by now", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const key = `${randomUUID()}/video/hls/7/master.m3u8`
          yield* putSeen(key, null, "first")
          const { contentType, size } = yield* store.head(key)
          assert.deepStrictEqual([contentType, size], [playlist.contentType, 5])
          const refused = yield* Effect.flip(putSeen(key, null, "second"))
          assert.strictEqual(refused._tag, "ObjectChanged")
          assert.deepStrictEqual(yield* read(store.get(key)), text("first"))
        }))

      it.effect("replaces an object that is still the one that was seen, and neither another nor one that is gone", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          const prefix = `${randomUUID()}/hls/`
          const key = `${prefix}master.m3u8`
          yield* write(key, "first")
          const { etag } = yield* store.head(key)
          yield* putSeen(key, etag, "second")
          assert.deepStrictEqual(yield* read(store.get(key)), text("second"))
          assert.strictEqual((yield* store.head(key)).contentType, playlist.contentType)
          assert.strictEqual((yield* Effect.flip(putSeen(key, etag, "third")))._tag, "ObjectChanged")
          assert.deepStrictEqual(yield* read(store.get(key)), text("second"))

          const second = yield* store.head(key)
          yield* store.removePrefix(prefix)
          assert.strictEqual((yield* Effect.flip(putSeen(key, second.etag, "fourth")))._tag, "ObjectChanged")
          assert.deepStrictEqual(yield* Stream.runCollect(store.list(prefix)), [])
          yield* putSeen(key, null, "fifth")
          assert.deepStrictEqual(yield* read(store.get(key)), text("fifth"))
        }))

      for (const there of ["none", "an object"]) {
        it.effect(`lets one of many through that have seen ${there} at the same time`, () =>
          Effect.gen(function*() {
            const store = yield* ObjectStore
            const key = `${randomUUID()}/contended`
            if (there !== "none") yield* write(key, "before")
            const etag = there === "none" ? null : (yield* store.head(key)).etag
            const contents = Array.from({ length: 12 }, (_, index) => `by ${index}`)
            const exits = yield* Effect.forEach(contents, (content) => Effect.exit(putSeen(key, etag, content)), {
              concurrency: "unbounded"
            })
            const [winner, ...others] = contents.filter((_, index) => exits[index]?._tag === "Success")
            assert.deepStrictEqual(others, [])
            assert.deepStrictEqual(yield* read(store.get(key)), text(winner ?? ""))
          }))
      }

      const smallestPart = 5 * 1024 * 1024
      const putPart = Effect.fnUntraced(function*(upload: MultipartUpload, number: number, bytes: Uint8Array) {
        const { multipart } = yield* ObjectStore
        return yield* multipart.putPart(upload, number, chunked(bytes, 1_000_003), bytes.length)
      })

      it.effect("makes an object of parts that came in any order and again, in one step, with the headers of its beginning", () =>
        Effect.gen(function*() {
          const { get, head, list, multipart } = yield* ObjectStore
          const prefix = `${randomUUID()}/`
          const key = `${prefix}raw.mp4`
          const upload = yield* multipart.begin(key, { contentType: "video/mp4", cacheControl: "private" })
          const bytes = pattern(2 * smallestPart + 7, 9)
          const third = yield* putPart(upload, 3, bytes.subarray(2 * smallestPart))
          yield* putPart(upload, 1, pattern(smallestPart, 1))
          const second = yield* putPart(upload, 2, bytes.subarray(smallestPart, 2 * smallestPart))
          const first = yield* putPart(upload, 1, bytes.subarray(0, smallestPart))
          assert.strictEqual((yield* Effect.flip(head(key)))._tag, "ObjectNotFound")
          assert.deepStrictEqual(yield* Stream.runCollect(list(prefix)), [])
          assert.deepStrictEqual(yield* multipart.parts(upload), [first, second, third])

          yield* multipart.complete(upload, [first, second, third])
          const made = yield* head(key)
          assert.deepStrictEqual([made.size, made.contentType], [bytes.length, "video/mp4"])
          assert.isTrue(Buffer.from(yield* read(get(key))).equals(bytes))
          assert.strictEqual((yield* Effect.flip(multipart.parts(upload)))._tag, "UploadNotFound")
          assert.strictEqual((yield* Effect.flip(putPart(upload, 4, bytes.subarray(0, 3))))._tag, "UploadNotFound")
          assert.deepStrictEqual(yield* Stream.runCollect(multipart.list(prefix)), [])
        }))

      it.effect("makes no object of parts that are not there as they are named", () =>
        Effect.gen(function*() {
          const { head, multipart } = yield* ObjectStore
          const key = `${randomUUID()}/raw.mp4`
          const upload = yield* multipart.begin(key, binary)
          const first = yield* putPart(upload, 1, pattern(smallestPart, 1))
          const second = yield* putPart(upload, 2, pattern(5, 2))
          const third = yield* putPart(upload, 3, pattern(5, 3))
          const other = { number: 2, etag: first.etag }
          for (const named of [[], [first, other], [first, { ...third, number: 4 }], [second, first], [first, second, third]]) {
            const failure = yield* Effect.flip(multipart.complete(upload, named))
            assert.strictEqual(failure._tag, "UploadIncomplete", JSON.stringify(named))
          }
          assert.strictEqual((yield* Effect.flip(head(key)))._tag, "ObjectNotFound")
          yield* multipart.complete(upload, [first, third])
          assert.strictEqual((yield* head(key)).size, smallestPart + 5)
        }))

      it.effect("lists what has begun and not ended, and takes an abandoned upload away with its parts", () =>
        Effect.gen(function*() {
          const { head, multipart } = yield* ObjectStore
          const root = randomUUID()
          const uploads = yield* Effect.forEach(["a", "a", "b", "c"], (name) => multipart.begin(`${root}/${name}`, binary))
          const found = yield* Stream.runCollect(multipart.list(`${root}/`))
          const names = (some: ReadonlyArray<MultipartUpload>) => sorted(some.map(({ key, uploadId }) => `${key} ${uploadId}`))
          assert.deepStrictEqual(names(found), names(uploads))
          assert.isTrue(found.every(({ begunAt }) => Number.isSafeInteger(begunAt) && begunAt >= 0))
          assert.lengthOf(yield* Stream.runCollect(multipart.list(`${root}/a`)), 2)
          for (const upload of uploads) {
            const part = yield* putPart(upload, 1, text("part"))
            yield* multipart.abort(upload)
            yield* multipart.abort(upload)
            assert.strictEqual((yield* Effect.flip(multipart.complete(upload, [part])))._tag, "UploadNotFound")
            assert.strictEqual((yield* Effect.flip(head(upload.key)))._tag, "ObjectNotFound")
          }
          assert.deepStrictEqual(yield* Stream.runCollect(multipart.list(`${root}/`)), [])
        }))

      it.effect("knows an upload under its own key alone, and no id that it did not give", () =>
        Effect.gen(function*() {
          const { multipart } = yield* ObjectStore
          const root = randomUUID()
          const upload = yield* multipart.begin(`${root}/mine`, binary)
          const part = yield* putPart(upload, 1, text("part"))
          for (const stranger of [{ ...upload, key: `${root}/yours` }, { ...upload, uploadId: "../mine" }]) {
            assert.strictEqual((yield* Effect.flip(multipart.parts(stranger)))._tag, "UploadNotFound")
            assert.strictEqual((yield* Effect.flip(putPart(stranger, 1, text("x"))))._tag, "UploadNotFound")
            assert.strictEqual((yield* Effect.flip(multipart.complete(stranger, [part])))._tag, "UploadNotFound")
            yield* multipart.abort(stranger)
          }
          assert.deepStrictEqual(yield* multipart.parts(upload), [part])
        }))

      it.effect("takes a part's number beyond 10,000, or below 1, for a defect of the caller", () =>
        Effect.gen(function*() {
          const { multipart } = yield* ObjectStore
          const upload = yield* multipart.begin(`${randomUUID()}/numbered`, binary)
          for (const number of [0, 10_001, 1.5]) {
            assert.isTrue(Exit.hasDies(yield* Effect.exit(putPart(upload, number, text("x")))))
            const address = multipart.presignPart(upload, number, { expiresInSeconds: 60 })
            assert.isTrue(Exit.hasDies(yield* Effect.exit(address)))
          }
        }))

      for (const key of ["", "/a", "a/", "a//b", "../a", "a/../b", "./a", "a\0b", "a\nb", "이름", "x".repeat(1025)]) {
        it.effect(`takes the key ${JSON.stringify(key).slice(0, 20)} for a defect of the caller`, () =>
          Effect.gen(function*() {
            const store = yield* ObjectStore
            for (
              const call of [
                store.put(key, Stream.empty, { ...binary, size: 0 }),
                store.putIfUnchanged({ key, etag: null }, text("x"), binary),
                Stream.runDrain(store.get(key)),
                store.head(key),
                store.remove(key),
                store.presignPut(key, { contentType: "text/plain", expiresInSeconds: 60 }),
                store.presignGet(key, { expiresInSeconds: 60 })
              ]
            ) {
              const exit = yield* Effect.exit(Effect.asVoid<void | object | string, unknown, never>(call))
              assert.isTrue(Exit.hasDies(exit))
            }
          }))
      }

      it.effect("takes a prefix without a slash at its end for a defect of the caller", () =>
        Effect.gen(function*() {
          const store = yield* ObjectStore
          for (const prefix of ["", "/", "tenants", "tenants/../"]) {
            assert.isTrue(Exit.hasDies(yield* Effect.exit(store.removePrefix(prefix))))
          }
        }))

      it.effect("is ready when objects can be written", () => Effect.flatMap(ObjectStore, (store) => store.ping))
    })
  })
}
