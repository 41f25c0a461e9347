import { RuleCheck } from "@lectern/domain"
import { Schema } from "effect"

/** A file of the output. `path` is relative to it, with "/" between names. */
export const EncodedFile = Schema.Struct({
  path: Schema.String,
  bytes: Schema.Int,
  contentType: Schema.String,
  cacheControl: Schema.String
})
export type EncodedFile = typeof EncodedFile.Type

export const EncodedVariant = Schema.Struct({
  name: Schema.String,
  width: Schema.Int,
  height: Schema.Int,
  framesPerSecond: Schema.Finite,
  codec: Schema.String,
  /** Bits per second of the picture alone, measured. */
  peakBitRate: Schema.Int,
  averageBitRate: Schema.Int
})
export type EncodedVariant = typeof EncodedVariant.Type

/** What an encode left behind, checked file by file. */
export const EncodeResult = Schema.Struct({
  /** Largest first; empty for sound alone. */
  variants: Schema.Array(EncodedVariant),
  /** Of the output, measured. */
  durationSeconds: Schema.Finite,
  hasVideo: Schema.Boolean,
  hasAudio: Schema.Boolean,
  /** Of each variant; 0 for sound alone. */
  frames: Schema.Int,
  /** Path of the master playlist and of the picture in `files`. */
  master: Schema.String,
  thumbnail: Schema.String,
  /** Path of the WebVTT track that names parts of the sheets beside it, e.g. "t_000.jpg#xywh=160,0,160,90"; for video. */
  storyboard: Schema.optionalKey(Schema.String),
  /**
   * In the order in which they are to be published: what a playlist names comes before it, the master playlist last.
   * Files that never change are cached for a year; their names hold the encode's token.
   */
  files: Schema.Array(EncodedFile),
  /** What the program said although it ended well. */
  warnings: Schema.Array(Schema.String),
  /**
   * The rules of Apple's authoring specification and of RFC 8216 that the stream was checked against: all kept, or the encode
   * would have failed. Absent where an encoder checks no rules.
   */
  rules: Schema.optionalKey(Schema.Array(RuleCheck)),
  /** What about the input made the encode slower, e.g. "variable_frame_rate". */
  nonStandardInputReasons: Schema.Array(Schema.String)
})
export type EncodeResult = typeof EncodeResult.Type
