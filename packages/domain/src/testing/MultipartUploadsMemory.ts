import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import {
  maxParts,
  type MultipartUpload,
  type MultipartUploads,
  partsFault,
  type UploadedPart,
  UploadIncomplete,
  UploadNotFound
} from "../MultipartUploads.ts"
import type { ObjectHeaders } from "../ObjectStore.ts"
import { concatenated } from "./concatenated.ts"

interface HeldPart extends UploadedPart {
  readonly bytes: Uint8Array
}

interface HeldUpload extends MultipartUpload {
  readonly headers: ObjectHeaders
  readonly begunAt: number
  readonly parts: Map<number, HeldPart>
}

/** Uploads in parts beside the objects in memory; `place` makes an object of a finished one. */
export const multipartUploadsMemory = (
  checked: (key: string) => Effect.Effect<string>,
  place: (key: string, bytes: Uint8Array, headers: ObjectHeaders) => void
): MultipartUploads => {
  const uploads = new Map<string, HeldUpload>()
  let begun = 0
  let arrived = 0

  const find = ({ key, uploadId }: MultipartUpload) => {
    const found = uploads.get(uploadId)
    return found === undefined || found.key !== key
      ? Effect.fail(new UploadNotFound({ key, uploadId }))
      : Effect.succeed(found)
  }

  const numbered = (number: number): Effect.Effect<number> =>
    Number.isInteger(number) && number >= 1 && number <= maxParts
      ? Effect.succeed(number)
      : Effect.die(new Error(`Cannot number a part ${number}`))

  return {
    begin: Effect.fnUntraced(function*(key, headers) {
      yield* checked(key)
      begun += 1
      const uploadId = `upload-${begun}`
      uploads.set(uploadId, { key, uploadId, headers, begunAt: yield* Clock.currentTimeMillis, parts: new Map() })
      return { key, uploadId }
    }),
    putPart: Effect.fnUntraced(function*(upload, number, body, size) {
      yield* numbered(number)
      const bytes = concatenated(yield* Stream.runCollect(body))
      if (bytes.byteLength !== size) {
        return yield* Effect.die(new Error(`Cannot put part ${number}: ${bytes.byteLength} bytes came, not ${size}`))
      }
      const { parts } = yield* find(upload)
      arrived += 1
      const part = { number, size, etag: `"part-${arrived}"` }
      parts.set(number, { ...part, bytes })
      return part
    }),
    presignPart: ({ key, uploadId }, number) =>
      Effect.as(
        Effect.andThen(checked(key), numbered(number)),
        `memory://put/${key}?uploadId=${uploadId}&partNumber=${number}`
      ),
    parts: (upload) =>
      Effect.map(find(upload), ({ parts }) =>
        [...parts.values()]
          .map(({ etag, number, size }) => ({ number, size, etag }))
          .sort((one, other) => one.number - other.number)),
    complete: Effect.fnUntraced(function*(upload, named) {
      const { headers, key, parts, uploadId } = yield* find(upload)
      const fault = partsFault(parts, named)
      if (fault !== null) return yield* new UploadIncomplete({ key, detail: fault })
      const bodies = named.flatMap(({ number }) => parts.get(number)?.bytes ?? [])
      place(key, concatenated(bodies), headers)
      uploads.delete(uploadId)
    }),
    abort: (upload) =>
      Effect.sync(() => {
        if (uploads.get(upload.uploadId)?.key === upload.key) uploads.delete(upload.uploadId)
      }),
    list: (prefix) =>
      Stream.suspend(() =>
        Stream.fromIterable(
          [...uploads.values()]
            .filter(({ key }) => key.startsWith(prefix))
            .map(({ begunAt, key, uploadId }) => ({ key, uploadId, begunAt }))
        )
      )
  }
}
