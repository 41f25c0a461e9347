import { PlaybackUrls } from "@lectern/domain"
import { Effect, Layer } from "effect"
import { checkedKey } from "../files/checkedKey.ts"

/**
 * Addresses under a CDN that reads the bucket: `{baseUrl}/{key}`. They have no end and no signature: for a bucket whose published
 * videos may be read by whoever knows the address.
 */
export const layer = (options: { readonly baseUrl: string }): Layer.Layer<PlaybackUrls> => {
  const base = options.baseUrl.replace(/\/+$/, "")
  return Layer.succeed(
    PlaybackUrls,
    PlaybackUrls.of({
      url: (objectKey) =>
        Effect.map(checkedKey(objectKey), (key) => `${base}/${key.split("/").map(encodeURIComponent).join("/")}`)
    })
  )
}
