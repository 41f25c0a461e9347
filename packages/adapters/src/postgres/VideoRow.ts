import { Video } from "@lectern/domain"
import { Schema } from "effect"

const columns = {
  tenantId: "tenant_id",
  contentType: "content_type",
  fileKey: "file_key",
  fileSize: "file_size",
  hlsPath: "hls_path",
  thumbnailPath: "thumbnail_path",
  storyboardPath: "storyboard_path",
  nonStandardInputReasons: "non_standard_input_reasons",
  errorReason: "error_reason",
  encodeJobId: "encode_job_id",
  createdAt: "created_at",
  updatedAt: "updated_at",
  deletedAt: "deleted_at"
} as const

/** A row of `videos` as JSON; see `JobRow`. */
export const VideoRow = Schema.Struct(Video.fields).pipe(Schema.encodeKeys(columns))

const names: Readonly<Record<string, string>> = columns

/**
 * The columns that a video has, and of these the ones that change. Named one by one, so that a newer program may add
 * others.
 */
const all = Object.keys(Video.fields).map((field) => names[field] ?? field)
export const videoColumns = all.join(", ")
export const mutableVideoColumns = all.filter((column) => column !== "tenant_id" && column !== "id").join(", ")

/** A video as one parameter, for `json_populate_record(NULL::videos, $1)`. */
export const encodeVideoRow = Schema.encodeEffect(Schema.fromJsonString(VideoRow))
