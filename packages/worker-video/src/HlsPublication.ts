import { hlsPrefix, ObjectStore, type ObjectStoreUnavailable, type TenantId, type VideoId } from "@lectern/domain"
import { Effect, FileSystem, type PlatformError } from "effect"

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
 * Makes an encode public, all or nothing: segments first, then the playlists that name them, then, if the caller still
 * holds the job (`guard`), the master playlist that names those. Whoever reads at any moment sees the last good output
 * or the new one.
 *
 * What is `stored` went there beside the encode and is not written again. `onBytes` hears of every object that has
 * arrived.
 */
export const publishHls = <E, R>(
  target: { readonly tenantId: TenantId; readonly videoId: VideoId; readonly directory: string },
  files: ReadonlyArray<OutputFile>,
  stored: ReadonlySet<string>,
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

    yield* putAll(files.filter((file) => !isPlaylist(file) && !stored.has(file.path)))
    yield* putAll(files.filter((file) => isPlaylist(file) && file.path !== master))
    yield* guard
    yield* putAll(files.filter((file) => file.path === master))
  }).pipe(Effect.withSpan("HlsPublication.publish", { attributes: { tenant: target.tenantId, video: target.videoId } }))
