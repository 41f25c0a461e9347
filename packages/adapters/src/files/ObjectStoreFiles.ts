import {
  ObjectChanged,
  type ObjectHead,
  type ObjectHeaders,
  ObjectNotFound,
  ObjectStore,
  ObjectStoreUnavailable,
  type SeenObject
} from "@lectern/domain"
import { Clock, Effect, FileSystem, Layer, Option, Path, PlatformError, Stream } from "effect"
import { randomUUID } from "node:crypto"
import { checkedKey, checkedPrefix, checkedRange } from "./checkedKey.ts"
import { makeKeyTurns } from "./KeyTurns.ts"
import { multipartUploadsFiles } from "./MultipartUploadsFiles.ts"
import { readChunk, readDescription, readExactly, writeObjectFile } from "./ObjectFile.ts"
import { ObjectGrants } from "./ObjectGrants.ts"

export interface ObjectStoreFilesOptions {
  /** The folder that holds everything; it is made if need be. Several processes may use one folder. */
  readonly root: string
  /** Where this system is reached, without a slash at the end. */
  readonly publicUrl: string
}

/** A file that was being written or removed when its process died is swept after so long. */
const scratchLifetimeMillis = 24 * 60 * 60 * 1000

/** A directory that is removed while an object is put into it is made again, so often. */
const placeAttempts = 3

/** Ends the name of every object's file; no part of a key has a `~` of its own on disk. */
const objectSuffix = "~"

/** A key's part as a name on disk: without the suffix's character, `%`, and what other file systems forbid. */
const partToName = (part: string): string =>
  part.replaceAll(/[%~\\:*?"<>|]/g, (character) => `%${character.charCodeAt(0).toString(16).padStart(2, "0")}`)

const nameToPart = (name: string): string =>
  name.replaceAll(/%([0-9a-f]{2})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)))

const isAbsent = (error: { readonly _tag: string }): boolean =>
  error instanceof PlatformError.PlatformError && error.reason._tag === "NotFound"

const isThere = (error: { readonly _tag: string }): boolean =>
  error instanceof PlatformError.PlatformError && error.reason._tag === "AlreadyExists"

/** Faults that go away by themselves or by an operator's hand elsewhere; a refused permission and damage do not. */
const isRetryable = (cause: unknown): boolean =>
  cause instanceof PlatformError.PlatformError &&
  cause.reason._tag !== "PermissionDenied" && cause.reason._tag !== "BadArgument" && cause.reason._tag !== "BadResource"

/**
 * Objects in a folder.
 *
 * A put is written beside, synced and renamed, so that a reader sees the old object or the new one, also after a crash. Under
 * `objects/` the parts of a key are directories and an object's file ends in `~`: `a` and `a/b` can both exist. Case matters
 * only where it does to the file system.
 *
 * Whoever replaces an object on a condition, or removes one, holds the key's lock for that moment, so that he looks and
 * replaces in one step; what removes a whole directory does so by one rename, after which a replacement finds no place.
 */
