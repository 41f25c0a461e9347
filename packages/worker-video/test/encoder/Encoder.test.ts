import { assert, layer } from "@effect/vitest"
import { Effect, FileSystem, Path } from "effect"
import { encodedAndSound } from "./EncodedAndSound.ts"
import { brightnessAt, encode, encoderLayer, h264, made, picture, played, sample, temporary, tone } from "./MadeMedia.ts"

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

  it.effect("measures a file whose header does not say how long it is, and says of every step how far it is", () =>
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
      const { reports, result } = yield* encodedAndSound(input)
      assert.strictEqual(result.frames, 50)
      for (const step of ["probing", "transcoding", "validating", "thumbnail"] as const) {
        const fractions = reports.filter((report) => report.step === step).map(({ fraction }) => fraction)
        assert.deepStrictEqual(fractions, fractions.toSorted((a, b) => a - b), step)
        assert.deepStrictEqual([fractions.at(0), fractions.at(-1)], [0, 1], step)
        // ffmpeg tells of the encode every half a second: of one as short as this, maybe its end alone.
        if (step === "transcoding") continue
        assert.isTrue(fractions.some((fraction) => fraction > 0 && fraction < 1), `${step} is not silent`)
      }
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
