import {
  type MultipartUpload,
  type MultipartUploads,
  type ObjectHeaders,
  type ObjectStoreUnavailable,
  partsFault,
  UploadIncomplete,
  UploadNotFound
} from "@lectern/domain"
import { Clock, Effect, FileSystem, Option, Path, type PlatformError, Schema, Stream } from "effect"
import { randomUUID } from "node:crypto"
import { checkedKey } from "./checkedKey.ts"
import { checkedPartNumber } from "./checkedPartNumber.ts"
import { readChunk, readDescription, writeObjectFile } from "./ObjectFile.ts"
import type { PartGrant } from "./ObjectGrants.ts"

export interface MultipartUploadsFilesOptions {
  /** The folder that holds a folder for each upload; it is made if need be. */
  readonly folder: string
  /** A path on the same file system for what is being written or removed. */
  readonly scratchPath: Effect.Effect<string>
  readonly unavailable: (operation: string, key: string) => (cause: unknown) => ObjectStoreUnavailable
  readonly isAbsent: (error: { readonly _tag: string }) => boolean
  readonly put: <E>(
    key: string,
    body: Stream.Stream<Uint8Array, E>,
    headers: ObjectHeaders & { readonly size: number }
  ) => Effect.Effect<void, E | ObjectStoreUnavailable>
  /** The address that grants this, for so many seconds. */
  readonly presign: (grant: Omit<PartGrant, "expiresAt">, expiresInSeconds: number) => Effect.Effect<string>
}

/** The object has headers, its parts have none. */
const noHeaders: ObjectHeaders = { contentType: "", cacheControl: "" }

const manifestName = "upload.json"

/** What is kept of an upload beside its parts. */
const Manifest = Schema.fromJsonString(
  Schema.Struct({
    key: Schema.String,
    contentType: Schema.String,
    cacheControl: Schema.String,
    /** Milliseconds since 1970-01-01T00:00:00Z. */
    begunAt: Schema.Int
  })
)

const decodeManifest = Schema.decodeUnknownEffect(Manifest)
const encodeManifest = Schema.encodeEffect(Manifest)

/** Ids come back from browsers: nothing else becomes a path. */
const isUploadId = (uploadId: string): boolean => /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(uploadId)

/**
 * Uploads in a folder: one folder each, with what they are to become and a file for each part, which lies as an object does.
 * A part is written beside and renamed, so that it is there as a whole or not at all, and a later one takes its place.
 */
