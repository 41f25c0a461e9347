/**
 * The origin's endpoints (CONTRACT.md, section 3), as one definition: what is served, what is documented and what
 * clients are made from.
 */
import { Schema, SchemaTransformation } from "effect"
import { Multipart } from "effect/http"
import { HttpApi, HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { JobId, RuleCheck, ReadingId, VideoId } from "@lectern/domain"
import { Authorization } from "./Authorization.ts"
import { decimal } from "./decimal.ts"
import { JobView } from "./JobView.ts"
import { MessagingAccepted, MessagingPreview, MessagingRequest } from "./MessagingRequest.ts"
import { MultipartUploadsGroup } from "./MultipartUploadApi.ts"
import { ProgressGroup } from "./ProgressApi.ts"
import { ProgressEventsGroup } from "./ProgressEventsApi.ts"
import { Conflict, ContentTooLarge, NotFound, TooManyRequests, Unavailable, UnsupportedMediaType } from "./Refusal.ts"
import { RecognitionGroup } from "./RecognitionApi.ts"
import { RequestDecoding } from "./RequestDecoding.ts"
import { maxSpreadsheetBodyBytes, maxSpreadsheetBytes } from "./SpreadsheetUpload.ts"
import { storable } from "./storable.ts"
import { UploadAccepted } from "./UploadAccepted.ts"
import { VideoIdParam } from "./VideoIdParam.ts"
import { UploadRequest } from "./VideoUpload.ts"
import { VideoView } from "./VideoView.ts"
import { WatchTokenField } from "./WatchTokenField.ts"

/** Videos of one page of the list. */
export const pageSize = 20

const PageParam = decimal(`Counts from 1; ${pageSize} videos a page`, 6).pipe(
  Schema.decodeTo(Schema.Int, SchemaTransformation.numberFromString)
)

export const UploadTicket = Schema.Struct({
  video: VideoView,
  /** PUT the file here within 6 hours, with exactly `content_type` as its `Content-Type`. */
  upload_url: Schema.String,
  file_key: Schema.String,
  content_type: Schema.String
}).annotate({ identifier: "UploadTicket" })

/** Beside the contract: what was checked of the stream that is published, before it was. */
export const RuleReport = Schema.Struct({
  id: VideoId,
  /** `null` before there is an output; then the counts are 0. */
  rules: Schema.NullOr(Schema.Array(RuleCheck)),
  checked: Schema.Int,
  broken: Schema.Int
}).annotate({ identifier: "RuleReport" })

export const VideoList = Schema.Struct({
  count: Schema.Int,
  next: Schema.NullOr(Schema.String),
  previous: Schema.NullOr(Schema.String),
  results: Schema.Array(VideoView)
}).annotate({ identifier: "VideoList" })

export const RetryAccepted = Schema.Struct({ detail: Schema.String, job_id: JobId, ...WatchTokenField }).annotate({
  identifier: "RetryAccepted"
})

export const ImportAccepted = Schema.Struct({
  job_id: JobId,
  status: Schema.Literal("PENDING"),
  ...WatchTokenField
}).annotate({
  identifier: "ImportAccepted"
})

/** Rows of the sheet that was imported. */
export const UndoneImport = Schema.Struct({
  removed: Schema.Array(Schema.Int),
  /** Changed since, and therefore left as they are. */
  changed: Schema.Array(Schema.Int)
}).annotate({ identifier: "UndoneImport" })

/** The patterns of `ReadingId`, joined as a form field joins them. */
const ReadingIds = Schema.String.check(
  Schema.makeFilter((text) =>
    text.split(",").every(Schema.is(ReadingId)) ? undefined : "ids of readings with commas between, such as guardian:C"
  )
)

export const SpreadsheetForm = Schema.Struct({
  file: Multipart.SingleFileSchema,
  /** Check the rows and create nobody. */
  dry_run: Schema.optionalKey(
    Schema.Literals(["true", "false", "1", "0", "on", "off", "yes", "no", "True", "False", ""])
  ),
  /** Ids of the readings that an earlier import of the same file asked about, with commas between: `sheet:2,guardian:C`. */
  reading: Schema.optionalKey(Schema.Union([Schema.Literal(""), ReadingIds]))
})

export class VideosGroup extends HttpApiGroup.make("videos")
  .add(
    HttpApiEndpoint.post("initUpload", "/media/videos/upload/init/", {
      payload: UploadRequest,
      success: UploadTicket.pipe(HttpApiSchema.status(201)),
      error: [ContentTooLarge, UnsupportedMediaType, Unavailable]
    }).annotate(OpenApi.Summary, "Register a video and get an address to PUT its file to"),
    HttpApiEndpoint.post("completeUpload", "/media/videos/:id/upload/complete/", {
      params: { id: VideoIdParam },
      success: UploadAccepted,
      error: [NotFound, Conflict, Unavailable]
    }).annotate(OpenApi.Summary, "Say that the file is there; its encode begins"),
    HttpApiEndpoint.get("list", "/media/videos/", {
      query: {
        page: Schema.optionalKey(PageParam),
        search: Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200), storable))
      },
      success: VideoList,
      error: [Unavailable]
    }).annotate(OpenApi.Summary, "The tenant's videos, newest first"),
    HttpApiEndpoint.get("detail", "/media/videos/:id/", {
      params: { id: VideoIdParam },
      success: VideoView,
      error: [NotFound, Unavailable]
    }).annotate(OpenApi.Summary, "One video"),
    HttpApiEndpoint.get("rules", "/media/videos/:id/rules/", {
      params: { id: VideoIdParam },
      success: RuleReport,
      error: [NotFound, Unavailable]
    }).annotate(OpenApi.Summary, "The rules for streams that the video's last good output was checked against"),
    HttpApiEndpoint.post("retry", "/media/videos/:id/retry/", {
      params: { id: VideoIdParam },
      success: RetryAccepted.pipe(HttpApiSchema.status(202)),
      error: [NotFound, Conflict, Unavailable]
    }).annotate(OpenApi.Summary, "Encode a video again whose encode has ended"),
    HttpApiEndpoint.delete("remove", "/media/videos/:id/", {
      params: { id: VideoIdParam },
      success: HttpApiSchema.NoContent,
      error: [NotFound, Unavailable]
    }).annotate(OpenApi.Summary, "Stop the encode and remove the file and everything published")
  )
  .middleware(RequestDecoding)
  .middleware(Authorization)
  .prefix("/api/v1")
{}

