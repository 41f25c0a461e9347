import {
  hlsPrefix,
  ObjectStore,
  ObjectStoreUnavailable,
  type SeenObject,
  type TenantId,
  type VideoId
} from "@lectern/domain"
import { Effect, FileSystem, type PlatformError, Stream } from "effect"

/** A file of a finished encode, relative to its directory. */
export interface OutputFile {
  readonly path: string
  /** Size. */
  readonly bytes: number
  readonly contentType: string
  readonly cacheControl: string
}

const master = "master.m3u8"
const parallel = 8

/** A rival writes once, and then never holds the job again; a lost answer looks like one. */
const rounds = 5

/** What caches keep for good has a name of its own; every encode writes the others again. */
const isNamedOnce = (file: OutputFile): boolean => file.cacheControl.includes("immutable")

/**
 * Makes an encode public, all or nothing: segments first, then the playlists that name them, then the master playlist
 * that names those. Whoever reads at any moment sees the last good output or the new one.
 *
 * What replaces an earlier output is written only where that still is as it was before `guard`, which fails when the
 * caller does not hold the job any more. Whoever holds it later writes later: a run that stands still behind its guard,
 * and wakes when another has published, finds the condition lost, asks `guard` again, and has changed nothing.
 *
 * What is `stored` went there beside the encode and is not written again. `onBytes` hears of every object that has
 * arrived. Answers the keys that were there before and are none of this output's.
 */
export const publishHls = <E, R>(
  target: { readonly tenantId: TenantId; readonly videoId: VideoId; readonly directory: string },
  files: ReadonlyArray<OutputFile>,
  stored: ReadonlySet<string>,
  onBytes: (bytes: number) => Effect.Effect<void, E, R>,
  guard: Effect.Effect<void, E, R>
): Effect.Effect<
  ReadonlyArray<string>,
  E | ObjectStoreUnavailable | PlatformError.PlatformError,
  R | ObjectStore | FileSystem.FileSystem
> =>
  Effect.gen(function*() {
    const objects = yield* ObjectStore
    const fs = yield* FileSystem.FileSystem
    const prefix = hlsPrefix(target.tenantId, target.videoId)
    const own = new Set(files.map(({ path }) => `${prefix}${path}`))
    const localPath = ({ path }: OutputFile): string => `${target.directory}/${path}`

    const counted = new Set<string>()
    const arrived = ({ bytes, path }: OutputFile) => {
      if (counted.has(path)) return Effect.void
      counted.add(path)
      return onBytes(bytes)
    }

    const put = (file: OutputFile) =>
      objects.put(`${prefix}${file.path}`, fs.stream(localPath(file)), {
        contentType: file.contentType,
        cacheControl: file.cacheControl,
        size: file.bytes
      }).pipe(Effect.andThen(arrived(file)))

    const look = (file: OutputFile) => {
      const key = `${prefix}${file.path}`
      return objects.head(key).pipe(
        Effect.map(({ etag }): SeenObject => ({ key, etag })),
        Effect.catchTag("ObjectNotFound", () => Effect.succeed<SeenObject>({ key, etag: null })),
        Effect.map((seen) => ({ file, seen }))
      )
    }

    /** Answers whether the object still was as it had been seen. */
    const replace = Effect.fnUntraced(function*({ file, seen }: Effect.Success<ReturnType<typeof look>>) {
      const written = yield* objects.putIfUnchanged(seen, yield* fs.readFile(localPath(file)), file).pipe(
        Effect.as(true),
        Effect.catchTag("ObjectChanged", (error) =>
          Effect.as(Effect.logWarning("Somebody else writes what is to be published", { error: error.message }), false))
      )
      if (written) yield* arrived(file)
      return written
    })

    const replaced = files.filter((file) => !isNamedOnce(file))
    /** Answers what was there before, or `null` where somebody came between. */
    const publish = Effect.gen(function*() {
      const before = yield* Stream.runCollect(objects.list(prefix))
      const looked = yield* Effect.forEach(replaced, look, { concurrency: parallel })
      yield* guard
      const named = yield* Effect.forEach(looked.filter(({ file }) => file.path !== master), replace, {
        concurrency: parallel
      })
      const written = named.every((one) => one)
        ? yield* Effect.forEach(looked.filter(({ file }) => file.path === master), replace)
        : [false]
      return written.every((one) => one) ? before.filter((key) => !own.has(key)) : null
    })

    yield* Effect.forEach(files.filter((file) => isNamedOnce(file) && !stored.has(file.path)), put, {
      concurrency: parallel,
      discard: true
    })
    for (let round = 0; round < rounds; round += 1) {
      const before = yield* publish
      if (before !== null) return before
    }
    return yield* new ObjectStoreUnavailable({
      operation: "publish",
      key: `${prefix}${master}`,
      retryable: true,
      cause: new Error(`It was written by others in each of ${rounds} rounds`)
    })
  }).pipe(Effect.withSpan("HlsPublication.publish", { attributes: { tenant: target.tenantId, video: target.videoId } }))
