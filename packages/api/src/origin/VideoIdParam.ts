import { VideoId } from "@lectern/domain"
import { Schema, SchemaTransformation } from "effect"
import { decimal } from "./decimal.ts"

/** A video's number in a path. */
export const VideoIdParam = decimal("The video's number", 16).pipe(
  Schema.decodeTo(VideoId, SchemaTransformation.numberFromString)
)
