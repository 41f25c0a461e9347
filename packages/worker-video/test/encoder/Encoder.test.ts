import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Path } from "effect"
import HLS from "hls-parser"
import type { EncodeResult } from "../../src/encoder/index.ts"
import {
  brightnessAt,
  encode,
  encoderLayer,
  filesBelow,
  firstPicture,
  h264,
  made,
  picture,
  played,
  sample,
  strictlyParsed,
  temporary,
  tone
} from "./MadeMedia.ts"

/** Every part of a sheet that the track names is there, one after the other to the end of the video. */
const storyboardIsSound = Effect.fnUntraced(function* (outDir: string, result: EncodeResult) {
  const fileSystem = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const track = paths.join(outDir, result.storyboard ?? "")
  const text = yield* fileSystem.readFileString(track)
  const cue = /\n\n(\d\d):(\d\d):(\S+) --> (\d\d):(\d\d):(\S+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/g
  const cues = [...text.matchAll(cue)].map(([, ...found]) => found)
  const seconds = (hours = "", minutes = "", rest = "") => Number(hours) * 3600 + Number(minutes) * 60 + Number(rest)
  assert.isAbove(cues.length, 0)
  const sizes = new Map<string, { readonly width?: number; readonly height?: number } | undefined>()
  for (const [, , , , , , sheet = ""] of cues) {
    if (!sizes.has(sheet)) sizes.set(sheet, (yield* played(paths.join(paths.dirname(track), sheet)))[0])
  }
  let reached = 0
  for (const [fromH, fromM, fromS, toH, toM, toS, sheet = "", x, y, width, height] of cues) {
    const whole = sizes.get(sheet)
    assert.isAtMost(Number(x) + Number(width), whole?.width ?? 0)
    assert.isAtMost(Number(y) + Number(height), whole?.height ?? 0)
    assert.isAtMost(Math.max(Number(width), Number(height)), 160)
    assert.isBelow(Math.abs(seconds(fromH, fromM, fromS) - reached), 0.001)
    reached = seconds(toH, toM, toS)
  }
  const [variant] = result.variants
  assert.isBelow(Math.abs(reached - result.frames / (variant?.framesPerSecond ?? 0)), 0.002)
})

/** Encodes, and checks what every output must keep with programs other than ours. */
const encodedAndSound = Effect.fnUntraced(function* (input: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const outDir = paths.join(yield* temporary, "out")
  const { reports, result } = yield* encode(input, outDir)

  const files = yield* filesBelow(outDir)
  assert.deepStrictEqual(result.files.map(({ path }) => path).toSorted(), files)
  for (const { bytes, path } of result.files) {
    assert.strictEqual(Number((yield* fileSystem.stat(paths.join(outDir, path))).size), bytes)
    assert.isAbove(bytes, 0)
  }
  assert.strictEqual(result.files.at(-1)?.path, "master.m3u8")

  const master = yield* strictlyParsed(paths.join(outDir, "master.m3u8"))
  if (!(master instanceof HLS.types.MasterPlaylist)) return yield* Effect.die("master.m3u8 is no master playlist")
  assert.isTrue(master.independentSegments)
  const playlists = yield* Effect.forEach(
    files.filter((file) => file.endsWith("index.m3u8")),
    (file) =>
      Effect.map(strictlyParsed(paths.join(outDir, file)), (playlist) => [paths.dirname(file), playlist] as const)
  )
  const bitsOf = (folder: string) => {
    const playlist = playlists.find(([name]) => name === folder)?.[1]
    if (!(playlist instanceof HLS.types.MediaPlaylist)) throw new Error(`${folder} has no media playlist`)
    const seconds = playlist.segments.reduce((sum, segment) => sum + segment.duration, 0)
    const bytes = result.files
      .filter(({ path }) => path.startsWith(`${folder}/`) && path.endsWith(".m4s"))
      .reduce((sum, file) => sum + file.bytes, 0)
    return (bytes * 8) / seconds
  }
  const soundBits = result.hasAudio ? bitsOf("audio") : 0
  const variants = master.variants.filter(({ isIFrameOnly }) => isIFrameOnly !== true)
  for (const variant of variants) {
    const folder = paths.dirname(variant.uri)
    const truth = (result.hasVideo ? bitsOf(folder) : 0) + soundBits
    assert.isBelow(Math.abs((variant.averageBandwidth ?? 0) / truth - 1), 0.01)
    assert.isAtLeast(variant.bandwidth, variant.averageBandwidth ?? 0)
  }
  for (const variant of result.variants) {
    const [stream] = yield* played(paths.join(outDir, variant.name, "index.m3u8"))
    assert.deepStrictEqual(
      [stream?.codec_name, stream?.width, stream?.height, stream?.pix_fmt, stream?.nb_read_frames],
      ["h264", variant.width, variant.height, "yuv420p", result.frames]
    )
    assert.oneOf(stream?.sample_aspect_ratio, ["1:1", undefined])
  }
  if (result.hasAudio) {
    const [stream] = yield* played(paths.join(outDir, "audio", "index.m3u8"))
    assert.deepStrictEqual([stream?.codec_name, stream?.channels], ["aac", 2])
  }

  const steps = reports.map(({ step }) => step)
  assert.deepStrictEqual([...new Set(steps)], ["probing", "transcoding", "validating", "thumbnail"])
  for (const [index, report] of reports.entries()) {
    const before = reports[index - 1]
    if (before?.step === report.step) assert.isAtLeast(report.fraction, before.fraction)
    assert.isAtMost(report.fraction, 1)
  }
  const iFrames = master.variants.filter(({ isIFrameOnly }) => isIFrameOnly === true)
  assert.strictEqual(iFrames.length, result.variants.length)
  for (const { uri } of iFrames) {
    const playlist = yield* strictlyParsed(paths.join(outDir, uri))
    if (!(playlist instanceof HLS.types.MediaPlaylist)) return yield* Effect.die(`${uri} is no media playlist`)
    assert.isTrue(playlist.isIFrame)
    const [first, ...others] = playlist.segments
    for (const { byterange, map, uri: segment } of [first, ...others.slice(-1)].filter((one) => one !== undefined)) {
      const folder = paths.join(outDir, paths.dirname(uri))
      const { length, offset } = byterange
      const whole = yield* fileSystem.readFile(paths.join(folder, segment))
      const init = yield* fileSystem.readFile(paths.join(folder, map?.uri ?? ""))
      const alone = paths.join(yield* temporary, "frame.mp4")
      yield* fileSystem.writeFile(alone, new Uint8Array([...init, ...whole.subarray(offset, offset + length)]))
      assert.strictEqual(yield* firstPicture(alone), "I")
    }
  }
  if (result.hasVideo) yield* storyboardIsSound(outDir, result)
  const rules = result.rules ?? []
  assert.isAtLeast(rules.length, 40)
  assert.deepStrictEqual(rules.filter(({ kept }) => !kept), [])
  return { outDir, result, master, variants, reports, sizes: result.variants.map(({ height, width }) => `${width}x${height}`) }
})

layer(encoderLayer, { excludeTestServices: true })("Encoder", (it) => {
  it.effect("turns camera footage into two aligned variants, one sound rendition and a thumbnail", () =>
    Effect.gen(function* () {
      const { outDir, result, sizes, variants } = yield* encodedAndSound(sample)
      assert.deepStrictEqual(sizes, ["768x432", "426x240"])
      assert.strictEqual(result.frames, 377)
      assert.isBelow(Math.abs(result.durationSeconds - 30.16), 0.1)
      assert.deepStrictEqual(result.nonStandardInputReasons, [])
      assert.deepStrictEqual(
        variants.map(({ codecs }) => codecs),
        ["avc1.640016,mp4a.40.2", "avc1.640015,mp4a.40.2"]
      )
      assert.deepStrictEqual(
        variants.map(({ frameRate }) => frameRate),
        [12.5, 12.5]
      )
      const paths = yield* Path.Path
      const [thumbnail] = yield* played(paths.join(outDir, "thumbnail.jpg"))
      assert.deepStrictEqual([thumbnail?.codec_name, thumbnail?.width, thumbnail?.height], ["mjpeg", 768, 432])
      const kinds = new Map(
        result.files.map((file) => [paths.extname(file.path), `${file.contentType}; ${file.cacheControl}`])
      )
      assert.deepStrictEqual(kinds.get(".m3u8"), "application/vnd.apple.mpegurl; no-cache")
      assert.deepStrictEqual(kinds.get(".m4s"), "video/mp4; public, max-age=31536000, immutable")
      const immutable = result.files.filter(({ cacheControl }) => cacheControl.includes("immutable"))
      assert.isTrue(immutable.every(({ path }) => path.includes("/test-token")))
    })
  )

  it.effect("keeps portrait video portrait", () =>
    Effect.gen(function* () {
      const input = yield* made(yield* temporary, "in.mp4", ...picture("testsrc2=s=360x640:r=25:d=1"), ...h264)
      const { sizes } = yield* encodedAndSound(input)
      assert.deepStrictEqual(sizes, ["360x640", "240x426"])
    })
  )

  it.effect("turns rotated video upright, with the picture the right way round", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const paths = yield* Path.Path
      const lying = yield* made(
        directory,
        "lying.mp4",
        ...picture("color=black:s=640x360:r=25:d=1,drawbox=x=0:y=0:w=160:h=160:c=white:t=fill"),
        ...h264
      )
      const input = yield* made(directory, "in.mp4", "-i", lying, "-c", "copy", "-metadata:s:v:0", "rotate=270")
      const { outDir, result, sizes } = yield* encodedAndSound(input)
      assert.deepStrictEqual(sizes, ["360x640", "240x426"])
      assert.deepStrictEqual(result.nonStandardInputReasons, ["rotation:90", "no_audio"])
      const playlist = paths.join(outDir, "v360", "index.m3u8")
      assert.isAbove(yield* brightnessAt(playlist, 240, 20, 80), 200)
      assert.isBelow(yield* brightnessAt(playlist, 20, 20, 80), 50)
      assert.isBelow(yield* brightnessAt(playlist, 240, 540, 80), 50)
    })
  )

  it.effect("makes odd sizes even without enlarging them", () =>
    Effect.gen(function* () {
      const input = yield* made(yield* temporary, "in.mkv", ...picture("testsrc2=s=641x361:r=25:d=1"), "-c:v", "ffv1")
      const { sizes } = yield* encodedAndSound(input)
      assert.deepStrictEqual(sizes, ["640x360", "426x240"])
    })
  )

  it.effect("shows anamorphic video in its true shape", () =>
    Effect.gen(function* () {
      const source = picture("testsrc2=s=720x480:r=25:d=1,setsar=32/27")
      const { sizes } = yield* encodedAndSound(yield* made(yield* temporary, "in.mp4", ...source, ...h264))
      assert.deepStrictEqual(sizes, ["852x480", "640x360"])
    })
  )

  it.effect("leaves the sound group out of a video without sound", () =>
    Effect.gen(function* () {
      const input = yield* made(yield* temporary, "in.mp4", ...picture("testsrc2=s=320x240:r=25:d=1"), ...h264)
      const { result, variants } = yield* encodedAndSound(input)
      assert.isFalse(result.hasAudio)
      assert.deepStrictEqual(
        variants.map(({ audio, codecs }) => [audio.length, codecs]),
        [[0, "avc1.64000d"]]
      )
    })
  )

  it.effect("makes a stream of its own, with a picture of the wave, from sound alone", () =>
    Effect.gen(function* () {
      const input = yield* made(yield* temporary, "in.mp3", ...tone(2), "-c:a", "libmp3lame")
      const { outDir, result, variants } = yield* encodedAndSound(input)
      assert.deepStrictEqual([result.hasVideo, result.hasAudio, result.frames], [false, true, 0])
      assert.deepStrictEqual(
        variants.map(({ codecs, uri }) => [uri, codecs]),
        [["audio/index.m3u8", "mp4a.40.2"]]
      )
      const [thumbnail] = yield* played(`${outDir}/thumbnail.jpg`)
      assert.deepStrictEqual([thumbnail?.width, thumbnail?.height], [1280, 720])
    })
  )

  it.effect("encodes a clip of 0.4 s", () =>
    Effect.gen(function* () {
      const input = yield* made(
        yield* temporary,
        "in.mp4",
        ...picture("testsrc2=s=320x240:r=30:d=0.4"),
        ...tone(0.4),
        ...h264,
        "-c:a",
        "aac"
      )
      const { result } = yield* encodedAndSound(input)
      assert.strictEqual(result.frames, 12)
    })
  )

  it.effect("encodes a single frame", () =>
    Effect.gen(function* () {
      const source = picture("testsrc2=s=320x240:r=25:d=0.04")
      const { result } = yield* encodedAndSound(yield* made(yield* temporary, "in.mp4", ...source, ...h264))
      assert.strictEqual(result.frames, 1)
    })
  )

  it.effect("gives a variable frame rate a constant one, over the same time", () =>
    Effect.gen(function* () {
      const input = yield* made(
        yield* temporary,
        "in.mp4",
        ...picture("testsrc2=s=320x240:r=30:d=4,select='if(lt(t,2),1,not(mod(n,3)))'"),
        "-fps_mode",
        "vfr",
        ...h264
      )
      const { result } = yield* encodedAndSound(input)
      assert.include(result.nonStandardInputReasons, "variable_frame_rate")
      assert.deepStrictEqual(
        result.variants.map(({ framesPerSecond }) => framesPerSecond),
        [30]
      )
      assert.isBelow(Math.abs(result.durationSeconds - 4), 0.11)
    })
  )

  it.effect("brings 10 bits to 8", () =>
    Effect.gen(function* () {
      const input = yield* made(
        yield* temporary,
        "in.mp4",
        ...picture("testsrc2=s=320x240:r=25:d=1,format=yuv420p10le"),
        "-c:v",
        "libx264",
        "-preset",
        "ultrafast"
      )
      const { result } = yield* encodedAndSound(input)
      assert.include(result.nonStandardInputReasons, "bit_depth:10")
    })
  )

  it.effect("tone-maps high dynamic range instead of washing it out", () =>
    Effect.gen(function* () {
      const paths = yield* Path.Path
      const input = yield* made(
        yield* temporary,
        "in.mp4",
        // Code value 1/2 of PQ is about 92 cd/m2: nearly the white of an ordinary screen, not its middle grey.
        ...picture("color=gray:s=320x240:r=25:d=1,format=yuv420p10le"),
        "-c:v",
        "libx265",
        "-x265-params",
        "log-level=none",
        "-color_trc",
        "smpte2084",
        "-color_primaries",
        "bt2020",
        "-colorspace",
        "bt2020nc"
      )
      const { outDir, result } = yield* encodedAndSound(input)
      assert.include(result.nonStandardInputReasons, "high_dynamic_range")
      assert.isAbove(yield* brightnessAt(paths.join(outDir, "v240", "index.m3u8"), 100, 100, 40), 145)
    })
  )

  it.effect("deinterlaces, halves 120 frames a second, and mixes 5.1 down to stereo", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const interlaced = yield* made(
        directory,
        "interlaced.ts",
        ...picture("testsrc2=s=320x240:r=25:d=1,setfield=tff"),
        "-flags",
        "+ildct+ilme",
        "-top",
        "1",
        "-c:v",
        "mpeg2video"
      )
      const fast = yield* made(
        directory,
        "fast.mkv",
        ...picture("testsrc2=s=320x240:r=120:d=1"),
        ...picture("anoisesrc=d=1,aformat=channel_layouts=5.1"),
        ...h264,
        "-c:a",
        "ac3"
      )
      assert.include((yield* encodedAndSound(interlaced)).result.nonStandardInputReasons, "interlaced")
      const { result } = yield* encodedAndSound(fast)
      assert.strictEqual(result.frames, 60)
      assert.include(result.nonStandardInputReasons, "audio_channels:6")
    })
  )

  it.effect("starts picture and sound together where the file starts one of them late", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const latePicture = yield* made(
        directory,
        "late-picture.mp4",
        ...tone(2),
        "-itsoffset",
        "0.6",
        ...picture("testsrc2=s=320x240:r=25:d=1"),
        ...h264,
        "-c:a",
        "aac"
      )
      const { result } = yield* encodedAndSound(latePicture)
      assert.isBelow(Math.abs(result.frames - 40), 3)
    })
  )

  it.effect("respects an edit list that hides the beginning", () =>
    Effect.gen(function* () {
      const directory = yield* temporary
      const whole = yield* made(
        directory,
        "whole.mp4",
        ...picture("testsrc2=s=320x240:r=30:d=3"),
        ...tone(3),
        ...h264,
        "-c:a",
        "aac"
      )
      const cut = yield* made(directory, "cut.mp4", "-ss", "1.3", "-i", whole, "-c", "copy")
      const { result } = yield* encodedAndSound(cut)
      assert.isBelow(Math.abs(result.durationSeconds - 1.7), 0.1)
    })
  )

  it.effect("measures a file whose header does not say how long it is", () =>
    Effect.gen(function* () {
      const input = yield* made(
        yield* temporary,
        "in.webm",
        ...picture("testsrc2=s=320x240:r=25:d=2"),
        "-c:v",
        "libvpx",
        "-deadline",
        "realtime",
        "-live",
        "1"
      )
      const { result } = yield* encodedAndSound(input)
      assert.strictEqual(result.frames, 50)
    })
  )

  it.effect("takes a file and a directory with spaces, percent signs, a leading dash and Korean in their names", () =>
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const paths = yield* Path.Path
      const folder = paths.join(yield* temporary, "-내 강의 100%d 'x'")
      yield* fileSystem.makeDirectory(folder)
      const input = yield* made(folder, "-y 1강 %03d.mp4", ...picture("testsrc2=s=320x240:r=25:d=0.4"), ...h264)
      const { result } = yield* encode(input, paths.join(folder, "-결과 %05d"))
      assert.strictEqual(result.frames, 10)
      assert.deepStrictEqual(
        (yield* fileSystem.readDirectory(folder)).toSorted(),
        ["-y 1강 %03d.mp4", "-결과 %05d"].toSorted()
      )
    })
  )

  it.effect("takes the thumbnail from a moment that is not black", () =>
    Effect.gen(function* () {
      const paths = yield* Path.Path
      const input = yield* made(
        yield* temporary,
        "in.mp4",
        ...picture("color=black:s=320x240:r=25:d=3,drawbox=c=white:t=fill:enable='gte(t,1.2)'"),
        ...h264
      )
      const { outDir } = yield* encodedAndSound(input)
      assert.isAbove(yield* brightnessAt(paths.join(outDir, "thumbnail.jpg"), 100, 100, 40), 200)
    })
  )

  it.effect("takes a black thumbnail of a video that is black throughout", () =>
    Effect.gen(function* () {
      const input = yield* made(yield* temporary, "in.mp4", ...picture("color=black:s=320x240:r=25:d=1"), ...h264)
      const { result } = yield* encodedAndSound(input)
      assert.isTrue(result.files.some(({ path }) => path === "thumbnail.jpg"))
    })
  )
})
