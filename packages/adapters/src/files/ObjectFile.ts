/**
 * How one object lies in one file: its bytes, then a description of it, then where that begins.
 *
 *     bytes of the object | JSON | length of the JSON (4 bytes, big endian) | "LECTERN1"
 *
 * Bytes and description in one file change together by one rename, and a reader that has the file open keeps both.
 */
import { Effect, FileSystem, Option, type PlatformError, Schema, Stream } from "effect"
import { createHash } from "node:crypto"

const magic = new TextEncoder().encode("LECTERN1")
const footerBytes = 4 + magic.length

/** The most that a description may take; more is damage. */
const maxDescriptionBytes = 65_536

const ObjectDescription = Schema.fromJsonString(Schema.Struct({
  contentType: Schema.String,
  cacheControl: Schema.String,
  etag: Schema.String
}))

export interface ObjectDescription {
  readonly contentType: string
  readonly cacheControl: string
  readonly etag: string
}

/** The file under an object's name is none of ours, or was cut. */
export class ObjectFileDamaged extends Schema.TaggedError<ObjectFileDamaged>()("ObjectFileDamaged", {
  detail: Schema.String
}) {
  override get message(): string {
    return `Cannot read the file of an object: ${this.detail}`
  }
}

/** What stands after the bytes. */
const encodeDescription = (description: ObjectDescription): Effect.Effect<Uint8Array> =>
  Effect.map(Effect.orDie(Schema.encodeEffect(ObjectDescription)(description)), (text) => {
    const json = new TextEncoder().encode(text)
    const tail = new Uint8Array(json.length + footerBytes)
    tail.set(json, 0)
    new DataView(tail.buffer).setUint32(json.length, json.length)
    tail.set(magic, json.length + 4)
    return tail
  })

/** The body was not as long as announced. */
export class BodySizeWrong extends Schema.TaggedError<BodySizeWrong>()("BodySizeWrong", {
  came: Schema.Int,
  announced: Schema.Int
}) {
  override get message(): string {
    return this.came > this.announced
      ? `More than ${this.announced} bytes came`
      : `Only ${this.came} bytes came, not ${this.announced}`
  }
}

/**
 * Writes a new file of exactly `size` bytes of an object and its description, syncs it, and answers the object's etag. `failed`
 * says what a failure of the file is to the caller; one of the body stays as it is.
 */
export const writeObjectFile = <E, F>(
  path: string,
  body: Stream.Stream<Uint8Array, E>,
  headers: { readonly contentType: string; readonly cacheControl: string; readonly size: number },
  failed: (cause: BodySizeWrong | PlatformError.PlatformError) => F
): Effect.Effect<string, E | F, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const { cacheControl, contentType, size } = headers
    const handle = yield* Effect.mapError(fs.open(path, { flag: "wx" }), failed)
    const hash = createHash("sha256")
    let came = 0
    yield* Stream.runForEach(body, (chunk) => {
      came += chunk.byteLength
      if (came > size) return Effect.fail(failed(new BodySizeWrong({ came, announced: size })))
      hash.update(chunk)
      return Effect.mapError(handle.writeAll(chunk), failed)
    })
    if (came !== size) return yield* Effect.fail(failed(new BodySizeWrong({ came, announced: size })))
    const etag = `"${hash.digest("hex")}"`
    const tail = yield* encodeDescription({ contentType, cacheControl, etag })
    yield* Effect.mapError(Effect.andThen(handle.writeAll(tail), handle.sync), failed)
    return etag
  }).pipe(Effect.scoped)

/** So many bytes from `position`, all of them. */
export const readExactly = Effect.fnUntraced(function*(file: FileSystem.File, position: number, length: number) {
  const bytes = new Uint8Array(length)
  let done = 0
  while (done < length) {
    const read = yield* file.read(bytes.subarray(done), { position: BigInt(position + done) })
    if (read === 0) return yield* new ObjectFileDamaged({ detail: "it ended early" })
    done += read
  }
  return bytes
})

/** The description in an open file, and how many bytes the object has. */
export const readDescription = Effect.fnUntraced(function*(
  file: FileSystem.File
): Effect.fn.Return<ObjectDescription & { readonly size: number }, ObjectFileDamaged | PlatformError.PlatformError> {
  const { size, type } = yield* file.stat
  if (type !== "File") return yield* new ObjectFileDamaged({ detail: "it is no regular file" })
  const length = Number(size)
  if (length < footerBytes) return yield* new ObjectFileDamaged({ detail: "it is too short" })
  const footer = yield* readExactly(file, length - footerBytes, footerBytes)
  if (magic.some((byte, index) => footer[4 + index] !== byte)) {
    return yield* new ObjectFileDamaged({ detail: "it does not end as ours do" })
  }
  const jsonLength = new DataView(footer.buffer).getUint32(0)
  const start = length - footerBytes - jsonLength
  if (jsonLength > maxDescriptionBytes || start < 0) {
    return yield* new ObjectFileDamaged({ detail: `its description would have ${jsonLength} bytes` })
  }
  const description = yield* Schema.decodeUnknownEffect(ObjectDescription)(
    new TextDecoder().decode(yield* readExactly(file, start, jsonLength))
  ).pipe(Effect.mapError((error) => new ObjectFileDamaged({ detail: error.message })))
  return { ...description, size: start }
})

/** The next bytes from `position`, none past `end` (exclusive). */
export const readChunk = (
  file: FileSystem.File,
  position: number,
  end: number
): Effect.Effect<Uint8Array, ObjectFileDamaged | PlatformError.PlatformError> =>
  Effect.flatMap(
    file.readAlloc(Math.min(65_536, end - position), { position: BigInt(position) }),
    Option.match({
      onNone: () => Effect.fail(new ObjectFileDamaged({ detail: "it ended early" })),
      onSome: Effect.succeed
    })
  )
