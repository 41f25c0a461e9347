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

/** The object is not as it was seen: somebody has replaced it, removed it, or made one where there was none. */
export class ObjectChanged extends Schema.TaggedError<ObjectChanged>()("ObjectChanged", {
  key: Schema.String,
  /** The version that was looked at; `null`: there was none. */
  etag: Schema.NullOr(Schema.String)
}) {
  override get message(): string {
    return this.etag === null
      ? `There is an object "${this.key}" by now`
      : `Object "${this.key}" is no longer of version ${this.etag}`
  }
}

export interface ObjectHead {
  readonly key: string
  /** Bytes. */
  readonly size: number
  readonly contentType: string
  readonly etag: string
}

/** An object as it was when it was looked at. */
export interface SeenObject {
  readonly key: string
  /** `null`: there was none. */
  readonly etag: string | null
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
  /**
   * Creates or replaces a small object, if it still is as it was `seen`, in one step: of two that have seen the same,
   * one succeeds, and the other changes nothing. A write whose answer was lost may have succeeded and still fail with
   * `ObjectChanged`: whoever may try again looks again before. Versions are told apart by what they say: of two writes of
   * the same bytes the second may go unnoticed. A key is written this way or by `put`, not by both at a time.
   */
  readonly putIfUnchanged: (
    seen: SeenObject,
    bytes: Uint8Array,
    headers: ObjectHeaders
  ) => Effect.Effect<void, ObjectChanged | ObjectStoreUnavailable>
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
