import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { EpochMillis } from "./Epoch.ts"
import type { ObjectHeaders, ObjectStoreUnavailable } from "./ObjectStore.ts"

/** Bytes that every part but the last has at least. */
export const minPartBytes = 5 * 1024 ** 2

/** How many parts an upload may have, numbered from 1. */
export const maxParts = 10_000

/** An upload in parts that has begun: the key of the object that it is to become, and the store's own id of it. */
export interface MultipartUpload {
  readonly key: string
  readonly uploadId: string
}

/** A part as the store holds it. */
export interface UploadedPart {
  readonly number: number
  /** Bytes. */
  readonly size: number
  readonly etag: string
}

/** No such upload of this key: it was completed, aborted, or never begun. */
export class UploadNotFound extends Schema.TaggedError<UploadNotFound>()("UploadNotFound", {
  key: Schema.String,
  uploadId: Schema.String
}) {
  override get message(): string {
    return `There is no upload "${this.uploadId}" of object "${this.key}"`
  }
}

/** The parts named are not the parts held: one is missing, has another etag, is out of order, or is too small. */
export class UploadIncomplete extends Schema.TaggedError<UploadIncomplete>()("UploadIncomplete", {
  key: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `Cannot complete the upload of object "${this.key}": ${this.detail}`
  }
}

/** Why these parts of those held make no object, or `null` if they do. */
export const partsFault = (
  held: ReadonlyMap<number, UploadedPart>,
  named: ReadonlyArray<Pick<UploadedPart, "etag" | "number">>
): string | null => {
  if (named.length === 0) return "it has no parts"
  let before = 0
  for (const [index, { etag, number }] of named.entries()) {
    const part = held.get(number)
    if (number <= before) return `part ${number} comes after part ${before}`
    if (part === undefined || part.etag !== etag) return `part ${number} is not there as ${etag}`
    if (part.size < minPartBytes && index < named.length - 1) {
      return `part ${number} has ${part.size} bytes, less than ${minPartBytes}`
    }
    before = number
  }
  return null
}

/**
 * Objects that arrive in parts: in parallel, in any order, each part again if it failed. Until `complete` nobody sees an object;
 * an upload that is neither completed nor aborted costs room for ever, so that somebody has to `list` and abort it.
 */
export interface MultipartUploads {
  readonly begin: (key: string, headers: ObjectHeaders) => Effect.Effect<MultipartUpload, ObjectStoreUnavailable>
  /** Stores or replaces part `number`; `size` in bytes is exact. */
  readonly putPart: <E>(
    upload: MultipartUpload,
    number: number,
    body: Stream.Stream<Uint8Array, E>,
    size: number
  ) => Effect.Effect<UploadedPart, E | UploadNotFound | ObjectStoreUnavailable>
  /** An address to which a browser may PUT this part for so long; the answer's `ETag` names what arrived. */
  readonly presignPart: (
    upload: MultipartUpload,
    number: number,
    options: { readonly expiresInSeconds: number }
  ) => Effect.Effect<string, ObjectStoreUnavailable>
  /** The parts that are there, by number: what a broken upload need not send again. */
  readonly parts: (
    upload: MultipartUpload
  ) => Effect.Effect<ReadonlyArray<UploadedPart>, UploadNotFound | ObjectStoreUnavailable>
  /** Makes the object of these parts, in the order of their numbers, in one step. */
  readonly complete: (
    upload: MultipartUpload,
    parts: ReadonlyArray<Pick<UploadedPart, "etag" | "number">>
  ) => Effect.Effect<void, UploadNotFound | UploadIncomplete | ObjectStoreUnavailable>
  /** Harmless when there is no such upload. */
  readonly abort: (upload: MultipartUpload) => Effect.Effect<void, ObjectStoreUnavailable>
  /** Every upload that has begun and not ended, of keys that start with `prefix`. */
  readonly list: (
    prefix: string
  ) => Stream.Stream<MultipartUpload & { readonly begunAt: EpochMillis }, ObjectStoreUnavailable>
}
