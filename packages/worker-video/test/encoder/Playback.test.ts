import { assert, layer } from "@effect/vitest"
import { describeIf } from "@lectern/harness"
import { chromiumAvailability } from "@lectern/harness/chromium"
import { Context, Effect, FileSystem, Layer, Path } from "effect"
import { playedInBrowser } from "./Browser.ts"
import { encode, encoderLayer, h264, made, picture, temporary, tone } from "./MadeMedia.ts"

/** A directory with a stream of two rungs and sound. */
class Stream extends Context.Service<Stream, string>()("test/Stream") {
  static readonly layer = Layer.effect(
    Stream,
    Effect.gen(function* () {
      const paths = yield* Path.Path
      const directory = yield* temporary
      const input = yield* made(
        directory,
        "in.mp4",
        ...picture("testsrc2=s=640x360:r=25:d=14"),
        ...tone(14),
        ...h264,
        "-c:a",
        "aac"
      )
      const outDir = paths.join(directory, "out")
      yield* encode(input, outDir)
      return outDir
    })
  )
}

const spoiled = Effect.fnUntraced(function* (
  spoil: (fileSystem: FileSystem.FileSystem, directory: string) => ReturnType<FileSystem.FileSystem["remove"]>
) {
  const fileSystem = yield* FileSystem.FileSystem
  const directory = `${yield* temporary}/copy`
  yield* fileSystem.copy(yield* Stream, directory)
  yield* spoil(fileSystem, directory)
  return yield* playedInBrowser(directory)
})

describeIf(chromiumAvailability, "Playback in hls.js", () => {
  layer(Stream.layer.pipe(Layer.provideMerge(encoderLayer)), { excludeTestServices: true })((it) => {
    it.effect("plays every rung from its very start, forth and back, without any error", () =>
      Effect.gen(function* () {
        const said = yield* playedInBrowser(yield* Stream)
        assert.deepStrictEqual(said.errors, [])
        assert.deepStrictEqual(said.levels, ["426x240", "640x360"])
        assert.deepStrictEqual(said.starts, [0, 0])
        assert.isBelow(Math.abs(said.duration - 14), 0.1)
      })
    )

    it.effect("reports a segment that is missing", () =>
      Effect.gen(function* () {
        const { errors } = yield* spoiled((fileSystem, directory) =>
          fileSystem.remove(`${directory}/v360/test-token-1_00000.m4s`)
        )
        assert.include(errors, "fragLoadError")
      })
    )

    it.effect("reports codecs that are not what the master playlist says", () =>
      Effect.gen(function* () {
        const { errors } = yield* spoiled((fileSystem, directory) =>
          Effect.flatMap(fileSystem.readFileString(`${directory}/master.m3u8`), (text) =>
            fileSystem.writeFileString(`${directory}/master.m3u8`, text.replaceAll(/avc1\.\w+/g, "hvc1.2.4.L123.B0"))
          )
        )
        assert.include(errors, "manifestIncompatibleCodecsError")
      })
    )
  })
})
