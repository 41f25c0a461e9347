import { lowestH264Level } from "./H264Level.ts"
import { type MediaInfo, sourceRate, type VideoTrack } from "./MediaInfo.ts"
import { type Rational, rational, toNumber } from "./Rational.ts"

/** What the planner is free to choose by. Lines are the shorter side of the picture as seen. */
export interface PlanOptions {
  /** No variant has more lines, however large the source is. */
  readonly mostLines: number
  /** Rungs below the largest, in falling order. One is used if it has at most 4/5 of the lines of the largest. */
  readonly lowerRungs: ReadonlyArray<number>
  /** From this many lines up there are at least two variants. */
  readonly secondVariantFrom: number
  /** The second variant, where no other rung fits. */
  readonly smallestRung: number
  /** x264's constant rate factor: lower is better and larger. */
  readonly quality: number
  readonly preset: string
  readonly audioKilobitsPerSecond: number
}

export const defaultPlanOptions: PlanOptions = {
  mostLines: 1080,
  lowerRungs: [720, 360],
  secondVariantFrom: 360,
  smallestRung: 240,
  quality: 22,
  preset: "veryfast",
  audioKilobitsPerSecond: 128
}

export interface VideoVariant {
  /** Its folder below the output. */
  readonly name: string
  /** Even, in square pixels. */
  readonly width: number
  readonly height: number
  /** Of the High profile; `null` leaves it to x264, where the picture is larger than any level allows. */
  readonly level: string | null
  readonly maxKilobitsPerSecond: number
}

export interface VideoPlan {
  readonly streamIndex: number
  /** Constant rate of every variant. */
  readonly frameRate: Rational
  /** Distance of the key frames, the same in every variant: at most 2 s, or 2.002 s at NTSC's rates. */
  readonly keyFrameInterval: number
  readonly deinterlace: boolean
  readonly toneMap: boolean
  /** Frames that a complete output has. */
  readonly frames: number
  /** Falling in size, never empty. Each is scaled down from the one before it. */
  readonly variants: readonly [VideoVariant, ...ReadonlyArray<VideoVariant>]
}

export interface AudioPlan {
  readonly streamIndex: number
  readonly name: string
  readonly kilobitsPerSecond: number
  readonly sampleRate: 44100 | 48000
  readonly language: string | null
}

/** Everything that decides how a file is encoded. The same probe and options always give the same plan. */
export interface EncodePlan {
  /** Seconds that a segment is to last, a whole number of key frame intervals; the last one may be shorter. */
  readonly segmentSeconds: number
  /** Length of the source, and of a complete output. */
  readonly durationSeconds: number
  readonly videoSeconds: number
  readonly audioSeconds: number
  readonly video: VideoPlan | null
  readonly audio: AudioPlan | null
  /** What about the input makes the encode slower or differ from a plain one; empty for a plain input. */
  readonly nonStandardInputReasons: ReadonlyArray<string>
  readonly quality: number
  readonly preset: string
}

/** Pictures that x264 lets a decoder keep: its B-frame pyramid needs them. */
const keptPictures = 4
const targetSegmentSeconds = 6
const keyFrameSeconds = 2
const fastestRate = 60
const slowestRate = 5

const knownRates: ReadonlyArray<Rational> = [
  rational(10, 1),
  rational(25, 2),
  rational(15, 1),
  rational(24000, 1001),
  rational(24, 1),
  rational(25, 1),
  rational(30000, 1001),
  rational(30, 1),
  rational(48, 1),
  rational(50, 1),
  rational(60000, 1001),
  rational(60, 1)
]
const variableRates = knownRates.filter(({ den }) => den === 1)

const distance = (a: Rational, b: Rational): number => Math.abs(toNumber(a) / toNumber(b) - 1)

/** A rate measured from timestamps is a little off: brings it to the well-known one within 1/1000, else to 1/1000s. */
const snapped = (rate: Rational): Rational => {
  const nearest = knownRates.reduce((best, known) => (distance(rate, known) < distance(rate, best) ? known : best))
  if (distance(rate, nearest) <= 0.001) return nearest
  return rate.den <= 1001 ? rate : rational(Math.round(toNumber(rate) * 1000), 1000)
}

/** Whether the frames of a track come at uneven distances. */
export const hasVariableRate = (video: Pick<VideoTrack, "averageRate" | "nominalRate" | "interlaced">): boolean =>
  !video.interlaced &&
  video.averageRate !== null &&
  video.nominalRate !== null &&
  distance(video.averageRate, video.nominalRate) > 0.01

const constantRate = (video: VideoTrack): Rational => {
  const measured = sourceRate(video)
  const { nominalRate } = video
  if (hasVariableRate(video)) {
    const nominalIsSane =
      nominalRate !== null &&
      toNumber(nominalRate) <= fastestRate &&
      toNumber(nominalRate) >= toNumber(measured) &&
      toNumber(nominalRate) <= 2 * toNumber(measured)
    if (nominalIsSane) return snapped(nominalRate)
    return variableRates.find((rate) => toNumber(rate) >= toNumber(measured) * 0.99) ?? rational(fastestRate, 1)
  }
  return snapped(measured)
}

const withinBounds = (rate: Rational): Rational => {
  let bounded = rate
  while (toNumber(bounded) > fastestRate * 1.001) bounded = rational(bounded.num, bounded.den * 2)
  const value = toNumber(bounded)
  return value < slowestRate ? rational(bounded.num * Math.ceil(slowestRate / value), bounded.den) : bounded
}

