import { assert, layer } from "@effect/vitest"
import { Effect } from "effect"
import { encodedAndSound } from "./EncodedAndSound.ts"
import { encoderLayer, h264, made, picture, temporary, tone } from "./MadeMedia.ts"

/** A good file that a naive encoder gets wrong, and what is to come of it. */
interface AwkwardFile {
  readonly name: string
  readonly make: (directory: string) => ReturnType<typeof made>
  /** Of each variant, largest first. */
  readonly sizes: ReadonlyArray<string>
  readonly frames: number
  readonly framesPerSecond?: number
  readonly hasAudio?: boolean
  readonly reasons?: ReadonlyArray<string>
}

const lavfi = (source: string, seconds: number) => picture(`testsrc2=${source}:d=${seconds}`)

const from = (name: string, ...args: ReadonlyArray<string>) => (directory: string) => made(directory, name, ...args)

/** Made from a clip of another command, whose packets stay as they are. */
const remade = (clip: ReadonlyArray<string>, name: string, before: ReadonlyArray<string>, after: ReadonlyArray<string>) =>
  (directory: string) =>
    Effect.flatMap(made(directory, ...nameAndArgs(clip)), (input) =>
      made(directory, name, ...before, "-i", input, "-c", "copy", ...after)
    )

const nameAndArgs = ([name = "", ...args]: ReadonlyArray<string>): readonly [string, ...ReadonlyArray<string>] => [name, ...args]

const small = ["s=320x240:r=25", 2] as const
const smallClip = ["clip.mp4", ...lavfi(...small), ...h264]

/** A small video with sound in another container. */
const inside = (name: string, ...codecs: ReadonlyArray<string>): AwkwardFile => ({
  name: `a file in ${name.slice(name.indexOf(".") + 1)}`,
  make: from(name, ...lavfi(...small), ...tone(2), ...codecs),
  sizes: ["320x240"],
  frames: 50
})

/** The same where the picture begins, or ends, a part of a frame later than the sound: one frame is shown for longer. */
const shiftedInside = (name: string, ...codecs: ReadonlyArray<string>): AwkwardFile => ({
  ...inside(name, ...codecs),
  frames: 51
})

