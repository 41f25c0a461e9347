/** The edge's polls, as documentation: the origin answers them with the edge's own handler. */
import { JobId, VideoId, VideoStatus, WireJobStatus } from "@lectern/domain"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { AskedTooOften, EdgeFailed } from "./EdgeRefusal.ts"
import { EncodingFields } from "./EncodingFields.ts"
import { JobProgressView } from "./JobView.ts"
import { BadRequest, Forbidden, Unauthorized } from "./Refusal.ts"
import { VideoIdParam } from "./VideoIdParam.ts"

/** Beside the contract; times are milliseconds since 1970. */
const FreshnessFields = {
  asOf: Schema.optionalKey(Schema.Int),
  /** `null` for what has ended. */
  staleAfter: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  attempt: Schema.optionalKey(Schema.Int),
  revision: Schema.optionalKey(Schema.Int),
  /** `null` for what has ended. */
  nextPollMs: Schema.NullOr(Schema.Int)
}

export const VideoProgress = Schema.Struct({
  id: VideoId,
  status: Schema.Union([VideoStatus, Schema.Literal("UNKNOWN")]),
  /** The same as `status`. */
  state: Schema.String,
  /** 0 where `encoding_progress` is null. */
  progress: Schema.Int,
  ...EncodingFields,
  hls_path: Schema.optionalKey(Schema.NullOr(Schema.String)),
  duration: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  error_reason: Schema.optionalKey(Schema.NullOr(Schema.String)),
  message: Schema.optionalKey(Schema.String),
  ...FreshnessFields
}).annotate({ identifier: "VideoProgress" })

export const JobProgressAnswer = Schema.Struct({
  job_id: Schema.String,
  job_type: Schema.NullOr(Schema.String),
  status: Schema.Union([WireJobStatus, Schema.Literal("UNKNOWN")]),
  progress: Schema.optionalKey(Schema.NullOr(JobProgressView)),
  result: Schema.optionalKey(Schema.Json),
  error_message: Schema.optionalKey(Schema.NullOr(Schema.String)),
  message: Schema.optionalKey(Schema.String),
  ...FreshnessFields
}).annotate({ identifier: "JobProgressAnswer" })

/** Each as its own path answers it, in the order asked. */
export const ProgressTray = Schema.Struct({
  videos: Schema.Array(VideoProgress),
  jobs: Schema.Array(JobProgressAnswer)
}).annotate({ identifier: "ProgressTray" })

/** The subjects of a tray. */
export const TrayQuery = {
  videos: Schema.optionalKey(Schema.String.annotate({ description: "Numbers of videos, with commas between them" })),
  jobs: Schema.optionalKey(Schema.String.annotate({ description: "Ids of jobs, with commas between them" }))
}

const IfNoneMatch = {
  "if-none-match": Schema.optionalKey(Schema.String.annotate({ description: "The `ETag` of the answer at hand" }))
}

const NextPoll = {
  "retry-after": Schema.optionalKey(
    Schema.String.annotate({ description: "Seconds until the next poll; none for what has ended" })
  )
}

const polled = <S extends Schema.Top>(schema: S) =>
  HttpApiSchema.WithHeaders(schema, {
    etag: Schema.optionalKey(Schema.String.annotate({ description: "None where the mirror knows nothing" })),
    ...NextPoll
  })

const NotModified = HttpApiSchema.Empty(304).annotate({ description: "The answer at hand is still the present one" })

const pollRefusals = [BadRequest, Unauthorized, Forbidden, AskedTooOften, EdgeFailed] as const

/** The edge's endpoints: the origin answers them with the edge's own handler, so they stand here as documentation. */
export class ProgressGroup extends HttpApiGroup.make("progress")
  .add(
    HttpApiEndpoint.get("video", "/media/videos/:id/progress/", {
      params: { id: VideoIdParam },
      headers: IfNoneMatch,
      success: [polled(VideoProgress), NotModified],
      error: pollRefusals
    }).annotate(OpenApi.Summary, "How far a video is: from the mirror alone, always 200 for a valid token"),
    HttpApiEndpoint.get("job", "/jobs/:job_id/progress/", {
      params: { job_id: JobId },
      headers: IfNoneMatch,
      success: [polled(JobProgressAnswer), NotModified],
      error: pollRefusals
    }).annotate(OpenApi.Summary, "How far a job is: from the mirror alone, always 200 for a valid token"),
    HttpApiEndpoint.get("tray", "/progress/", {
      query: TrayQuery,
      success: HttpApiSchema.WithHeaders(ProgressTray, NextPoll),
      error: pollRefusals
    }).annotate(OpenApi.Summary, "How far up to 100 videos and jobs are, at once")
  )
  .middleware(Authorization)
  .prefix("/api/v1")
{}
