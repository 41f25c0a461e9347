import { hlsPrefix, ObjectStore, type ObjectStoreUnavailable, type TenantId, type VideoId } from "@lectern/domain"
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

/**
 * Makes an encode public, all or nothing: segments first, then the playlists that name them, then, if the caller still holds the
 * job (`guard`), the master playlist that names those. Whoever reads at any moment sees the last good output or the new one.
 *
 * `onBytes` hears of every object that has arrived.
 */
export const publishHls = <E, R>(
  target: { readonly tenantId: TenantId; readonly videoId: VideoId; readonly directory: string },
  files: ReadonlyArray<OutputFile>,
  onBytes: (bytes: number) => Effect.Effect<void, E, R>,
  guard: Effect.Effect<void, E, R>
): Effect.Effect<void, E | ObjectStoreUnavailable | PlatformError.PlatformError, R | ObjectStore | FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const objects = yield* ObjectStore
    const fs = yield* FileSystem.FileSystem
    const prefix = hlsPrefix(target.tenantId, target.videoId)

    const put = (file: OutputFile) =>
      objects.put(`${prefix}${file.path}`, fs.stream(`${target.directory}/${file.path}`), {
        contentType: file.contentType,
        cacheControl: file.cacheControl,
        size: file.bytes
      }).pipe(Effect.andThen(onBytes(file.bytes)))

    const isPlaylist = (file: OutputFile): boolean => file.path.endsWith(".m3u8")
    const putAll = (some: ReadonlyArray<OutputFile>) =>
      Effect.forEach(some, put, { concurrency: parallel, discard: true })

    yield* putAll(files.filter((file) => !isPlaylist(file)))
    yield* putAll(files.filter((file) => isPlaylist(file) && file.path !== master))
    yield* guard
    yield* putAll(files.filter((file) => file.path === master))
  }).pipe(Effect.withSpan("HlsPublication.publish", { attributes: { tenant: target.tenantId, video: target.videoId } }))

/** Removes what earlier encodes, finished or not, left beside the current output. */
export const removeOtherOutputs = (
  target: { readonly tenantId: TenantId; readonly videoId: VideoId },
  files: ReadonlyArray<OutputFile>
): Effect.Effect<number, ObjectStoreUnavailable, ObjectStore> =>
  Effect.gen(function*() {
    const objects = yield* ObjectStore
    const prefix = hlsPrefix(target.tenantId, target.videoId)
    const current = new Set(files.map((file) => `${prefix}${file.path}`))
    return yield* objects.list(prefix).pipe(
      Stream.filter((key) => !current.has(key)),
      Stream.mapEffect((key) => Effect.as(objects.remove(key), 1), { concurrency: parallel }),
      Stream.runFold(() => 0, (sum, one) => sum + one)
    )
  }).pipe(Effect.withSpan("HlsPublication.removeOtherOutputs", { attributes: { tenant: target.tenantId, video: target.videoId } }))
