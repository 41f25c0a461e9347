import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { defaultPlanOptions, outputRate, plan } from "../../src/encoder/EncodePlan.ts"
import { lowestH264Level } from "../../src/encoder/H264Level.ts"
import type { MediaInfo, Rotation, VideoTrack } from "../../src/encoder/MediaInfo.ts"
import { parseRational, type Rational, rational, toNumber } from "../../src/encoder/Rational.ts"

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** What a probe may find, over the whole range that the limits let through. */
const Found = Schema.Struct({
  width: between(16, 4096),
  height: between(16, 4096),
  aspectNum: between(1, 64),
  aspectDen: between(1, 64),
  rotation: Schema.Literals([0, 90, 180, 270]),
  rate: Schema.Literals([
    "24000/1001",
    "25/2",
    "25/1",
    "30/1",
    "30000/1001",
    "50/1",
    "60000/1001",
    "120/1",
    "240/1",
    "1/2",
    "13/1",
    "123456/7001"
  ]),
  nominal: Schema.Literals(["same", "90000/1", "30/1", "60/1"]),
  interlaced: Schema.Boolean,
  milliseconds: between(1, 20_000_000),
  audio: Schema.Boolean
})
type Found = typeof Found.Type

const videoOf = (found: Found): VideoTrack => {
  const averageRate = parseRational(found.rate)
  const aspect = Math.min(2, Math.max(0.5, found.aspectNum / found.aspectDen))
  const seen = Math.max(16, Math.round(found.width * aspect))
  const rotation: Rotation = found.rotation
  const turned = rotation === 90 || rotation === 270
  return {
    index: 0,
    codec: "h264",
    codedWidth: found.width,
    codedHeight: found.height,
    sampleAspect: rational(found.aspectNum, found.aspectDen),
    rotation,
    displayWidth: turned ? found.height : seen,
    displayHeight: turned ? seen : found.height,
    pixelFormat: "yuv420p",
    bitDepth: 8,
    highDynamicRange: false,
    interlaced: found.interlaced,
    averageRate,
    nominalRate: found.nominal === "same" ? averageRate : parseRational(found.nominal),
    startSeconds: 0,
    durationSeconds: found.milliseconds / 1000,
    frames: null
  }
}

const mediaOf = (found: Found): { readonly media: MediaInfo; readonly video: VideoTrack } => {
  const video = videoOf(found)
  const durationSeconds = found.milliseconds / 1000
  return {
    video,
    media: {
      path: "/in.mp4",
      bytes: 1,
      demuxers: "mov",
      durationSeconds,
      video,
      audio: found.audio
        ? { index: 1, codec: "aac", channels: 1, sampleRate: 22050, startSeconds: 0, durationSeconds, language: null }
        : null
    }
  }
}

const planned = (found: Found) => {
  const { media, video } = mediaOf(found)
  const made = plan(media)
  if (made.video === null) throw new Error("a plan for a picture has none")
  return { made, picture: made.video, video }
}

const property = (name: string, holds: (found: Found) => void) =>
  it.effect.prop(name, [Found], ([found]) => Effect.sync(() => holds(found)), { arbitrary: { runs: 300 } })

