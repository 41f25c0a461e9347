import { DateTime, Effect, Schema } from "effect"
import { type PlaybackUrls, type Video, VideoId, VideoPolicy, VideoStatus } from "@lectern/domain"
import { type Encoding, EncodingFields } from "./EncodingFields.ts"

/** `video` of CONTRACT.md, section 3. Times are ISO 8601 in UTC; `duration` is whole seconds. */
export const VideoView = Schema.Struct({
  id: VideoId,
  title: Schema.String,
  file_key: Schema.String,
  status: VideoStatus,
  duration: Schema.NullOr(Schema.Int),
  hls_path: Schema.NullOr(Schema.String),
  hls_url: Schema.NullOr(Schema.String),
  thumbnail_url: Schema.NullOr(Schema.String),
  /** Beside the contract: the WebVTT track of small pictures, for a seek bar. */
  storyboard_url: Schema.NullOr(Schema.String),
  /** Beside the contract: what about the upload made its encode slower or the output differ, e.g. "variable_frame_rate". */
  non_standard_input_reasons: Schema.Array(Schema.String),
  error_reason: Schema.NullOr(Schema.String),
  can_retry: Schema.Boolean,
  created_at: Schema.String,
  updated_at: Schema.String,
  ...EncodingFields
}).annotate({ identifier: "Video" })
export type VideoView = typeof VideoView.Type

const iso = (millis: number): string => DateTime.formatIso(DateTime.makeUnsafe(millis))

export const videoView = Effect.fnUntraced(function*(
  playback: PlaybackUrls["Service"],
  video: Video,
  encoding: Encoding
): Effect.fn.Return<VideoView> {
  return {
    id: video.id,
    title: video.title,
    file_key: video.fileKey,
    status: video.status,
    duration: video.duration,
    hls_path: video.hlsPath,
    hls_url: video.hlsPath === null ? null : yield* playback.url(video.hlsPath),
    thumbnail_url: video.thumbnailPath === null ? null : yield* playback.url(video.thumbnailPath),
    storyboard_url: video.storyboardPath === null ? null : yield* playback.url(video.storyboardPath),
    non_standard_input_reasons: video.nonStandardInputReasons,
    error_reason: video.errorReason,
    can_retry: VideoPolicy.canRetry(video),
    created_at: iso(video.createdAt),
    updated_at: iso(video.updatedAt),
    ...encoding
  }
})
