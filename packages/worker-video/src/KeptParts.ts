import {
  EncodeClosed,
  EncodeParts,
  type EncodeRef,
  hlsPrefix,
  type JobId,
  type JobStoreUnavailable,
  newUuid,
  ObjectStore,
  type ObjectStoreUnavailable,
  type TenantId,
  type VideoId
} from "@lectern/domain"
import { Clock, Effect, FileSystem, type PlatformError, Schedule, Stream } from "effect"
import { dirname } from "node:path"
import { type EncodeKey, EncodeToken, fileHeaders, type PartKeeper, type PartState, soundPart } from "./encoder/index.ts"

export type KeepFailure =
  | EncodeClosed
  | JobStoreUnavailable
  | ObjectStoreUnavailable
  | PlatformError.PlatformError

export interface KeptPartsOptions {
  readonly tenantId: TenantId
  readonly videoId: VideoId
  /** Names whoever encodes here among those who encode the same video; a restarted one has the same name. */
  readonly owner: string
  /** How long others leave a claimed part alone without a renewal. */
  readonly leaseMillis: number
  /** Hears of every file that was moved. */
  readonly onFile: Effect.Effect<void>
}

/** An encode whose parts are kept, and what is known of it here. */
export interface KeptParts {
  /** Opens the encode of this key; see `PartKeeper`. */
  readonly keep: (key: EncodeKey) => Effect.Effect<PartKeeper<KeepFailure>, KeepFailure>
  /** The encode that was opened; `null` before. */
  readonly opened: () => (EncodeRef & { readonly token: string }) | null
  /** Notes, before anything of it becomes visible, which paths `jobId` makes public. */
  readonly publish: (jobId: JobId, paths: ReadonlyArray<string>) => Effect.Effect<void, JobStoreUnavailable>
  /** Whether something of it may be visible. */
  readonly isPublished: () => boolean
  /** Paths below the video's prefix that are in the object store already. */
  readonly stored: () => ReadonlySet<string>
  /**
   * Removes what was written here of parts that were not finished. For a run that has lost its job: it may come after
   * the publication.
   */
  readonly discardUnfinished: Effect.Effect<void, ObjectStoreUnavailable>
}

const parallel = 8

const isTransient = (error: { readonly _tag: string }): boolean =>
  "retryable" in error && error.retryable === true

/** A worker that has done an hour's work has a minute to wait. */
const patiently = <A, E extends { readonly _tag: string }, R>(effect: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
  Effect.retry(effect, {
    schedule: Schedule.min([Schedule.exponential("100 millis"), Schedule.spaced("5 seconds")]).pipe(
      Schedule.jittered,
      Schedule.upTo({ duration: "1 minute" })
    ),
    while: isTransient
  })

/**
 * Keeps parts under the video's own prefix, by the names that they are published by: publishing adds playlists and
 * moves nothing. Nobody can find a segment that no playlist names; its name holds eight random digits.
 */
export const makeKeptParts = Effect.fnUntraced(function*(options: KeptPartsOptions) {
  const { leaseMillis, onFile, owner, tenantId, videoId } = options
  const parts = yield* EncodeParts
  const objects = yield* ObjectStore
  const fs = yield* FileSystem.FileSystem
  const prefix = hlsPrefix(tenantId, videoId)
  const stored = new Set<string>()
  const begun = new Set<string>()
  let opened: (EncodeRef & { readonly token: string }) | null = null
  let published = false

  const put = Effect.fnUntraced(function*(part: string, directory: string, path: string) {
    const local = `${directory}/${path}`
    const bytes = Number((yield* fs.stat(local)).size)
    begun.add(path)
    const headers = fileHeaders(path, part === soundPart ? dirname(path) : null)
    yield* patiently(objects.put(`${prefix}${path}`, fs.stream(local), { ...headers, size: bytes }))
    yield* onFile
    return { path, bytes }
  })

  const keeperOf = (ref: EncodeRef & { readonly token: string }): PartKeeper<KeepFailure> => {
    let renewedAt = Number.NEGATIVE_INFINITY
    const read = patiently(parts.parts(ref))
    return {
      token: EncodeToken.make(ref.token),
      states: Effect.map(read, (found) =>
        new Map(found.flatMap((part): ReadonlyArray<readonly [string, PartState]> =>
          part.files !== null
            ? [[part.name, "Finished"]]
            : part.held && part.owner !== owner
            ? [[part.name, "Held"]]
            : []
        ))),
      claim: (part) => patiently(parts.claim(ref, part, { owner, leaseMillis })),
      renew: Effect.gen(function*() {
        const now = yield* Clock.currentTimeMillis
        if (now - renewedAt < leaseMillis / 4) return
        renewedAt = now
        yield* Effect.catchTag(parts.renew(ref, { owner, leaseMillis }), "JobStoreUnavailable", (error) =>
          Effect.logWarning("The parts at work were not renewed", { error: error.message }))
      }),
      keep: Effect.fn("KeptParts.keep")(function*(part, claim, directory, paths) {
        const files = yield* Effect.forEach(paths, (path) => put(part, directory, path), { concurrency: parallel })
        if (yield* patiently(parts.finish(ref, part, claim, files))) {
          for (const path of paths) stored.add(path)
          yield* Effect.logInfo("A part is finished", { part, files: files.length })
          return
        }
        // The claim was overtaken or the encode closed: what was written belongs to nobody.
        yield* Effect.forEach(paths, (path) => objects.remove(`${prefix}${path}`), {
          concurrency: parallel,
          discard: true
        })
        yield* Effect.logWarning("A part was finished too late", { part })
      }),
      fetch: Effect.fn("KeptParts.fetch")(function*(name, directory) {
        const found = (yield* read).find((part) => part.name === name)
        const files = found?.files ?? []
        yield* Effect.forEach(files, ({ path }) =>
          Effect.gen(function*() {
            yield* fs.makeDirectory(dirname(`${directory}/${path}`), { recursive: true })
            yield* patiently(Stream.run(objects.get(`${prefix}${path}`), fs.sink(`${directory}/${path}`)))
            stored.add(path)
            yield* onFile
          }), { concurrency: parallel, discard: true }).pipe(
            // What the record names is not there: the record is worth nothing, and the next attempt begins a new one.
            Effect.catchTag("ObjectNotFound", (error) =>
              Effect.logError("A finished part is not in the object store", { part: name, error: error.message }).pipe(
                Effect.andThen(patiently(parts.close(ref))),
                Effect.andThen(new EncodeClosed({ videoId, key: ref.key }))
              ))
          )
        return files.map(({ path }) => path)
      })
    }
  }

  const kept: KeptParts = {
    keep: Effect.fnUntraced(function*(key) {
      const ref = { tenantId, videoId, key }
      const wished = `${key.slice(0, 12)}-${(yield* newUuid).slice(0, 8)}`
      const token = yield* patiently(parts.open(ref, wished))
      opened = { ...ref, token }
      return keeperOf(opened)
    }),
    opened: () => opened,
    publish: Effect.fnUntraced(function*(jobId, paths) {
      published = true
      if (opened !== null) yield* parts.publishing(opened, jobId, paths)
    }),
    isPublished: () => published,
    stored: () => stored,
    discardUnfinished: Effect.suspend(() =>
      Effect.forEach([...begun].filter((path) => !stored.has(path)), (path) => objects.remove(`${prefix}${path}`), {
        concurrency: parallel,
        discard: true
      }))
  }
  return kept
})
