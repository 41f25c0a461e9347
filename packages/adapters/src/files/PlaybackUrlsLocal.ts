import { PlaybackUrls } from "@lectern/domain"
import { Clock, Effect, Layer } from "effect"
import { checkedKey } from "./checkedKey.ts"
import { ObjectGrants } from "./ObjectGrants.ts"

export interface PlaybackUrlsLocalOptions {
  /** Where this system is reached, without a slash at the end. */
  readonly publicUrl: string
  readonly expiresInSeconds: number
}

/**
 * Addresses `{publicUrl}/media/{token}/{file name}`. The token grants reading of everything in the directory of the key, so that
 * the relative names in a playlist carry it along.
 */
export const layer = (options: PlaybackUrlsLocalOptions): Layer.Layer<PlaybackUrls, never, ObjectGrants> =>
  Layer.effect(
    PlaybackUrls,
    Effect.map(ObjectGrants, (grants) =>
      PlaybackUrls.of({
        url: Effect.fn("PlaybackUrls.url")(function*(objectKey: string) {
          const key = yield* checkedKey(objectKey)
          const nameStart = key.lastIndexOf("/") + 1
          const directory = key.slice(0, nameStart)
          const token = yield* grants.sign({
            method: "GET",
            // A key without a directory grants itself: an empty prefix would grant the whole store.
            key: directory === "" ? key : directory,
            downloadName: null,
            expiresAt: Math.ceil((yield* Clock.currentTimeMillis) / 1000) + options.expiresInSeconds
          })
          return `${options.publicUrl}/media/${token}/${encodeURIComponent(key.slice(nameStart))}`
        })
      }))
  )
