import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { MultipartUploads } from "./MultipartUploads.ts"

/** The object store did not answer, or refused. */
export class ObjectStoreUnavailable extends Schema.TaggedError<ObjectStoreUnavailable>()("ObjectStoreUnavailable", {
  operation: Schema.String,
  key: Schema.String,
  /** Whether the same call may succeed later; a refused permission will not. */
  retryable: Schema.Boolean,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Cannot ${this.operation} object "${this.key}"`
  }
}

/** There is no such object. A store that may not look does not answer so: denied is not absent (INCIDENTS.md, 16). */
export class ObjectNotFound extends Schema.TaggedError<ObjectNotFound>()("ObjectNotFound", { key: Schema.String }) {
  override get message(): string {
    return `There is no object "${this.key}"`
  }
}

/** The object is not the one that was looked at: somebody has replaced it. */
export class ObjectChanged extends Schema.TaggedError<ObjectChanged>()("ObjectChanged", {
  key: Schema.String,
  etag: Schema.String
}) {
  override get message(): string {
    return `Object "${this.key}" is no longer of version ${this.etag}`
  }
}

export interface ObjectHead {
  readonly key: string
  /** Bytes. */
  readonly size: number
  readonly contentType: string
  readonly etag: string
}

export interface ObjectHeaders {
  readonly contentType: string
  readonly cacheControl: string
}

/**
 * Named blobs with a content type. Keys are relative paths of printable characters, `/` between the parts; a key with an empty
 * part, `.` or `..` is a defect of the caller.
 */
export class ObjectStore extends Context.Service<ObjectStore, {
  /** Creates or replaces an object as a whole: a reader sees the old one or the new one. `size` in bytes is exact. */
  readonly put: <E>(
    key: string,
    body: Stream.Stream<Uint8Array, E>,
    options: ObjectHeaders & { readonly size: number }
  ) => Effect.Effect<void, E | ObjectStoreUnavailable>
  /** Bytes `start` to `end` (inclusive) when a range is given. */
  readonly get: (
    key: string,
    range?: { readonly start: number; readonly end: number }
  ) => Stream.Stream<Uint8Array, ObjectNotFound | ObjectStoreUnavailable>
  /**
   * Bytes `start` to `end` (inclusive) of the object as long as it has this `etag`, all of them, in memory: one part of a
   * download whose other parts must be of the same object.
   */
  readonly getPart: (
    head: Pick<ObjectHead, "etag" | "key">,
    range: { readonly start: number; readonly end: number }
  ) => Effect.Effect<Uint8Array, ObjectNotFound | ObjectChanged | ObjectStoreUnavailable>
  readonly head: (key: string) => Effect.Effect<ObjectHead, ObjectNotFound | ObjectStoreUnavailable>
  /** All keys that start with `prefix`, in no order. */
  readonly list: (prefix: string) => Stream.Stream<string, ObjectStoreUnavailable>
  /** Harmless when there is none. */
  readonly remove: (key: string) => Effect.Effect<void, ObjectStoreUnavailable>
  /** Removes everything under a prefix, which ends in `/`. Repeated after a failure it goes on. Answers how many went. */
  readonly removePrefix: (prefix: string) => Effect.Effect<number, ObjectStoreUnavailable>
  /** An address to which a browser may PUT the object once, with exactly this content type, for so long. */
  readonly presignPut: (
    key: string,
    options: { readonly contentType: string; readonly expiresInSeconds: number }
  ) => Effect.Effect<string, ObjectStoreUnavailable>
  /** An address from which a browser may GET the object for so long, under a name for the download if one is given. */
  readonly presignGet: (
    key: string,
    options: { readonly expiresInSeconds: number; readonly downloadName?: string }
  ) => Effect.Effect<string, ObjectStoreUnavailable>
  /** Objects that are too big for one PUT. */
  readonly multipart: MultipartUploads
  /** Fails when objects cannot be written: for readiness. */
  readonly ping: Effect.Effect<void, ObjectStoreUnavailable>
}>()("@lectern/domain/ObjectStore") {}