const files: ReadonlyArray<AwkwardFile> = [
  ...([[180, ["640x360", "426x240"]], [90, ["360x640", "240x426"]]] as const).map(([turn, sizes]): AwkwardFile => ({
    name: `a picture that a player turns by ${turn === 90 ? 270 : turn} degrees`,
    make: remade(
      ["clip.mp4", ...lavfi("s=640x360:r=25", 1), ...h264],
      "in.mp4",
      [],
      ["-metadata:s:v:0", `rotate=${turn}`]
    ),
    sizes,
    frames: 25,
    reasons: [`rotation:${360 - turn}`]
  })),
  {
    name: "23.976 frames a second",
    make: from("in.mp4", ...lavfi("s=320x240:r=24000/1001", 4.004), ...h264),
    sizes: ["320x240"],
    frames: 96,
    framesPerSecond: 24000 / 1001
  },
  {
    name: "29.97 frames a second",
    make: from("in.mp4", ...lavfi("s=320x240:r=30000/1001", 7.007), ...h264),
    sizes: ["320x240"],
    frames: 210,
    framesPerSecond: 30000 / 1001
  },
  {
    name: "60 frames a second",
    make: from("in.mp4", ...lavfi("s=320x240:r=60", 7), ...h264),
    sizes: ["320x240"],
    frames: 420,
    framesPerSecond: 60
  },
  {
    name: "one channel of sound at 8 kHz",
    make: from("in.mp4", ...lavfi(...small), ...tone(2), ...h264, "-c:a", "aac", "-ac", "1", "-ar", "8000"),
    sizes: ["320x240"],
    frames: 50,
    hasAudio: true
  },
  {
    name: "two tracks of sound",
    make: from("in.mp4", ...lavfi(...small), ...tone(2), ...tone(2), "-map", "0", "-map", "1", "-map", "2", ...h264, "-c:a", "aac"),
    sizes: ["320x240"],
    frames: 50,
    hasAudio: true
  },
  {
    name: "a beginning that an edit list hides",
    make: remade(["clip.mp4", ...lavfi("s=320x240:r=25", 4), ...h264, "-g", "50"], "in.mp4", ["-ss", "1"], []),
    sizes: ["320x240"],
    frames: 75
  },
  {
    name: "hybrid log-gamma",
    make: from(
      "in.mp4",
      ...picture("testsrc2=s=320x240:r=25:d=1,format=yuv420p10le"),
      "-c:v",
      "libx265",
      "-x265-params",
      "log-level=none",
      "-color_trc",
      "arib-std-b67",
      "-color_primaries",
      "bt2020",
      "-colorspace",
      "bt2020nc"
    ),
    sizes: ["320x240"],
    frames: 25,
    reasons: ["high_dynamic_range", "bit_depth:10"]
  },
  {
    name: "a cover picture beside the video",
    make: (directory) =>
      Effect.gen(function* () {
        const cover = yield* made(directory, "cover.png", ...lavfi("s=600x600:r=1", 1), "-frames:v", "1")
        const input = yield* made(directory, ...nameAndArgs(smallClip))
        const maps = ["-map", "1", "-map", "0", "-c", "copy", "-disposition:v:0", "attached_pic"]
        return yield* made(directory, "in.mp4", "-i", input, "-i", cover, ...maps)
      }),
    sizes: ["320x240"],
    frames: 50
  },
  {
    name: "sound with a cover picture and no video",
    make: (directory) =>
      Effect.gen(function* () {
        const cover = yield* made(directory, "cover.png", ...lavfi("s=600x600:r=1", 1), "-frames:v", "1")
        const maps = ["-map", "0", "-map", "1", "-c:a", "libmp3lame", "-c:v", "copy", "-disposition:v:0", "attached_pic"]
        return yield* made(directory, "in.mp3", ...tone(2), "-i", cover, ...maps)
      }),
    sizes: [],
    frames: 0,
    hasAudio: true,
    reasons: ["audio_only"]
  },
  {
    name: "a first moment ten hours after zero",
    make: remade(smallClip, "in.ts", [], ["-output_ts_offset", "36000"]),
    sizes: ["320x240"],
    frames: 50
  },
  {
    name: "sound that begins before zero",
    make: (directory) =>
      Effect.gen(function* () {
        const clip = yield* made(directory, "clip.mp4", ...lavfi(...small), ...tone(2), ...h264, "-c:a", "aac")
        const early = ["-itsoffset", "-0.5", "-i", clip, "-map", "0:v", "-map", "1:a", "-c", "copy"]
        return yield* made(directory, "in.mp4", "-i", clip, ...early, "-avoid_negative_ts", "disabled")
      }),
    sizes: ["320x240"],
    frames: 50,
    hasAudio: true
  },
  {
    name: "timestamps that go back",
    make: (directory) =>
      Effect.gen(function* () {
        const clip = yield* made(directory, "clip.avi", ...lavfi(...small), "-c:v", "mjpeg")
        const swapped = "setts=ts='if(eq(mod(N,10),5),TS-3,TS)'"
        return yield* made(directory, "in.ts", "-i", clip, "-c:v", "mpeg2video", "-bf", "0", "-bsf:v", swapped)
      }),
    sizes: ["320x240"],
    frames: 50
  },
  inside("in.mkv", ...h264, "-c:a", "flac"),
  inside("in.webm", "-c:v", "libvpx", "-deadline", "realtime", "-c:a", "libopus"),
  inside("in.mov", "-c:v", "mjpeg", "-c:a", "pcm_s16le"),
  shiftedInside("in.avi", "-c:v", "mpeg4", "-c:a", "libmp3lame"),
  inside("in.ts", ...h264, "-c:a", "aac"),
  shiftedInside("in.flv", ...h264, "-c:a", "aac"),
  shiftedInside("in.wmv", "-c:v", "wmv2", "-c:a", "wmav2"),
  inside("in.mpg", "-c:v", "mpeg2video", "-c:a", "mp2"),
  {
    name: "two hours",
    make: remade(["clip.mp4", ...lavfi("s=64x36:r=5", 4), ...h264], "in.mp4", ["-stream_loop", "1799"], []),
    sizes: ["64x36"],
    frames: 36_000,
    framesPerSecond: 5
  }
]

layer(encoderLayer, { excludeTestServices: true })("a good file that is awkward", (it) => {
  for (const { frames, framesPerSecond, hasAudio, make, name, reasons, sizes } of files) {
    it.effect(`${name}: every rule is kept, at its own size, rate and length`, () =>
      Effect.gen(function* () {
        const encoded = yield* encodedAndSound(yield* make(yield* temporary))
        assert.deepStrictEqual(encoded.sizes, sizes)
        assert.strictEqual(encoded.result.frames, frames)
        for (const variant of encoded.result.variants) {
          assert.isBelow(Math.abs(variant.framesPerSecond - (framesPerSecond ?? 25)), 0.001)
        }
        if (hasAudio !== undefined) assert.strictEqual(encoded.result.hasAudio, hasAudio)
        assert.includeMembers([...encoded.result.nonStandardInputReasons], [...(reasons ?? [])])
        const seconds = frames === 0 ? 2 : frames / (framesPerSecond ?? 25)
        assert.isBelow(Math.abs(encoded.result.durationSeconds - seconds), 0.6)
      }), 120_000)
  }
})
