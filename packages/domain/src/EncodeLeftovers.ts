import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { EncodeParts, type EncodeRef, type LeftEncode } from "./EncodeParts.ts"
import type { JobStoreUnavailable } from "./JobStore.ts"
import { hlsPrefix } from "./ObjectKeys.ts"
import { ObjectStore, type ObjectStoreUnavailable } from "./ObjectStore.ts"
import type { TenantId } from "./Tenant.ts"
import type { VideoId } from "./VideoId.ts"

const minute = 60_000

/** A run that is at work touches its encode every few seconds. */
const idleMillis = 10 * minute
const failedIdleMillis = 24 * 60 * minute
const atOnce = 100
const parallel = 8

export interface LeftoversReport {
  readonly encodes: number
  readonly objects: number
  /** What could not be removed now, as sentences; the next time tries again. */
  readonly failures: ReadonlyArray<string>
}

/**
 * Removes what encodes have left under a video's public prefix: parts that were finished and never published, and
 * earlier outputs that a run did not come to remove any more.
 */
export class EncodeLeftovers extends Context.Service<EncodeLeftovers, {
  /** Removes every object of a video that is gone, and closes its encodes. Answers how many went. */
  readonly removeAll: (
    video: { readonly tenantId: TenantId; readonly videoId: VideoId }
  ) => Effect.Effect<number, JobStoreUnavailable | ObjectStoreUnavailable>
  /** Removes the objects of an encode that will not be published, and closes it. Answers how many went. */
  readonly abandon: (
    encode: EncodeRef & { readonly token: string }
  ) => Effect.Effect<number, JobStoreUnavailable | ObjectStoreUnavailable>
  /** Looks for encodes that nobody will go on with, and clears up behind each. For a sweep. */
  readonly clear: Effect.Effect<LeftoversReport, JobStoreUnavailable>
}>()("@lectern/domain/EncodeLeftovers") {
  static readonly layer: Layer.Layer<EncodeLeftovers, never, EncodeParts | ObjectStore> = Layer.effect(
    EncodeLeftovers,
    Effect.gen(function*() {
      const parts = yield* EncodeParts
      const objects = yield* ObjectStore

      const removeWhere = (prefix: string, unwanted: (path: string) => boolean) =>
        objects.list(prefix).pipe(
          Stream.filter((key) => unwanted(key.slice(prefix.length))),
          Stream.mapEffect((key) => Effect.as(objects.remove(key), 1), { concurrency: parallel }),
          Stream.runFold(() => 0, (sum, one) => sum + one)
        )

      const removeAll = Effect.fn("EncodeLeftovers.removeAll")(function*(
        { tenantId, videoId }: { readonly tenantId: TenantId; readonly videoId: VideoId }
      ) {
        const count = yield* objects.removePrefix(hlsPrefix(tenantId, videoId))
        yield* parts.closeAll(tenantId, videoId)
        return count
      })

      const abandon = Effect.fn("EncodeLeftovers.abandon")(function*(encode: EncodeRef & { readonly token: string }) {
        const named = new RegExp(`(?:^|/)${encode.token}[-_.]`)
        const count = yield* removeWhere(hlsPrefix(encode.tenantId, encode.videoId), (path) => named.test(path))
        yield* parts.close(encode)
        return count
      })

      const clearOne = Effect.fnUntraced(function*(left: LeftEncode) {
        const { fate, published, tenantId, videoId } = left
        if (fate === "Unfinished" && published !== null) {
          // It may have become public before its job failed: better a few objects too many than a hole in the last good
          // output.
          yield* parts.close(left)
          return 0
        }
        if (fate === "Unfinished") return yield* abandon(left)
        if (fate === "VideoGone") return yield* removeAll(left)
        const paths = new Set(published)
        const count = yield* removeWhere(hlsPrefix(tenantId, videoId), (path) => !paths.has(path))
        yield* parts.closeAll(tenantId, videoId)
        return count
      })

      const clear = Effect.fn("EncodeLeftovers.clear")(function*() {
        const left = yield* parts.findLeft({ idleMillis, failedIdleMillis, limit: atOnce })
        const failures: Array<string> = []
        let removed = 0
        for (const encode of left) {
          removed += yield* clearOne(encode).pipe(
            Effect.catch((error: JobStoreUnavailable | ObjectStoreUnavailable) => {
              failures.push(error.message)
              return Effect.as(Effect.logWarning("What an encode left stays for now", { error: error.message }), 0)
            })
          )
        }
        return { encodes: left.length - failures.length, objects: removed, failures }
      })

      return EncodeLeftovers.of({ removeAll, abandon, clear: clear() })
    })
  )
}
