import type { EncodePlan } from "./EncodePlan.ts"
import { playlistName } from "./FfmpegCommandLine.ts"
import { iFramePlaylistName, keyFramesOf } from "./IFramePlaylist.ts"
import { targetDurationFor } from "./MediaPlaylist.ts"
import type { Rendition } from "./Rendition.ts"
import { toNumber } from "./Rational.ts"

/** Bits per second of a rendition, as its segments really are. */
export interface MeasuredRate {
  readonly peak: number
  readonly average: number
}

/** Something that is fetched in one piece and shown for `seconds`. */
export interface MeasuredPiece {
  readonly bytes: number
  readonly seconds: number
}

/**
 * Peak and average bit rate. The peak is that of the densest run of pieces lasting between half and one and a half
 * target durations, as RFC 8216 (section 4.3.4.2) defines it, so that a last segment of one frame does not count alone.
 */
export const measuredRate = (targetDuration: number, pieces: ReadonlyArray<MeasuredPiece>): MeasuredRate => {
  const bits = pieces.reduce((sum, { bytes }) => sum + bytes * 8, 0)
  const seconds = pieces.reduce((sum, piece) => sum + piece.seconds, 0)
  const average = Math.ceil(bits / seconds)
  let peak = 0
  for (let from = 0; from < pieces.length; from++) {
    let runBits = 0
    let runSeconds = 0
    for (let index = from; index < pieces.length; index++) {
      const piece = pieces[index]
      if (piece === undefined) break
      runBits += piece.bytes * 8
      runSeconds += piece.seconds
      if (runSeconds > targetDuration * 1.5) break
      if (runSeconds >= targetDuration * 0.5) peak = Math.max(peak, Math.ceil(runBits / runSeconds))
    }
  }
  return { peak: Math.max(peak, average), average }
}

const secondsOf = ({ init, segments }: Pick<Rendition, "init" | "segments">): ReadonlyArray<number> =>
  segments.map(({ facts }) => facts.ticks / init.timescale)

/** The target duration that all renditions of a stream announce alike. */
export const streamTarget = (renditions: ReadonlyArray<Pick<Rendition, "init" | "segments">>): number =>
  targetDurationFor(renditions.flatMap(secondsOf))

/** The rates of a rendition, from the bytes and the headers of its segments. */
export const renditionRate = (
  targetDuration: number,
  { init, segments }: Pick<Rendition, "init" | "segments">
): MeasuredRate =>
  measuredRate(
    targetDuration,
    segments.map(({ bytes, facts }) => ({ bytes, seconds: facts.ticks / init.timescale }))
  )

/** The rates of a variant's key frames, fetched alone. */
export const iFrameRate = (rendition: Pick<Rendition, "init" | "segments">): MeasuredRate => {
  const frames = keyFramesOf(rendition)
  return measuredRate(targetDurationFor(frames.map(({ seconds }) => seconds)), frames)
}

/** The language as RFC 5646 writes it: files hold three letters where two are the rule ("kor" is "ko"). */
export const languageTag = (language: string | null): string => {
  if (language === null) return "und"
  try {
    return Intl.getCanonicalLocales(language)[0] ?? "und"
  } catch (error) {
    // What the file calls its language is no such tag.
    if (error instanceof RangeError) return "und"
    throw error
  }
}

const audioGroup = "sound"

const audioMedia = (language: string | null, name: string): string =>
  [
    `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${audioGroup}",NAME="${language ?? "default"}"`,
    `LANGUAGE="${languageTag(language)}"`,
    `DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="${name}/${playlistName}"`
  ].join(",")

/**
 * The master playlist for renditions that `validateHls` found without fault: bit rates and codecs from the files, not
 * from what was asked of the encoder. One line for each variant and its key
 * frames, largest first; sound alone is a stream of its own.
 */
export const masterPlaylist = (plan: EncodePlan, renditions: ReadonlyArray<Rendition>): string => {
  const named = (name: string) => renditions.find((rendition) => rendition.name === name)
  const audio = plan.audio === null ? undefined : named(plan.audio.name)
  const target = streamTarget(renditions)
  const audioRate = audio === undefined ? { peak: 0, average: 0 } : renditionRate(target, audio)
  const head = ["#EXTM3U", "#EXT-X-VERSION:7", "#EXT-X-INDEPENDENT-SEGMENTS"]
  const { video } = plan
  if (video === null) {
    return [
      ...head,
      ...(audio === undefined
        ? []
        : [
            `#EXT-X-STREAM-INF:BANDWIDTH=${audioRate.peak},AVERAGE-BANDWIDTH=${audioRate.average},` +
              `CODECS="${audio.init.codec}"`,
            `${audio.name}/${playlistName}`
          ]),
      ""
    ].join("\n")
  }
  return [
    ...head,
    ...(audio === undefined ? [] : [audioMedia(plan.audio?.language ?? null, audio.name)]),
    ...video.variants.flatMap((variant) => {
      const rendition = named(variant.name)
      if (rendition === undefined) return []
      const rate = renditionRate(target, rendition)
      const codecs = [rendition.init.codec, ...(audio === undefined ? [] : [audio.init.codec])].join(",")
      return [
        [
          `#EXT-X-STREAM-INF:BANDWIDTH=${rate.peak + audioRate.peak}`,
          `AVERAGE-BANDWIDTH=${rate.average + audioRate.average}`,
          `CODECS="${codecs}"`,
          `RESOLUTION=${variant.width}x${variant.height}`,
          `FRAME-RATE=${toNumber(video.frameRate).toFixed(3)}`,
          ...(audio === undefined ? [] : [`AUDIO="${audioGroup}"`])
        ].join(","),
        `${variant.name}/${playlistName}`
      ]
    }),
    ...video.variants.flatMap((variant) => {
      const rendition = named(variant.name)
      if (rendition === undefined) return []
      const rate = iFrameRate(rendition)
      return [
        [
          `#EXT-X-I-FRAME-STREAM-INF:BANDWIDTH=${rate.peak}`,
          `AVERAGE-BANDWIDTH=${rate.average}`,
          `CODECS="${rendition.init.codec}"`,
          `RESOLUTION=${variant.width}x${variant.height}`,
          `URI="${variant.name}/${iFramePlaylistName}"`
        ].join(",")
      ]
    }),
    ""
  ].join("\n")
}