describe("EncodePlan", () => {
  property("no variant is larger than the source", (found) => {
    const { picture, video } = planned(found)
    for (const { height, width } of picture.variants) {
      assert.isAtMost(width, video.displayWidth)
      assert.isAtMost(height, video.displayHeight)
    }
  })

  property("every side is even and at least two", (found) => {
    for (const { height, width } of planned(found).picture.variants) {
      assert.deepStrictEqual([width % 2, height % 2], [0, 0])
      assert.isAtLeast(Math.min(width, height), 2)
    }
  })

  property("every variant has the source's shape, to the rounding of its sides", (found) => {
    const { picture, video } = planned(found)
    for (const { height, width } of picture.variants) {
      const scale = Math.max(width / video.displayWidth, height / video.displayHeight)
      assert.isBelow(
        Math.abs(width - video.displayWidth * scale),
        6 * Math.max(1, video.displayWidth / video.displayHeight)
      )
      assert.isBelow(
        Math.abs(height - video.displayHeight * scale),
        6 * Math.max(1, video.displayHeight / video.displayWidth)
      )
    }
  })

  property("portrait stays portrait and landscape stays landscape", (found) => {
    const { picture, video } = planned(found)
    for (const { height, width } of picture.variants) {
      if (video.displayHeight > video.displayWidth) assert.isAtLeast(height, width)
      else assert.isAtLeast(width, height)
    }
  })

  property("there are at least two variants from 360 lines up, falling in size, of different names", (found) => {
    const { picture, video } = planned(found)
    const lines = picture.variants.map(({ height, width }) => Math.min(height, width))
    if (Math.min(video.displayWidth, video.displayHeight) >= 360) assert.isAtLeast(lines.length, 2)
    assert.deepStrictEqual(
      lines,
      [...new Set(lines)].toSorted((a, b) => b - a)
    )
    assert.strictEqual(new Set(picture.variants.map(({ name }) => name)).size, picture.variants.length)
    assert.isAtMost(lines[0] ?? 0, defaultPlanOptions.mostLines)
  })

  property("the frame rate is constant, from 5 to 60", (found) => {
    const rate = toNumber(planned(found).picture.frameRate)
    assert.isAtLeast(rate, 5)
    assert.isAtMost(rate, 60.06)
  })

  property("key frames come at most 2 s apart, and segments are whole numbers of them near 6 s", (found) => {
    const { made, picture } = planned(found)
    const interval = picture.keyFrameInterval / toNumber(picture.frameRate)
    assert.isAtMost(interval, 2.005)
    assert.isAtLeast(interval, 1.5)
    const intervals = made.segmentSeconds / interval
    assert.isBelow(Math.abs(intervals - Math.round(intervals)), 1e-9)
    assert.isAtMost(Math.round(made.segmentSeconds), 6)
    assert.isAtLeast(made.segmentSeconds, 4.4)
  })

  property("each variant carries the lowest level for what it asks of a decoder", (found) => {
    const { picture } = planned(found)
    for (const { height, level, maxKilobitsPerSecond, width } of picture.variants) {
      const demand = {
        width,
        height,
        framesPerSecond: toNumber(picture.frameRate),
        kilobitsPerSecond: maxKilobitsPerSecond,
        keptPictures: 4
      }
      assert.strictEqual(level, lowestH264Level(demand))
    }
  })

  property("sound is planned exactly when there is sound", (found) => {
    assert.strictEqual(planned(found).made.audio !== null, found.audio)
  })

  const rateOf = (averageRate: Rational, nominalRate: Rational) =>
    outputRate({
      ...videoOf({
        width: 640,
        height: 360,
        aspectNum: 1,
        aspectDen: 1,
        rotation: 0,
        rate: "30/1",
        nominal: "same",
        interlaced: false,
        milliseconds: 1000,
        audio: false
      }),
      averageRate,
      nominalRate
    })

  it("keeps NTSC's exact rates and brings a measured rate to the well-known one beside it", () => {
    assert.deepStrictEqual(rateOf(rational(30000, 1001), rational(30000, 1001)), rational(30000, 1001))
    assert.deepStrictEqual(rateOf(rational(1497000, 49949), rational(30000, 1001)), rational(30000, 1001))
    assert.deepStrictEqual(rateOf(rational(25, 2), rational(25, 2)), rational(25, 2))
  })

  it("halves rates above 60 until they fit", () => {
    assert.deepStrictEqual(rateOf(rational(120, 1), rational(120, 1)), rational(60, 1))
    assert.deepStrictEqual(rateOf(rational(240000, 1001), rational(240000, 1001)), rational(60000, 1001))
    assert.deepStrictEqual(rateOf(rational(90, 1), rational(90, 1)), rational(45, 1))
  })

  it("makes a variable rate constant without losing frames, whatever absurd rate the header names", () => {
    assert.deepStrictEqual(rateOf(rational(2961, 100), rational(90000, 1)), rational(30, 1))
    assert.deepStrictEqual(rateOf(rational(20, 1), rational(30, 1)), rational(30, 1))
    assert.deepStrictEqual(rateOf(rational(7, 1), rational(1000, 1)), rational(10, 1))
  })

  it("uses 1080, 720 and 360 lines for a larger source, and 240 as the second rung of a small one", () => {
    const names = (width: number, height: number) =>
      planned({
        width,
        height,
        aspectNum: 1,
        aspectDen: 1,
        rotation: 0,
        rate: "25/1",
        nominal: "same",
        interlaced: false,
        milliseconds: 1000,
        audio: false
      }).picture.variants.map(({ name, ...size }) => `${name} ${size.width}x${size.height} ${size.level}`)
    assert.deepStrictEqual(names(3840, 2160), ["v1080 1920x1080 4.0", "v720 1280x720 3.1", "v360 640x360 3.0"])
    assert.deepStrictEqual(names(768, 432), ["v432 768x432 3.0", "v240 426x240 2.1"])
    assert.deepStrictEqual(names(1080, 1920), ["v1080 1080x1920 4.0", "v720 720x1280 3.1", "v360 360x640 3.0"])
    assert.deepStrictEqual(names(641, 361), ["v360 640x360 3.0", "v240 426x240 2.1"])
    assert.deepStrictEqual(names(320, 240), ["v240 320x240 1.3"])
  })
})
