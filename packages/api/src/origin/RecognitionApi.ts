import { JobId } from "@lectern/domain"
import { Schema } from "effect"
import { Multipart } from "effect/http"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { ContentTooLarge, Unavailable, UnsupportedMediaType } from "./Refusal.ts"
import { RequestDecoding } from "./RequestDecoding.ts"
import { WatchTokenField } from "./WatchTokenField.ts"
import { maxWorksheetBodyBytes, maxWorksheetBytes } from "./WorksheetUpload.ts"

export const WorksheetForm = Schema.Struct({ file: Multipart.SingleFileSchema })

/**
 * The job's result, once it is `DONE` or `REVIEW_REQUIRED`: `pages`, `lines`, `confidence` (0..100),
 * `doubtful_lines`, `doubtful` (`page`, `line`, `confidence` of the least sure) and `text_url`, from which the text
 * with its lines and boxes can be had for a week. Where it is `FALLBACK_TO_GPU`: `premium_job_id`, the job that goes
 * on with it.
 */
export const RecognitionAccepted = Schema.Struct({
  job_id: JobId,
  status: Schema.Literal("PENDING"),
  ...WatchTokenField
}).annotate({ identifier: "RecognitionAccepted" })

export class RecognitionGroup extends HttpApiGroup.make("recognition")
  .add(
    HttpApiEndpoint.post("recognize", "/ai/ocr/", {
      payload: WorksheetForm.pipe(HttpApiSchema.asMultipart({
        maxParts: 4,
        maxFieldSize: 1024,
        maxFileSize: maxWorksheetBytes,
        maxTotalSize: maxWorksheetBodyBytes
      })),
      success: RecognitionAccepted.pipe(HttpApiSchema.status(202)),
      error: [ContentTooLarge, UnsupportedMediaType, Unavailable]
    }).annotate(OpenApi.Summary, "Read the Korean and English text of a worksheet (.png, .jpg or .pdf, at most 20 MiB)")
  )
  .middleware(RequestDecoding)
  .middleware(Authorization)
  .prefix("/api/v1")
{}