export class JobsGroup extends HttpApiGroup.make("jobs")
  .add(
    HttpApiEndpoint.get("detail", "/jobs/:job_id/", {
      params: { job_id: JobId },
      success: JobView,
      error: [NotFound, Unavailable]
    }).annotate(OpenApi.Summary, "One job, with its result once it has ended")
  )
  .middleware(RequestDecoding)
  .middleware(Authorization)
  .prefix("/api/v1")
{}

export class StudentsGroup extends HttpApiGroup.make("students")
  .add(
    HttpApiEndpoint.post("bulkCreateFromExcel", "/students/bulk_create_from_excel/", {
      payload: SpreadsheetForm.pipe(HttpApiSchema.asMultipart({
        maxParts: 8,
        maxFieldSize: 1024,
        maxFileSize: maxSpreadsheetBytes,
        maxTotalSize: maxSpreadsheetBodyBytes
      })),
      success: ImportAccepted.pipe(HttpApiSchema.status(202)),
      error: [ContentTooLarge, UnsupportedMediaType, Unavailable]
    }).annotate(OpenApi.Summary, "Import a class list (.xlsx or .csv, at most 20 MiB)"),
    HttpApiEndpoint.post("undoImport", "/students/imports/:job_id/undo/", {
      params: { job_id: JobId },
      success: UndoneImport,
      error: [NotFound, Conflict, Unavailable]
    }).annotate(OpenApi.Summary, "Remove the students that an import has created, but for those changed since")
  )
  .middleware(RequestDecoding)
  .middleware(Authorization)
  .prefix("/api/v1")
{}

export class MessagingGroup extends HttpApiGroup.make("messaging")
  .add(
    HttpApiEndpoint.post("send", "/messaging/send/", {
      headers: { "idempotency-key": Schema.optionalKey(Schema.String.check(Schema.isMaxLength(200))) },
      payload: MessagingRequest,
      success: [MessagingAccepted.pipe(HttpApiSchema.status(202)), MessagingPreview],
      error: [Conflict, ContentTooLarge, UnsupportedMediaType, TooManyRequests, Unavailable]
    }).annotate(OpenApi.Summary, "Send messages, or see what would be sent and what it would cost")
  )
  .middleware(RequestDecoding)
  .middleware(Authorization)
  .prefix("/api/v1")
{}

const PartState = Schema.Struct({
  status: Schema.Literals(["ok", "unavailable"]),
  /** Whether readiness hangs on it. */
  required: Schema.Boolean
})

const Parts = Schema.Struct({ database: PartState, objects: PartState, queue: PartState, mirror: PartState })

export const Ready = Schema.Struct({
  /** `degraded`: work is accepted and done, progress is unknown. */
  status: Schema.Literals(["ready", "degraded"]),
  parts: Parts
}).annotate({ identifier: "Ready" })

export const NotReady = Schema.Struct({ status: Schema.Literal("unavailable"), parts: Parts }).annotate({
  identifier: "NotReady"
})

export const Liveness = Schema.Struct({ status: Schema.Literal("ok") }).annotate({ identifier: "Liveness" })

export class HealthGroup extends HttpApiGroup.make("health")
  .add(
    HttpApiEndpoint.get("liveness", "/healthz", { success: Liveness })
      .annotate(OpenApi.Summary, "The process answers; touches nothing"),
    HttpApiEndpoint.get("readiness", "/readyz", {
      success: [Ready, NotReady.pipe(HttpApiSchema.status(503))]
    }).annotate(OpenApi.Summary, "Database, objects and queue can be used; 503 where one cannot")
  )
{}

/** What the origin implements. */
export class OriginApi extends HttpApi.make("lectern")
  .add(VideosGroup)
  .add(MultipartUploadsGroup)
  .add(JobsGroup)
  .add(StudentsGroup)
  .add(MessagingGroup)
  .add(RecognitionGroup)
  .add(HealthGroup)
{}

/** What the origin's address answers: its own endpoints and the edge's. The source of the OpenAPI document. */
export class DocumentedApi extends OriginApi.add(ProgressGroup, ProgressEventsGroup).annotateMerge(OpenApi.annotations({
  title: "Lectern",
  version: "1",
  description:
    "Lecture videos and class lists as jobs whose progress is polled. Errors are {detail, code?}. " +
    "The tenant is that of the token."
})) {}
