/**
 * A video, and the state machine that its users see.
 *
 *     PENDING ──upload completed──▶ UPLOADED ──claimed──▶ PROCESSING ──▶ READY | FAILED
 *                                      ▲                                   │
 *                                      └──────────── retry ────────────────┘
 *
 * A video follows its current encode job: what another (an earlier) job says about it is not heard.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { EpochMillis } from "./Epoch.ts"
import type { EpochMillis as Millis } from "./Epoch.ts"
import type { Job } from "./Job.ts"
import { JobId } from "./Job.ts"
import { RuleCheck } from "./RuleCheck.ts"
import { TenantId } from "./Tenant.ts"
import { VideoId } from "./VideoId.ts"

export const VideoStatus = Schema.Literals(["PENDING", "UPLOADED", "PROCESSING", "READY", "FAILED"])
export type VideoStatus = typeof VideoStatus.Type

export class Video extends Schema.Class<Video>("@lectern/domain/Video")({
  tenantId: TenantId,
  id: VideoId,
  title: Schema.String,
  filename: Schema.String,
  contentType: Schema.String,
  /** The lecture session that the uploader filed it under; its meaning is the school's. */
  session: Schema.NullOr(Schema.String),
  /** Object key of the raw upload. */
  fileKey: Schema.String,
  /** Bytes; known once the upload is complete. */
  fileSize: Schema.NullOr(Schema.Int),
  status: VideoStatus,
  /** Whole seconds. */
  duration: Schema.NullOr(Schema.Int),
  /** Object key of the master playlist of the last good output. */
  hlsPath: Schema.NullOr(Schema.String),
  thumbnailPath: Schema.NullOr(Schema.String),
  /** Object key of the WebVTT track that names the small pictures of that output; `null` for sound alone. */
  storyboardPath: Schema.NullOr(Schema.String),
  /** What about the upload made that encode slower or its output differ, e.g. "variable_frame_rate". */
  nonStandardInputReasons: Schema.Array(Schema.String),
  /** The rules that the last good output was checked against; `null` before there is one. */
  rules: Schema.NullOr(Schema.Array(RuleCheck)),
  errorReason: Schema.NullOr(Schema.String),
  /** The encode that the video follows. */
  encodeJobId: Schema.NullOr(JobId),
  /** Raised by every committed change, those of its encode included. */
  revision: Schema.Int,
  createdAt: EpochMillis,
  updatedAt: EpochMillis,
  /** Set first when a deletion begins; from then on nobody finds the video, and a sweep can finish the deletion. */
  deletedAt: Schema.NullOr(EpochMillis)
}) {}

/** What a finished encode leaves: the `result` of its job. */
export class EncodeOutput extends Schema.Class<EncodeOutput>("@lectern/domain/EncodeOutput")({
  hls_path: Schema.String,
  thumbnail_path: Schema.String,
  /** Whole seconds, at least 1 for anything that plays. */
  duration: Schema.Int,
  variants: Schema.Array(Schema.String),
  /** Absent for sound alone. */
  storyboard_path: Schema.optionalKey(Schema.String),
  non_standard_input_reasons: Schema.optionalKey(Schema.Array(Schema.String)),
  /** Absent where an encoder checks no rules. */
  rules: Schema.optionalKey(Schema.Array(RuleCheck))
}) {}

export class VideoConflict extends Schema.TaggedError<VideoConflict>()("VideoConflict", {
  videoId: VideoId,
  status: VideoStatus,
  reason: Schema.Literals(["not_awaiting_upload", "already_active", "not_uploaded", "object_missing", "object_empty"])
}) {
  override get message(): string {
    return `Cannot change video ${this.videoId} in state ${this.status}: ${this.reason}`
  }
}

export interface NewVideo {
  readonly title: string
  readonly filename: string
  readonly contentType: string
  readonly session: string | null
  readonly fileKey: string
}

export const createVideo = (tenantId: TenantId, id: VideoId, input: NewVideo, now: Millis): Video =>
  new Video({
    ...input,
    tenantId,
    id,
    fileSize: null,
    status: "PENDING",
    duration: null,
    hlsPath: null,
    thumbnailPath: null,
    storyboardPath: null,
    nonStandardInputReasons: [],
    rules: null,
    errorReason: null,
    encodeJobId: null,
    revision: 1,
    createdAt: now,
    updatedAt: now,
    deletedAt: null
  })

const change = (video: Video, now: Millis, fields: Partial<typeof Video.Type>): Video =>
  new Video({ ...video, ...fields, revision: video.revision + 1, updatedAt: now })

const refuse = (video: Video, reason: VideoConflict["reason"]): Result.Result<never, VideoConflict> =>
  Result.fail(new VideoConflict({ videoId: video.id, status: video.status, reason }))

export const completeUpload = (
  video: Video,
  upload: { readonly jobId: JobId; readonly fileSize: number },
  now: Millis
): Result.Result<Video, VideoConflict> =>
  video.status !== "PENDING"
    ? refuse(video, "not_awaiting_upload")
    : Result.succeed(
      change(video, now, { status: "UPLOADED", encodeJobId: upload.jobId, fileSize: upload.fileSize, errorReason: null })
    )

/** A finished video may be encoded again: its last good output stays in place until the next one is ready. */
export const canRetry = (video: Video): boolean => video.status === "FAILED" || video.status === "READY"

export const retryEncode = (video: Video, jobId: JobId, now: Millis): Result.Result<Video, VideoConflict> =>
  canRetry(video)
    ? Result.succeed(change(video, now, { status: "UPLOADED", encodeJobId: jobId, errorReason: null }))
    : refuse(video, video.status === "PENDING" ? "not_uploaded" : "already_active")

export const beginDelete = (video: Video, now: Millis): Video => change(video, now, { deletedAt: now })

const decodeOutput = Schema.decodeUnknownResult(EncodeOutput)

/** What the video becomes when its encode has become `job`; `null` when it does not concern the video (any more). */
export const followEncode = (video: Video, job: Job, now: Millis): Video | null => {
  if (video.encodeJobId !== job.id || video.deletedAt !== null) return null
  switch (job.status) {
    case "PENDING":
      return null
    case "VALIDATING":
    case "RUNNING":
      return change(video, now, { status: "PROCESSING" })
    case "RETRYING":
      return change(video, now, {})
    case "DONE":
      return Result.match(decodeOutput(job.result), {
        onSuccess: (output) =>
          change(video, now, {
            status: "READY",
            hlsPath: output.hls_path,
            thumbnailPath: output.thumbnail_path,
            storyboardPath: output.storyboard_path ?? null,
            nonStandardInputReasons: output.non_standard_input_reasons ?? [],
            rules: output.rules ?? null,
            duration: output.duration,
            errorReason: null
          }),
        onFailure: () => change(video, now, { status: "FAILED", errorReason: "인코딩 결과를 찾을 수 없습니다" })
      })
    case "FAILED":
    case "REJECTED_BAD_INPUT":
    case "FALLBACK_TO_GPU":
    case "REVIEW_REQUIRED":
    case "CANCELLED":
      return change(video, now, { status: "FAILED", errorReason: job.errorMessage ?? job.status })
  }
}
