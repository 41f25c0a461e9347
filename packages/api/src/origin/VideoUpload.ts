/** What may be uploaded as a video. The bytes are judged by the encoder; a name alone proves nothing. */
import { Schema } from "effect"
import { storable } from "./storable.ts"

const text = (maxLength: number) => Schema.Trim.check(Schema.isMinLength(1), Schema.isMaxLength(maxLength), storable)

const label = Schema.String.check(Schema.isMaxLength(120), storable)

export const UploadRequest = Schema.Struct({
  title: text(255),
  filename: text(255),
  /** Absent or empty where the browser does not know it: then the type of the extension is taken. */
  content_type: Schema.optionalKey(Schema.NullOr(label)),
  session: Schema.optionalKey(Schema.NullOr(Schema.Union([label, Schema.Int])))
}).annotate({ identifier: "UploadRequest" })
export type UploadRequest = typeof UploadRequest.Type

/** Content types by extension: the containers that the encoder opens. */
const videoTypes: Readonly<Record<string, string>> = {
  "3gp": "video/3gpp",
  avi: "video/x-msvideo",
  flv: "video/x-flv",
  m2ts: "video/mp2t",
  m4v: "video/x-m4v",
  mkv: "video/x-matroska",
  mov: "video/quicktime",
  mp4: "video/mp4",
  mpeg: "video/mpeg",
  mpg: "video/mpeg",
  mts: "video/mp2t",
  ts: "video/mp2t",
  webm: "video/webm",
  wmv: "video/x-ms-wmv"
}

export const videoExtensions: ReadonlyArray<string> = Object.keys(videoTypes)

/** The extension of a file name in lower case, without its dot; `""` where there is none. */
export const extensionOf = (filename: string): string => {
  const dot = filename.lastIndexOf(".")
  return dot <= 0 ? "" : filename.slice(dot + 1).toLowerCase()
}

/** `null` for an extension that is no video's. */
export const videoTypeOf = (extension: string): string | null =>
  Object.hasOwn(videoTypes, extension) ? videoTypes[extension] ?? null : null

/**
 * The content type under which the file will be put: the browser's own, or that of the extension where the browser knew
 * none. `null` for a type that is no video's.
 */
export const uploadContentType = (extensionType: string, sent: string | null): string | null => {
  const type = (sent ?? "").trim().toLowerCase()
  if (type === "") return extensionType
  return type === "application/octet-stream" || /^video\/[a-z0-9][a-z0-9!#$&^_.+-]{0,80}$/.test(type) ? type : null
}

/** Seconds for which an upload address is good: a slow line takes hours for a long lecture (INCIDENTS.md, 30). */
export const uploadValiditySeconds = 6 * 3600
