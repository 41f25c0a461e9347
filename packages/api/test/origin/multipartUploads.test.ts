import { assert, describe, it } from "@effect/vitest"
import { ObjectStore, TenantId, VideoId, JobStore } from "@lectern/domain"
import { temporaryFolder } from "@lectern/harness"
import { Effect, Layer, Stream } from "effect"
import { maxFileBytes, maxUploadParts, uploadParts } from "../../src/origin/uploadParts.ts"
import { layerWith, objectsInFolder, OriginUnderTest, publicUrl } from "./OriginUnderTest.ts"

const multipart = "/api/v1/media/videos/upload/multipart/"
const mebibyte = 1024 ** 2

const withFolder = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  effect.pipe(
    Effect.provide(Layer.unwrap(Effect.map(temporaryFolder("objects"), (root) => layerWith(objectsInFolder(root)))))
  )

const bytes = Uint8Array.from({ length: 17 * mebibyte }, (_, index) => (index * 7 + (index >> 8)) & 0xff)

const begin = Effect.gen(function*() {
  const { call } = yield* OriginUnderTest
  const body = { title: "긴 강의", filename: "long.mov", file_size: bytes.length }
  const answer = yield* call(`${multipart}init/`, { body })
  assert.strictEqual(answer.status, 201, answer.text)
  const { content_type, file_key, part_count, part_size, upload_id, video } = answer.json
  return { named: { id: video.id, upload_id }, content_type, file_key, part_count, part_size }
})

type Begun = Effect.Success<typeof begin>

/** PUTs a part as a browser does, and answers what `complete` wants to know of it. */
const putPart = Effect.fnUntraced(function*({ named, part_size }: Begun, number: number) {
  const { call } = yield* OriginUnderTest
  const { json } = yield* call(`${multipart}presign/`, { body: { ...named, part_numbers: [number] } })
  const address: string = json.parts[0].upload_url
  const body = bytes.slice((number - 1) * part_size, number * part_size)
  const answer = yield* call(address.slice(publicUrl.length), { method: "PUT", body, tenant: null })
  assert.strictEqual(answer.status, 200, answer.text)
  return { part_number: number, etag: answer.headers.get("etag") ?? "" }
})

