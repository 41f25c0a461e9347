import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Layer, Path } from "effect"
import { plan } from "../../src/encoder/EncodePlan.ts"
import { MediaProgram } from "../../src/encoder/MediaProgram.ts"
import { readRendition } from "../../src/encoder/Rendition.ts"
import { jpegSize, Storyboard, storyboardLayout, storyboardTrack } from "../../src/encoder/Storyboard.ts"
import { unheard } from "../../src/encoder/StepReport.ts"
import { brightnessAt, encode, encoderLayer, h264, made, picture, probed, temporary } from "./MadeMedia.ts"

const everyTwoSeconds = (count: number) => Array.from({ length: count }, (_, index) => index * 2)

layer(encoderLayer, { excludeTestServices: true })("Storyboard", (it) => {
  it.effect("has at most 600 pictures on six sheets, however long the video is", () =>
    Effect.sync(() => {
      const hours = storyboardLayout(everyTwoSeconds(3600), { width: 426, height: 240 })
      assert.deepStrictEqual(
        [hours.moments.length, hours.sheets, hours.columns, hours.rows, hours.width, hours.height],
        [600, 6, 10, 10, 160, 90]
      )
      assert.strictEqual(hours.moments[1], 12)
      const clip = storyboardLayout([0], { width: 240, height: 426 })
      assert.deepStrictEqual([clip.sheets, clip.columns, clip.rows, clip.width, clip.height], [1, 1, 1, 90, 160])
    })
  )

  it.effect("writes a track that goes from sheet to sheet and past the hour", () =>
    Effect.sync(() => {
      const layout = storyboardLayout(everyTwoSeconds(3600), { width: 426, height: 240 })
      const cues = storyboardTrack(layout, "t", 7199.5).split("\n\n").slice(1)
      assert.strictEqual(cues[0], "00:00:00.000 --> 00:00:12.000\nt_000.jpg#xywh=0,0,160,90")
      assert.strictEqual(cues[111], "00:22:12.000 --> 00:22:24.000\nt_001.jpg#xywh=160,90,160,90")
      assert.strictEqual(cues[599]?.trimEnd(), "01:59:48.000 --> 01:59:59.500\nt_005.jpg#xywh=1440,810,160,90")
    })
  )

  it.effect("shows each moment as the video does, counts the pictures that it takes, and misses a sheet that cannot be made", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const paths = yield* Path.Path
      const directory = yield* temporary
      const source = "color=black:s=320x180:r=10:d=8,drawbox=c=white:t=fill:enable='between(t,4,5.9)'"
      const input = yield* made(directory, "in.mp4", ...picture(source), ...h264)
      const outDir = paths.join(directory, "out")
      const { result } = yield* encode(input, outDir)
      const sheet = paths.join(outDir, "storyboard", "test-token_000.jpg")
      assert.deepStrictEqual(jpegSize(yield* fileSystem.readFile(sheet)), { width: 640, height: 90 })
      assert.isBelow(yield* brightnessAt(sheet, 180, 20, 40), 60)
      assert.isAbove(yield* brightnessAt(sheet, 340, 20, 40), 200)
      assert.isBelow(yield* brightnessAt(sheet, 500, 20, 40), 60)
      assert.strictEqual(result.storyboard, "storyboard/test-token.vtt")

      const { video } = plan(yield* probed(input))
      if (video === null) return yield* Effect.die("the plan has no picture")
      const { rendition } = yield* readRendition(outDir, "v180", unheard)
      const renditions = rendition === null ? [] : [rendition]
      const storyboard = yield* Storyboard
      const again = paths.join(directory, "again")
      const cleared = Effect.gen(function* () {
        yield* fileSystem.copy(outDir, again, { overwrite: true })
        yield* fileSystem.remove(paths.join(again, "storyboard"), { recursive: true })
      })
      const heard: Array<number> = []
      const report = (fraction: number) => Effect.sync(() => void heard.push(fraction))

      // Four pictures on one sheet: what is counted is pictures.
      yield* cleared
      yield* storyboard.make(again, "t", video, renditions, report)
      assert.strictEqual(heard.at(-1), 1)

      // The program's own words, as they come of a longer video: none of its pictures is there in the end.
      yield* cleared
      heard.length = 0
      const says = [["frame=1", "progress=continue"], ["frame=2", "fps=1", "progress=continue", "frame=3"], ["progress=end"]]
      const program = MediaProgram.of({
        run: (_program, _args, _limits, onLines = () => Effect.void) =>
          Effect.as(Effect.forEach(says, onLines), { exitCode: 0, stdout: "", lastLines: [] }),
        foldLines: () => Effect.die("a storyboard asks for nothing else")
      })
      const scripted = Layer.fresh(Storyboard.layer).pipe(Layer.provide(Layer.succeed(MediaProgram, program)))
      yield* Storyboard.pipe(
        Effect.flatMap(({ make }) => Effect.flip(make(again, "t", video, renditions, report))),
        Effect.provide(scripted)
      )
      assert.deepStrictEqual(heard, [0.25, 0.5, 0.75])

      yield* cleared
      yield* fileSystem.remove(paths.join(again, "v180"), { recursive: true })
      const error = yield* Effect.flip(storyboard.make(again, "t", video, renditions, unheard))
      assert.strictEqual(error._tag === "TranscodeFailed" ? error.reason._tag : error._tag, "StoryboardMissing")
    })
  )
})