export const multipartUploadsFiles = Effect.fnUntraced(function*(
  options: MultipartUploadsFilesOptions
): Effect.fn.Return<MultipartUploads, ObjectStoreUnavailable, FileSystem.FileSystem | Path.Path> {
  const { folder, isAbsent, presign, put, scratchPath, unavailable } = options
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  yield* fs.makeDirectory(folder, { recursive: true }).pipe(
    Effect.mapError(unavailable("prepare the folder for the uploads in", folder))
  )

  const folderOf = ({ uploadId }: MultipartUpload): string => paths.join(folder, uploadId)
  const partOf = (upload: MultipartUpload, number: number): string => paths.join(folderOf(upload), String(number))

  const absentOr = (
    operation: string,
    { key, uploadId }: MultipartUpload
  ) => (cause: PlatformError.PlatformError) =>
    isAbsent(cause) ? new UploadNotFound({ key, uploadId }) : unavailable(operation, key)(cause)

  const readManifest = (uploadId: string) =>
    Effect.flatMap(fs.readFileString(paths.join(folder, uploadId, manifestName)), decodeManifest)

  /** What the upload is to become, if it is one of this key. */
  const find = Effect.fnUntraced(function*(operation: string, upload: MultipartUpload) {
    const { key, uploadId } = upload
    const notFound = new UploadNotFound({ key, uploadId })
    if (!isUploadId(uploadId)) return yield* notFound
    const manifest = yield* readManifest(uploadId).pipe(
      Effect.catchTags({
        PlatformError: (error) => Effect.fail(absentOr(operation, upload)(error)),
        SchemaError: (error) => Effect.fail(unavailable(operation, key)(error))
      })
    )
    return manifest.key === key ? manifest : yield* notFound
  })

  const parts = Effect.fn("MultipartUploads.parts")(function*(upload: MultipartUpload) {
    yield* find("list the parts of", upload)
    const names = yield* fs.readDirectory(folderOf(upload)).pipe(Effect.mapError(absentOr("list the parts of", upload)))
    const numbers = names.filter((name) => name !== manifestName).map(Number).sort((one, other) => one - other)
    return yield* Effect.forEach(numbers, (number) =>
      Effect.flatMap(fs.open(partOf(upload, number), { flag: "r" }), readDescription).pipe(
        Effect.scoped,
        Effect.map(({ etag, size }) => ({ number, size, etag })),
        Effect.mapError((error) =>
          error._tag === "PlatformError"
            ? absentOr("list the parts of", upload)(error)
            : unavailable("list the parts of", upload.key)(error)
        )
      ))
  })

  const partBody = (upload: MultipartUpload, number: number, size: number) =>
    Stream.unwrap(Effect.map(
      fs.open(partOf(upload, number), { flag: "r" }),
      (handle) =>
        Stream.paginate(0, (position) =>
          position >= size
            ? Effect.succeed([[], Option.none<number>()] as const)
            : Effect.map(
              readChunk(handle, position, size),
              (chunk) => [[chunk], Option.some(position + chunk.byteLength)] as const
            ))
    )).pipe(Stream.mapError(unavailable("read a part of", upload.key)))

  /** Takes an upload away in one step, and then its files. Answers whether there was one. */
  const remove = (upload: MultipartUpload) =>
    Effect.gen(function*() {
      const trash = yield* scratchPath
      yield* fs.rename(folderOf(upload), trash)
      yield* fs.remove(trash, { recursive: true, force: true })
      return true
    }).pipe(
      Effect.catchIf(isAbsent, () => Effect.succeed(false)),
      Effect.mapError(unavailable("remove the parts of", upload.key))
    )

  return {
    begin: Effect.fn("MultipartUploads.begin")(function*(objectKey, { cacheControl, contentType }) {
      const key = yield* checkedKey(objectKey)
      const uploadId = randomUUID()
      const begunAt = yield* Clock.currentTimeMillis
      const manifest = yield* Effect.orDie(encodeManifest({ key, contentType, cacheControl, begunAt }))
      const temporary = yield* scratchPath
      yield* Effect.gen(function*() {
        yield* fs.makeDirectory(temporary)
        yield* fs.writeFileString(paths.join(temporary, manifestName), manifest)
        yield* fs.rename(temporary, paths.join(folder, uploadId))
      }).pipe(Effect.mapError(unavailable("begin the upload of", key)))
      return { key, uploadId }
    }),

    putPart: (upload, number, body, size) =>
      Effect.gen(function*() {
        yield* checkedPartNumber(number)
        yield* find("write a part of", upload)
        const etag = yield* Effect.acquireUseRelease(
          scratchPath,
          (temporary) =>
            Effect.tap(
              writeObjectFile(temporary, body, { ...noHeaders, size }, unavailable("write a part of", upload.key)),
              Effect.mapError(fs.rename(temporary, partOf(upload, number)), absentOr("write a part of", upload))
            ),
          (temporary) =>
            fs.remove(temporary, { force: true }).pipe(
              Effect.catchTag("PlatformError", (error) =>
                Effect.logWarning("A part that did not arrive was left to the sweep", { error: error.message }))
            )
        )
        return { number, size, etag }
      }).pipe(Effect.provideService(FileSystem.FileSystem, fs), Effect.withSpan("MultipartUploads.putPart")),

    presignPart: Effect.fn("MultipartUploads.presignPart")(function*({ key, uploadId }, number, { expiresInSeconds }) {
      yield* checkedKey(key)
      const part = yield* checkedPartNumber(number)
      return yield* presign({ method: "PUT_PART", key, uploadId, part }, expiresInSeconds)
    }),

    parts,

    complete: Effect.fn("MultipartUploads.complete")(function*(upload, named) {
      const { key } = upload
      const { cacheControl, contentType } = yield* find("complete the upload of", upload)
      const held = new Map((yield* parts(upload)).map((part) => [part.number, part]))
      const fault = partsFault(held, named)
      if (fault !== null) return yield* new UploadIncomplete({ key, detail: fault })
      const sizes = named.map(({ number }) => ({ number, size: held.get(number)?.size ?? 0 }))
      const size = sizes.reduce((sum, part) => sum + part.size, 0)
      const body = Stream.flatMap(Stream.fromIterable(sizes), (part) => partBody(upload, part.number, part.size))
      yield* put(key, body, { contentType, cacheControl, size })
      yield* remove(upload)
    }),

    abort: Effect.fn("MultipartUploads.abort")(function*(upload) {
      yield* find("abort the upload of", upload).pipe(
        Effect.andThen(remove(upload)),
        Effect.catchTag("UploadNotFound", () => Effect.succeed(false))
      )
    }),

    list: (prefix) =>
      Stream.fromIterableEffect(Effect.map(fs.readDirectory(folder), (names) => names.filter(isUploadId))).pipe(
        Stream.mapEffect((uploadId) =>
          readManifest(uploadId).pipe(
            Effect.map(({ begunAt, key }) => [{ key, uploadId, begunAt }]),
            // It has ended meanwhile.
            Effect.catchIf(isAbsent, () => Effect.succeed([]))
          )
        ),
        Stream.flatMap((found) => Stream.fromIterable(found)),
        Stream.filter(({ key }) => key.startsWith(prefix)),
        Stream.mapError(unavailable("list the uploads of", prefix))
      )
  }
})
