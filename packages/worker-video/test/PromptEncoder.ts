import { Effect, FileSystem, Layer } from "effect"
import { Encoder, fileHeaders, type MediaRejected, type TranscodeFailed } from "../src/encoder/index.ts"

/**
 * An encoder that reports every step and leaves one variant: what the run does with a result, without the encoding. No
 * two of its encodes leave the same.
 */
export const promptEncoder = (
  between: Effect.Effect<void, MediaRejected | TranscodeFailed> = Effect.void
): Layer.Layer<Encoder, never, FileSystem.FileSystem> =>
  Layer.effect(
    Encoder,
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      let encodes = 0
      return Encoder.of({
        encodeFreeParts: () => Effect.void,
        encodeFile: Effect.fnUntraced(function*({ keep, onProgress, outDir }) {
          encodes += 1
          const encode = encodes
          const { token } = yield* keep("key")
          yield* onProgress({ step: "probing", fraction: 1, remainingSeconds: null })
          yield* onProgress({ step: "transcoding", fraction: 0.5, remainingSeconds: 3 })
          yield* between
          yield* onProgress({ step: "validating", fraction: 1, remainingSeconds: null })
          yield* onProgress({ step: "thumbnail", fraction: 1, remainingSeconds: null })
          const paths = [`v360/${token}-0.m4s`, "thumbnail.jpg", "v360/index.m3u8", "master.m3u8"]
          yield* Effect.orDie(fs.makeDirectory(`${outDir}/v360`, { recursive: true }))
          const files = paths.map((path) => ({ path, content: `${path} of encode ${encode}` }))
          for (const { content, path } of files) yield* Effect.orDie(fs.writeFileString(`${outDir}/${path}`, content))
          return {
            variants: [{
              name: "v360",
              width: 640,
              height: 360,
              framesPerSecond: 25,
              codec: "avc1.64001e",
              peakBitRate: 1,
              averageBitRate: 1
            }],
            durationSeconds: 61.4,
            hasVideo: true,
            hasAudio: false,
            frames: 1535,
            master: "master.m3u8",
            thumbnail: "thumbnail.jpg",
            files: files.map(({ content, path }) => ({ path, bytes: content.length, ...fileHeaders(path, null) })),
            warnings: [],
            nonStandardInputReasons: []
          }
        })
      })
    })
  )
