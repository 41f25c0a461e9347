/**
 * How one object lies in one file: its bytes, then a description of it, then where that begins.
 *
 *     bytes of the object | JSON | length of the JSON (4 bytes, big endian) | "LECTERN1"
 *
 * Bytes and description in one file change together by one rename, and a reader that has the file open keeps both.
 */
import { Effect, type FileSystem, Option, type PlatformError, Schema } from "effect"

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
export const encodeDescription = (description: ObjectDescription): Effect.Effect<Uint8Array> =>
  Effect.map(Effect.orDie(Schema.encodeEffect(ObjectDescription)(description)), (text) => {
    const json = new TextEncoder().encode(text)
    const tail = new Uint8Array(json.length + footerBytes)
    tail.set(json, 0)
    new DataView(tail.buffer).setUint32(json.length, json.length)
    tail.set(magic, json.length + 4)
    return tail
  })

const readExactly = Effect.fnUntraced(function*(file: FileSystem.File, position: number, length: number) {
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
