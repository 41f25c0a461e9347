import { assert, layer } from "@effect/vitest"
import { Effect, Path } from "effect"
import { Encoder } from "../../src/encoder/index.ts"
import { keptInMemory } from "./KeptInMemory.ts"
import { encode, encoderLayer, h264, made, output, picture, temporary, token } from "./MadeMedia.ts"

const moving = picture("testsrc2=s=320x240:r=25:d=20")

const timesOf = (directory: string) =>
  output("ffprobe", [
    ..."-v error -show_entries packet=pts,dts,duration,flags -of csv".split(" "),
    `${directory}/v240/index.m3u8`
  ])

/** Of the most different frame, in decibels: another frame in its place has less than 25. */
const leastLikeness = Effect.fnUntraced(function* (one: string, other: string) {
  const said = yield* output("ffmpeg", [
    "-v",
    "error",
    "-i",
    `${one}/v240/index.m3u8`,
    "-i",
    `${other}/v240/index.m3u8`,
    ..."-lavfi psnr=stats_file=- -f null -".split(" ")
  ])
  const values = [...said.matchAll(/psnr_avg:(\S+)/g)].map(([, value = ""]) => (value === "inf" ? 100 : Number(value)))
  assert.isAbove(values.length, 400)
  return Math.min(...values)
})

/** Encodes the end of a source in one run and its beginning in a later one, and compares them with an encode in one. */
const joined = Effect.fnUntraced(function* (input: string) {
  const paths = yield* Path.Path
  const encoder = yield* Encoder
  const whole = paths.join(yield* temporary, "whole")
  const { result } = yield* encode(input, whole, "whole")
  const keeper = yield* keptInMemory(token("parts"))
  const request = { input, source: input, keep: keeper.keep, onProgress: () => Effect.void }
  keeper.others.add("pictures-00000").add("sound")
  yield* encoder.encodeFreeParts(request)
  assert.isAbove(keeper.kept.size, 0)
  keeper.others.clear()
  const parts = paths.join(yield* temporary, "parts")
  const resumed = yield* encoder.encodeFile({ ...request, outDir: parts })
  assert.strictEqual(resumed.frames, result.frames)
  assert.strictEqual(yield* timesOf(parts), yield* timesOf(whole))
  assert.isAbove(yield* leastLikeness(whole, parts), 30)
})

layer(encoderLayer, { excludeTestServices: true })("a joint of two runs", (it) => {
  it.effect("cannot be told in a source of variable frame rate, where a frame stands for seconds", () =>
    Effect.gen(function* () {
      const thinned = "select='not(between(t,4,9))*(gt(mod(n,3),0)+lt(t,2))'"
      yield* joined(yield* made(yield* temporary, "in.mp4", ...moving, "-vf", thinned, "-fps_mode", "vfr", ...h264))
    })
  )

  it.effect("cannot be told behind an edit list that hides the beginning", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const long = yield* made(directory, "long.mp4", ...moving, ...h264, "-g", "60")
      yield* joined(yield* made(directory, "in.mp4", "-ss", "1.3", "-i", long, "-c", "copy"))
    })
  )

  it.effect("cannot be told in Matroska, whose times are rounded to milliseconds, at 29.97 frames a second", () =>
    Effect.gen(function* () {
      const pictures = picture("testsrc2=s=320x240:r=30000/1001:d=20")
      yield* joined(yield* made(yield* temporary, "in.mkv", ...pictures, ...h264, "-bf", "2"))
    })
  )

  it.effect("cannot be told in a transport stream, which has no index and does not begin at zero", () =>
    Effect.gen(function* () {
      yield* joined(yield* made(yield* temporary, "in.ts", ...moving, ...h264, "-g", "100", "-bf", "2"))
    })
  )
})
