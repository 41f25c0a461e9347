import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import {
  ObjectChanged,
  type ObjectHead,
  type ObjectHeaders,
  ObjectNotFound,
  ObjectStore,
  ObjectStoreUnavailable
} from "../ObjectStore.ts"
import { concatenated } from "./concatenated.ts"
import { multipartUploadsMemory } from "./MultipartUploadsMemory.ts"

interface Held {
  readonly head: ObjectHead
  readonly bytes: Uint8Array
}

const isKey = (key: string): boolean =>
  key.length <= 1024 && /^[\x20-\x7e]+$/.test(key) && key.split("/").every((part) => part !== "" && part !== "." && part !== "..")

const checked = (key: string): Effect.Effect<string> =>
  isKey(key) ? Effect.succeed(key) : Effect.die(new Error(`Cannot use "${key}" as the key of an object`))

/** Objects in memory. Addresses are `memory://put/{key}` and `memory://get/{key}`: nothing answers there. */
export const layer: Layer.Layer<ObjectStore> = Layer.sync(ObjectStore, () => {
  const objects = new Map<string, Held>()
  let writes = 0

  const find = (key: string) =>
    Effect.flatMap(checked(key), () => {
      const found = objects.get(key)
      return found === undefined ? Effect.fail(new ObjectNotFound({ key })) : Effect.succeed(found)
    })

  const place = (key: string, bytes: Uint8Array, { contentType }: ObjectHeaders): void => {
    writes += 1
    objects.set(key, { bytes, head: { key, size: bytes.byteLength, contentType, etag: `"${writes}"` } })
  }

  return ObjectStore.of({
    put: (key, body, options) =>
      Effect.gen(function*() {
        yield* checked(key)
        const bytes = concatenated(yield* Stream.runCollect(body))
        if (bytes.byteLength !== options.size) {
          return yield* new ObjectStoreUnavailable({
            operation: "write",
            key,
            retryable: false,
            cause: new Error(`${bytes.byteLength} bytes came, not ${options.size}`)
          })
        }
        place(key, bytes, options)
      }),
    putIfUnchanged: ({ etag, key }, bytes, headers) =>
      Effect.flatMap(checked(key), () => {
        if ((objects.get(key)?.head.etag ?? null) !== etag) return Effect.fail(new ObjectChanged({ key, etag }))
        place(key, bytes.slice(), headers)
        return Effect.void
      }),
    get: (key, range) =>
      Stream.fromEffect(
        Effect.map(find(key), ({ bytes }) => range === undefined ? bytes : bytes.slice(range.start, range.end + 1))
      ),
    getPart: ({ etag, key }, range) =>
      Effect.flatMap(find(key), ({ bytes, head }) =>
        head.etag === etag
          ? Effect.succeed(bytes.slice(range.start, range.end + 1))
          : Effect.fail(new ObjectChanged({ key, etag }))),
    head: (key) => Effect.map(find(key), ({ head }) => head),
    list: (prefix) => Stream.suspend(() => Stream.fromIterable([...objects.keys()].filter((key) => key.startsWith(prefix)))),
    remove: (key) => Effect.map(checked(key), () => void objects.delete(key)),
    removePrefix: (prefix) =>
      prefix.endsWith("/") && isKey(prefix.slice(0, -1))
        ? Effect.sync(() => [...objects.keys()].filter((key) => key.startsWith(prefix) && objects.delete(key)).length)
        : Effect.die(new Error(`Cannot remove the objects under "${prefix}": it is no key with a slash at its end`)),
    presignPut: (key) => Effect.map(checked(key), () => `memory://put/${key}`),
    presignGet: (key) => Effect.map(checked(key), () => `memory://get/${key}`),
    multipart: multipartUploadsMemory(checked, place),
    ping: Effect.void
  })
})
