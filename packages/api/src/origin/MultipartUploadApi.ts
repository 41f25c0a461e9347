/**
 * The endpoints for files that are too big for one PUT (CONTRACT.md, section 3): `init`, then a PUT of each part to an address
 * from `presign`, in parallel and each again if it failed, then `complete` or `abort`.
 */
import { VideoId } from "@lectern/domain"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { BadRequest, Conflict, ContentTooLarge, NotFound, Unavailable, UnsupportedMediaType } from "./Refusal.ts"
import { RequestDecoding } from "./RequestDecoding.ts"
import { UploadAccepted } from "./UploadAccepted.ts"
import { maxUploadParts } from "./uploadParts.ts"
import { UploadRequest } from "./VideoUpload.ts"
import { VideoView } from "./VideoView.ts"

const PartNumber = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: maxUploadParts }))

/** Visible ASCII: what an object store names things with, and what an address and a header can carry as it is. */
const oneWord = (maxLength: number) =>
  Schema.String.check(
    Schema.isPattern(/^[\x21-\x7e]+$/, { expected: "visible ASCII characters" }),
    Schema.isMaxLength(maxLength)
  )

/** What every call but the first says: which video, and the id that the first one gave. */
const UploadFields = {
  id: VideoId,
  upload_id: oneWord(1024)
}

const NamedPart = Schema.Struct({
  part_number: PartNumber,
  /** From the header `ETag` of the answer to its PUT. */
  etag: oneWord(128)
})

export const MultipartRequest = Schema.Struct({
  ...UploadRequest.fields,
  /** Bytes. */
  file_size: Schema.Int.check(Schema.isGreaterThan(0))
}).annotate({ identifier: "MultipartRequest" })

export const MultipartTicket = Schema.Struct({
  video: VideoView,
  upload_id: Schema.String,
  file_key: Schema.String,
  content_type: Schema.String,
  /** Bytes of every part but the last, which has the rest. */
  part_size: Schema.Int,
  part_count: Schema.Int
}).annotate({ identifier: "MultipartTicket" })

export const PartsRequest = Schema.Struct({
  ...UploadFields,
  part_numbers: Schema.Array(PartNumber).check(Schema.isMaxLength(maxUploadParts)),
  /** Whether to say which parts are there already: for an upload that goes on after a break. */
  resume: Schema.optionalKey(Schema.Boolean)
}).annotate({ identifier: "PartsRequest" })

export const PartAddresses = Schema.Struct({
  /** PUT each part here within 6 hours. */
  parts: Schema.Array(Schema.Struct({ part_number: PartNumber, upload_url: Schema.String })),
  /** There where `resume` was asked for. */
  uploaded: Schema.optionalKey(
    Schema.Array(Schema.Struct({ ...NamedPart.fields, size: Schema.Int }))
  )
}).annotate({ identifier: "PartAddresses" })

export const PartsComplete = Schema.Struct({
  ...UploadFields,
  /** In the order of their numbers. Absent where a browser cannot read the header: then every part that has arrived counts. */
  parts: Schema.optionalKey(Schema.Array(NamedPart).check(Schema.isMaxLength(maxUploadParts)))
}).annotate({ identifier: "PartsComplete" })

export const UploadName = Schema.Struct(UploadFields).annotate({ identifier: "UploadName" })

const bodyRefusals = [ContentTooLarge, UnsupportedMediaType] as const

export class MultipartUploadsGroup extends HttpApiGroup.make("multipartUploads")
  .add(
    HttpApiEndpoint.post("init", "/init/", {
      payload: MultipartRequest,
      success: MultipartTicket.pipe(HttpApiSchema.status(201)),
      error: [...bodyRefusals, BadRequest, Unavailable]
    }).annotate(OpenApi.Summary, "Register a video whose file comes in parts"),
    HttpApiEndpoint.post("presign", "/presign/", {
      payload: PartsRequest,
      success: PartAddresses,
      error: [...bodyRefusals, NotFound, Conflict, Unavailable]
    }).annotate(OpenApi.Summary, "Get an address to PUT each of these parts to"),
    HttpApiEndpoint.post("complete", "/complete/", {
      payload: PartsComplete,
      success: UploadAccepted,
      error: [...bodyRefusals, NotFound, Conflict, Unavailable]
    }).annotate(OpenApi.Summary, "Say that all parts are there; the encode begins"),
    HttpApiEndpoint.post("abort", "/abort/", {
      payload: UploadName,
      success: HttpApiSchema.NoContent,
      error: [...bodyRefusals, NotFound, Conflict, Unavailable]
    }).annotate(OpenApi.Summary, "Give up: the parts and the video are removed")
  )
  .middleware(RequestDecoding)
  .middleware(Authorization)
  .prefix("/api/v1/media/videos/upload/multipart")
{}
