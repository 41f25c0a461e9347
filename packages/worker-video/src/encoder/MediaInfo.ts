import { type Rational, rational } from "./Rational.ts"

export type Rotation = 0 | 90 | 180 | 270

/** The picture that is encoded. Times are seconds from the first moment of the file. */
export interface VideoTrack {
  /** Index of the stream in the file. */
  readonly index: number
  readonly codec: string
  /** Size as stored, in pixels, before rotation and pixel shape. */
  readonly codedWidth: number
  readonly codedHeight: number
  readonly sampleAspect: Rational
  /** Clockwise turn, in degrees, that a player has to make. */
  readonly rotation: Rotation
  /** Size as seen, in square pixels: after rotation and pixel shape. Not rounded to even numbers. */
  readonly displayWidth: number
  readonly displayHeight: number
  readonly pixelFormat: string
  readonly bitDepth: number
  /** Coded for a high dynamic range display (PQ or HLG). */
  readonly highDynamicRange: boolean
  readonly interlaced: boolean
  /** Frames by duration; `null` where the file does not say. */
  readonly averageRate: Rational | null
  /** The finest rate that fits all timestamps; for a variable rate it can be absurdly high. */
  readonly nominalRate: Rational | null
  readonly startSeconds: number
  readonly durationSeconds: number
  readonly frames: number | null
}

/** The sound that is encoded. Times as in `VideoTrack`. */
export interface AudioTrack {
  readonly index: number
  readonly codec: string
  readonly channels: number
  readonly sampleRate: number
  readonly startSeconds: number
  readonly durationSeconds: number
  /** ISO 639 code, where the file has one. */
  readonly language: string | null
}

/** What is known of an accepted file. At least one of `video` and `audio` is there. */
export interface MediaInfo {
  /** Absolute path. */
  readonly path: string
  readonly bytes: number
  /** The ffmpeg demuxers that may open it, comma separated: the whole whitelist for every program that reads it. */
  readonly demuxers: string
  /** Length of the presentation: the later end of the two tracks. */
  readonly durationSeconds: number
  readonly video: VideoTrack | null
  readonly audio: AudioTrack | null
}

/** Pixels of the largest picture that is decoded, 8192x4320. Headers of pictures lie: the decoders hold to it themselves. */
export const mostPixels = 8192 * 4320

/** The options that every program gets before `-i`: this file, as this container, and nothing else. */
export const inputGuards = (demuxers: string): ReadonlyArray<string> => [
  "-protocol_whitelist",
  "file",
  "-format_whitelist",
  demuxers,
  "-max_pixels",
  String(mostPixels)
]

/** The frame rate of a track as far as the file tells it: 30 where it does not. */
export const sourceRate = (video: Pick<VideoTrack, "averageRate" | "nominalRate">): Rational =>
  video.averageRate ?? video.nominalRate ?? rational(30, 1)