export const layer = (
  options: ObjectStoreFilesOptions
): Layer.Layer<ObjectStore, ObjectStoreUnavailable, ObjectGrants | FileSystem.FileSystem | Path.Path> =>
  Layer.effect(
    ObjectStore,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const path = yield* Path.Path
      const grants = yield* ObjectGrants

      const unavailable = (operation: string, key: string) => (cause: unknown): ObjectStoreUnavailable =>
        cause instanceof ObjectStoreUnavailable
          ? cause
          : new ObjectStoreUnavailable({ operation, key, retryable: isRetryable(cause), cause })

      const root = yield* fs.makeDirectory(options.root, { recursive: true }).pipe(
        Effect.andThen(fs.realPath(options.root)),
        Effect.mapError(unavailable("prepare the folder for", options.root))
      )
      const objects = path.join(root, "objects")
      const scratch = path.join(root, "scratch")

      const { inTurn } = yield* makeKeyTurns(path.join(root, "locks")).pipe(
        Effect.mapError(unavailable("prepare the folder for", options.root))
      )

      const scratchPath = Effect.map(Clock.currentTimeMillis, (now) => path.join(scratch, `${now}-${randomUUID()}`))

      const fileOf = (key: string): string =>
        path.join(objects, ...key.split("/").map(partToName)) + objectSuffix

      const directoryOf = (prefix: string): string =>
        path.join(objects, ...prefix.split("/").filter((part) => part !== "").map(partToName))

      /** Refuses a directory that leads out of the store by a symbolic link; one that does not exist leads nowhere. */
      const inside = (directory: string): Effect.Effect<void, PlatformError.PlatformError> =>
        fs.realPath(directory).pipe(
          Effect.flatMap((real) =>
            real === directory ? Effect.void : Effect.fail(PlatformError.badArgument({
              module: "ObjectStoreFiles",
              method: "inside",
              description: `the folder "${directory}" is a symbolic link`
            }))
          ),
          Effect.catchIf(isAbsent, () => directory === objects ? Effect.void : inside(path.dirname(directory)))
        )

      /** The open file of an object, as it is now. */
      const open = Effect.fnUntraced(function*(_operation: string, key: string) {
        const file = fileOf(yield* checkedKey(key))
        yield* inside(path.dirname(file))
        const handle = yield* fs.open(file, { flag: "r", noFollow: true })
        return { handle, description: yield* readDescription(handle) }
      }, (effect, operation, key) =>
        Effect.mapError(effect, (error) =>
          isAbsent(error) ? new ObjectNotFound({ key }) : unavailable(operation, key)(error)))

      /** A rename is on disk when its directory is. */
      const syncDirectory = (directory: string) =>
        Effect.scoped(Effect.flatMap(fs.open(directory, { flag: "r" }), (handle) => handle.sync))

      /** Brings a written file under its name by `bring`, in a directory that is made if need be. */
      const place = Effect.fnUntraced(function*(to: string, bring: Effect.Effect<void, PlatformError.PlatformError>) {
        const directory = path.dirname(to)
        yield* inside(directory)
        yield* fs.makeDirectory(directory, { recursive: true })
        yield* bring
        yield* syncDirectory(directory)
      }, Effect.retry({ times: placeAttempts - 1, while: isAbsent }))

      /** Brings a written file under the name of the object that was seen, if it still is that one. */
      const replace = Effect.fnUntraced(function*(from: string, { etag, key }: SeenObject) {
        const to = fileOf(key)
        const { description } = yield* Effect.scoped(open("write", key))
        if (description.etag !== etag) return yield* new ObjectChanged({ key, etag })
        yield* fs.rename(from, to)
        yield* syncDirectory(path.dirname(to))
      }, (effect, _, { etag, key }) =>
        Effect.mapError(effect, (error) =>
          error._tag === "ObjectNotFound" || isAbsent(error)
            ? new ObjectChanged({ key, etag })
            : error))

      const discard = (file: string): Effect.Effect<void> =>
        fs.remove(file, { recursive: true, force: true }).pipe(
          Effect.catchTag("PlatformError", (error) =>
            Effect.logWarning("A file beside the objects was left to the sweep", { file, error: error.message }))
        )

      /** Writes an object's file beside the others, and brings it under the object's name by `bring`. */
      const write = <E, F>(
        key: string,
        body: Stream.Stream<Uint8Array, E>,
        headers: ObjectHeaders & { readonly size: number },
        bring: (temporary: string, target: string) => Effect.Effect<void, F>
      ): Effect.Effect<void, E | F | ObjectStoreUnavailable> =>
        Effect.gen(function*() {
          const target = fileOf(yield* checkedKey(key))
          yield* Effect.acquireUseRelease(
            scratchPath,
            (temporary) =>
              Effect.andThen(
                writeObjectFile(temporary, body, headers, unavailable("write", key)),
                bring(temporary, target)
              ),
            discard
          )
        }).pipe(Effect.provideService(FileSystem.FileSystem, fs))

      const put = <E>(
        key: string,
        body: Stream.Stream<Uint8Array, E>,
        headers: ObjectHeaders & { readonly size: number }
      ): Effect.Effect<void, E | ObjectStoreUnavailable> =>
        write(key, body, headers, (temporary, target) =>
          Effect.mapError(place(target, fs.rename(temporary, target)), unavailable("write", key))
        ).pipe(Effect.withSpan("ObjectStore.put"))

      const putIfUnchanged = Effect.fn("ObjectStore.putIfUnchanged")((
        seen: SeenObject,
        bytes: Uint8Array,
        headers: ObjectHeaders
      ) => {
        const { etag, key } = seen
        const failed = unavailable("write", key)
        return write(key, Stream.succeed(bytes), { ...headers, size: bytes.byteLength }, (temporary, target) =>
          etag === null
            // A link, unlike a rename, replaces nothing.
            ? Effect.mapError(place(target, fs.link(temporary, target)), (error) =>
              isThere(error) ? new ObjectChanged({ key, etag }) : failed(error))
            : inTurn(
              key,
              Effect.mapError(replace(temporary, seen), (error) =>
                error._tag === "ObjectChanged" ? error : failed(error))
            ))
      })

      const get = (key: string, range?: { readonly start: number; readonly end: number }) =>
        Stream.unwrap(Effect.gen(function*() {
          const wanted = range === undefined ? { start: 0, end: Infinity } : yield* checkedRange(range)
          const { handle, description } = yield* open("read", key)
          const end = Math.min(wanted.end + 1, description.size)
          return Stream.paginate(wanted.start, (position) =>
            position >= end
              ? Effect.succeed([[], Option.none<number>()] as const)
              : Effect.map(
                Effect.mapError(readChunk(handle, position, end), unavailable("read", key)),
                (chunk) => [[chunk], Option.some(position + chunk.byteLength)] as const
              ))
        }))

      const getPart = Effect.fn("ObjectStore.getPart")(function*(
        { etag, key }: Pick<ObjectHead, "etag" | "key">,
        range: { readonly start: number; readonly end: number }
      ) {
        const { end, start } = yield* checkedRange(range)
        const { description, handle } = yield* open("read", key)
        if (description.etag !== etag) return yield* new ObjectChanged({ key, etag })
        return yield* readExactly(handle, start, end - start + 1).pipe(Effect.mapError(unavailable("read", key)))
      }, Effect.scoped)

      const head = Effect.fn("ObjectStore.head")(function*(key: string) {
        const { description } = yield* open("look up", key)
        const { contentType, etag, size } = description
        return { key, size, contentType, etag } satisfies ObjectHead
      }, Effect.scoped)

      /** The keys in a directory and below, a directory at a time. One that vanishes meanwhile holds nothing. */
      const walk = (directory: string, stem: string): Stream.Stream<string, PlatformError.PlatformError> =>
        Stream.unwrap(
          Effect.map(
            Effect.catchIf(fs.readDirectoryEntries(directory), isAbsent, () => Effect.succeed([])),
            (entries) =>
              Stream.flatMap(Stream.fromIterable(entries), ({ name, type }) =>
                type === "Directory"
                  ? walk(path.join(directory, name), `${stem}${nameToPart(name)}/`)
                  : type === "File" && name.endsWith(objectSuffix)
                  ? Stream.succeed(stem + nameToPart(name.slice(0, -objectSuffix.length)))
                  : Stream.empty)
          )
        )

      const list = (prefix: string) => {
        const stem = prefix.slice(0, prefix.lastIndexOf("/") + 1)
        const directory = directoryOf(stem)
        return Stream.unwrap(
          Effect.as(
            Effect.andThen(stem === "" ? Effect.void : checkedPrefix(stem), inside(directory)),
            Stream.filter(walk(directory, stem), (key) => key.startsWith(prefix))
          )
        ).pipe(Stream.mapError(unavailable("list", prefix)))
      }

      const remove = Effect.fn("ObjectStore.remove")(function*(key: string) {
        const file = fileOf(yield* checkedKey(key))
        yield* inTurn(
          key,
          Effect.andThen(inside(path.dirname(file)), fs.remove(file, { force: true })).pipe(
            Effect.mapError(unavailable("remove", key))
          )
        )
      })

      const removePrefix = Effect.fn("ObjectStore.removePrefix")(function*(prefix: string) {
        const directory = directoryOf(yield* checkedPrefix(prefix))
        const trash = yield* scratchPath
        return yield* Effect.gen(function*() {
          yield* inside(directory)
          // One rename takes them all: nobody sees half a prefix, and a put that comes meanwhile makes a new directory.
          yield* fs.rename(directory, trash)
          const count = yield* Stream.runCount(walk(trash, prefix))
          yield* fs.remove(trash, { recursive: true, force: true })
          return count
        }).pipe(
          Effect.catchIf(isAbsent, () => Effect.succeed(0)),
          Effect.mapError(unavailable("remove every", prefix))
        )
      })

      const address = (token: string): string => `${options.publicUrl}/api/v1/objects/${token}`
      const expiry = (seconds: number) => Effect.map(Clock.currentTimeMillis, (now) => Math.ceil(now / 1000) + seconds)

      const multipart = yield* multipartUploadsFiles({
        folder: path.join(root, "uploads"),
        scratchPath,
        unavailable,
        isAbsent,
        put,
        presign: (grant, expiresInSeconds) =>
          Effect.flatMap(expiry(expiresInSeconds), (expiresAt) => Effect.map(grants.sign({ ...grant, expiresAt }), address))
      })

      const ping = Effect.acquireUseRelease(
        scratchPath,
        (file) =>
          Effect.scoped(Effect.gen(function*() {
            const handle = yield* fs.open(file, { flag: "wx" })
            yield* handle.writeAll(new Uint8Array([0]))
            yield* handle.sync
          })).pipe(Effect.mapError(unavailable("write", "a probe"))),
        discard
      )

      const sweepScratch = Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        for (const name of yield* fs.readDirectory(scratch)) {
          if (now - Number.parseInt(name, 10) > scratchLifetimeMillis) yield* discard(path.join(scratch, name))
        }
      })

      yield* Effect.all([
        fs.makeDirectory(objects, { recursive: true }),
        fs.makeDirectory(scratch, { recursive: true }),
        sweepScratch
      ]).pipe(Effect.mapError(unavailable("prepare the folder for", options.root)))

      return ObjectStore.of({
        put,
        putIfUnchanged,
        get,
        getPart,
        head,
        list,
        remove,
        removePrefix,
        presignPut: Effect.fn("ObjectStore.presignPut")(function*(key, { contentType, expiresInSeconds }) {
          yield* checkedKey(key)
          const expiresAt = yield* expiry(expiresInSeconds)
          return address(yield* grants.sign({ method: "PUT", key, contentType, expiresAt }))
        }),
        presignGet: Effect.fn("ObjectStore.presignGet")(function*(key, { downloadName, expiresInSeconds }) {
          yield* checkedKey(key)
          const expiresAt = yield* expiry(expiresInSeconds)
          return address(yield* grants.sign({ method: "GET", key, downloadName: downloadName ?? null, expiresAt }))
        }),
        multipart,
        ping
      })
    })
  )

