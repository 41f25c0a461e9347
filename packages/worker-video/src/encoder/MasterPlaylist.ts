import type { EncodePlan } from "./EncodePlan.ts"
import { playlistName } from "./FfmpegCommandLine.ts"
import type { Rendition } from "./Rendition.ts"
import { toNumber } from "./Rational.ts"

/** Bits per second of a rendition, as its segments really are. */
export interface MeasuredRate {
  readonly peak: number
  readonly average: number
}

/**
 * Peak and average bit rate. The peak is that of the densest run of segments lasting between half and one and a half
 * target durations, as RFC 8216 (section 4.3.4.2) defines it, so that a last segment of one frame does not count alone.
 */
export const measuredRate = (rendition: Pick<Rendition, "playlist" | "segments">): MeasuredRate => {
  const {
    playlist: { targetDuration },
    segments
  } = rendition
  const bits = segments.reduce((sum, { bytes }) => sum + bytes * 8, 0)
  const seconds = segments.reduce((sum, segment) => sum + segment.seconds, 0)
  const average = Math.ceil(bits / seconds)
  let peak = 0
  for (let from = 0; from < segments.length; from++) {
    let runBits = 0
    let runSeconds = 0
    for (const segment of segments.slice(from)) {
      runBits += segment.bytes * 8
      runSeconds += segment.seconds
      if (runSeconds > targetDuration * 1.5) break
      if (runSeconds >= targetDuration * 0.5) peak = Math.max(peak, Math.ceil(runBits / runSeconds))
    }
  }
  return { peak: Math.max(peak, average), average }
}

const audioGroup = "sound"

const audioMedia = (language: string | null, name: string): string =>
  [
    `#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="${audioGroup}",NAME="${language ?? "default"}"`,
    ...(language === null ? [] : [`LANGUAGE="${language}"`]),
    `DEFAULT=YES,AUTOSELECT=YES,CHANNELS="2",URI="${name}/${playlistName}"`
  ].join(",")

/**
 * The master playlist for renditions that `validateHls` found without fault: bit rates and codecs from the files, not
 * from what was asked of the encoder. One line for each variant, largest first; sound alone is a stream of its own.
 */
export const masterPlaylist = (plan: EncodePlan, renditions: ReadonlyArray<Rendition>): string => {
  const named = (name: string) => renditions.find((rendition) => rendition.name === name)
  const audio = plan.audio === null ? undefined : named(plan.audio.name)
  const audioRate = audio === undefined ? { peak: 0, average: 0 } : measuredRate(audio)
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
      const rate = measuredRate(rendition)
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
    ""
  ].join("\n")
}