/** The constant rate for a track: halved until at most 60, multiplied until at least 5 frames a second. */
export const outputRate = (video: VideoTrack): Rational => withinBounds(constantRate(video))

const wholeFrames = (seconds: number, rate: Rational): number => {
  const exact = seconds * toNumber(rate)
  const nearest = Math.round(exact)
  return Math.max(1, Math.abs(nearest - exact) <= exact * 0.002 ? nearest : Math.floor(exact))
}

const even = (value: number): number => Math.max(2, 2 * Math.round(value / 2))
const evenBelow = (value: number): number => Math.max(2, 2 * Math.floor(value / 2))

/** The even size of `lines` lines (already even) in the shape of the source. */
const sizeOf = (lines: number, video: VideoTrack): { readonly width: number; readonly height: number } => {
  const portrait = video.displayHeight > video.displayWidth
  const short = portrait ? video.displayWidth : video.displayHeight
  const long = portrait ? video.displayHeight : video.displayWidth
  const longSide = Math.min(even((long * lines) / short), evenBelow(long))
  return portrait ? { width: lines, height: longSide } : { width: longSide, height: lines }
}

// 6 Mbit/s for 1080p30, and less than in proportion for smaller pictures, whose detail is denser.
const maxRate = (width: number, height: number, framesPerSecond: number): number =>
  Math.max(200, Math.round(6000 * ((width * height * framesPerSecond) / (1920 * 1080 * 30)) ** 0.75))

const planVariant = (lines: number, video: VideoTrack, rate: Rational): VideoVariant => {
  const { height, width } = sizeOf(lines, video)
  const framesPerSecond = toNumber(rate)
  const maxKilobitsPerSecond = maxRate(width, height, framesPerSecond)
  const level = lowestH264Level({
    width,
    height,
    framesPerSecond,
    kilobitsPerSecond: maxKilobitsPerSecond,
    keptPictures
  })
  return { name: `v${lines}`, width, height, level, maxKilobitsPerSecond }
}

const planVariants = (video: VideoTrack, rate: Rational, options: PlanOptions): VideoPlan["variants"] => {
  const sourceLines = evenBelow(Math.min(video.displayWidth, video.displayHeight))
  const top = Math.min(sourceLines, options.mostLines)
  const lower = options.lowerRungs.filter((lines) => lines <= top * 0.8)
  const needsSecond =
    lower.length === 0 && Math.min(video.displayWidth, video.displayHeight) >= options.secondVariantFrom
  const rungs = needsSecond ? [options.smallestRung] : lower
  return [planVariant(top, video, rate), ...rungs.map((lines) => planVariant(lines, video, rate))]
}

const reasonsOf = (media: MediaInfo): ReadonlyArray<string> => {
  const { audio, video } = media
  return [
    ...(video === null ? ["audio_only"] : []),
    ...(video !== null && video.codec !== "h264" ? [`video_codec:${video.codec}`] : []),
    ...(video !== null && hasVariableRate(video) ? ["variable_frame_rate"] : []),
    ...(video !== null && toNumber(sourceRate(video)) > fastestRate * 1.001 ? ["high_frame_rate"] : []),
    ...(video !== null && video.bitDepth > 8 ? [`bit_depth:${video.bitDepth}`] : []),
    ...(video?.highDynamicRange === true ? ["high_dynamic_range"] : []),
    ...(video?.interlaced === true ? ["interlaced"] : []),
    ...(video !== null && video.rotation !== 0 ? [`rotation:${video.rotation}`] : []),
    ...(video !== null && toNumber(video.sampleAspect) !== 1 ? ["anamorphic"] : []),
    ...(audio === null ? ["no_audio"] : []),
    ...(audio !== null && audio.channels > 2 ? [`audio_channels:${audio.channels}`] : [])
  ]
}

/** Decides how `media` is encoded. Pure: files, clocks and programs have no say. */
export const plan = (media: MediaInfo, options: PlanOptions = defaultPlanOptions): EncodePlan => {
  const { audio, video } = media
  const frameRate = video === null ? rational(25, 1) : outputRate(video)
  const keyFrameInterval = wholeFrames(keyFrameSeconds, frameRate)
  const intervalSeconds = keyFrameInterval / toNumber(frameRate)
  const videoSeconds = video === null ? 0 : video.startSeconds + video.durationSeconds
  const audioSeconds = audio === null ? 0 : audio.startSeconds + audio.durationSeconds
  return {
    segmentSeconds: Math.max(1, Math.floor((targetSegmentSeconds * 1.002) / intervalSeconds)) * intervalSeconds,
    durationSeconds: media.durationSeconds,
    videoSeconds,
    audioSeconds,
    video:
      video === null
        ? null
        : {
            streamIndex: video.index,
            frameRate,
            keyFrameInterval,
            deinterlace: video.interlaced,
            toneMap: video.highDynamicRange,
            frames: Math.max(1, Math.round(videoSeconds * toNumber(frameRate))),
            variants: planVariants(video, frameRate, options)
          },
    audio:
      audio === null
        ? null
        : {
            streamIndex: audio.index,
            name: "audio",
            kilobitsPerSecond: options.audioKilobitsPerSecond,
            sampleRate: audio.sampleRate === 44100 ? 44100 : 48000,
            language: audio.language
          },
    nonStandardInputReasons: reasonsOf(media),
    quality: options.quality,
    preset: options.preset
  }
}