describe("an upload in parts", () => {
  it.live("goes from init over PUTs in any order to an encode that is on its way", () =>
    withFolder(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const objects = yield* ObjectStore
      const begun = yield* begin
      assert.deepStrictEqual([begun.part_size, begun.part_count, begun.content_type], [16 * mebibyte, 2, "video/quicktime"])
      const second = yield* putPart(begun, 2)
      const first = yield* putPart(begun, 1)
      const completed = yield* call(`${multipart}complete/`, { body: { ...begun.named, parts: [first, second] } })
      assert.deepStrictEqual([completed.status, completed.json.status], [200, "UPLOADED"], completed.text)
      assert.isTrue(Buffer.concat(yield* Stream.runCollect(objects.get(begun.file_key))).equals(bytes))
      const store = yield* JobStore
      const { job, video } = yield* store.getVideo(TenantId.make(1), VideoId.make(begun.named.id))
      assert.deepStrictEqual([job?.kind, video.fileSize], ["video_encode", bytes.length])
      const again = yield* call(`${multipart}complete/`, { body: begun.named })
      assert.deepStrictEqual([again.status, again.json.code], [409, "not_awaiting_upload"])
    })))

  it.live("goes on after a break: it says which parts are there, and completes with those that have arrived", () =>
    withFolder(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const begun = yield* begin
      const first = yield* putPart(begun, 1)
      const resumed = yield* call(`${multipart}presign/`, { body: { ...begun.named, part_numbers: [2], resume: true } })
      assert.deepStrictEqual(resumed.json.uploaded, [{ ...first, size: 16 * mebibyte }])
      assert.lengthOf(resumed.json.parts, 1)
      yield* putPart(begun, 2)
      const completed = yield* call(`${multipart}complete/`, { body: begun.named })
      assert.strictEqual(completed.status, 200, completed.text)
    })))

  it.live("is refused, and can still be completed, while a part is missing or another than was named", () =>
    withFolder(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const begun = yield* begin
      const first = yield* putPart(begun, 1)
      for (const parts of [[first, { part_number: 2, etag: "\"x\"" }], []]) {
        const answer = yield* call(`${multipart}complete/`, { body: { ...begun.named, parts } })
        assert.deepStrictEqual([answer.status, answer.json.code], [409, "upload_incomplete"])
      }
      const second = yield* putPart(begun, 2)
      const answer = yield* call(`${multipart}complete/`, { body: { ...begun.named, parts: [first, second] } })
      assert.strictEqual(answer.status, 200, answer.text)
    })))

  it.live("ends by abort with nothing left: no part, no object, no video, no address", () =>
    withFolder(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const objects = yield* ObjectStore
      const begun = yield* begin
      const { json } = yield* call(`${multipart}presign/`, { body: { ...begun.named, part_numbers: [1] } })
      yield* putPart(begun, 1)
      assert.strictEqual((yield* call(`${multipart}abort/`, { body: begun.named })).status, 204)
      assert.strictEqual((yield* call(`/api/v1/media/videos/${begun.named.id}/`)).status, 404)
      assert.deepStrictEqual(yield* Stream.runCollect(objects.multipart.list("")), [])
      assert.deepStrictEqual(yield* Stream.runCollect(objects.list("tenants/")), [])
      const late = yield* call(json.parts[0].upload_url.slice(publicUrl.length), { method: "PUT", body: "late", tenant: null })
      assert.strictEqual(late.status, 404)
    })))

  it.live("belongs to its video and its tenant: another's id, or another upload's, gets nowhere", () =>
    withFolder(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const [mine, other] = [yield* begin, yield* begin]
      yield* putPart(mine, 1)
      const mixed = { id: other.named.id, upload_id: mine.named.upload_id }
      for (const [end, fields] of [["presign/", { part_numbers: [1], resume: true }], ["complete/", {}], ["abort/", {}]] as const) {
        assert.strictEqual((yield* call(`${multipart}${end}`, { body: { ...mine.named, ...fields }, tenant: 2 })).status, 404)
      }
      const resumed = yield* call(`${multipart}presign/`, { body: { ...mixed, part_numbers: [], resume: true } })
      assert.deepStrictEqual([resumed.status, resumed.json.code], [409, "upload_not_found"])
      const completed = yield* call(`${multipart}complete/`, { body: mixed })
      assert.deepStrictEqual([completed.status, completed.json.code], [409, "object_missing"])
      const still = yield* call(`${multipart}presign/`, { body: { ...mine.named, part_numbers: [], resume: true } })
      assert.lengthOf(still.json.uploaded, 1)
    })))

  it.live("is not begun for a file that is too large, or of a kind that is not taken", () =>
    withFolder(Effect.gen(function*() {
      const { call } = yield* OriginUnderTest
      const objects = yield* ObjectStore
      for (const [fields, code] of [
        [{ file_size: maxFileBytes + 1, filename: "a.mp4" }, "file_too_large"],
        [{ file_size: 1, filename: "a.exe" }, "unsupported_extension"]
      ] as const) {
        const answer = yield* call(`${multipart}init/`, { body: { title: "t", ...fields } })
        assert.deepStrictEqual([answer.status, answer.json.code], [400, code])
      }
      assert.deepStrictEqual(yield* Stream.runCollect(objects.multipart.list("")), [])
    })))
})

describe("uploadParts", () => {
  it.live("cuts every file that is taken into parts that cover it and whose names fit one body", () =>
    Effect.sync(() => {
      for (const size of [1, 16 * mebibyte, 16 * mebibyte + 1, 10 * 1024 ** 3, maxFileBytes]) {
        const parts = uploadParts(size)
        assert.isAtMost(parts.count, maxUploadParts)
        assert.isTrue(parts.size * parts.count >= size && parts.size * (parts.count - 1) < size, String(size))
        assert.isAtLeast(parts.size, 5 * mebibyte)
      }
    }))
})
