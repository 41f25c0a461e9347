import { Schema } from "effect"
import type { MirroredProgress } from "@lectern/domain"

/** CONTRACT.md, section 2: how far an encode is. All are null where nothing is known. */
export const EncodingFields = {
  /** 0..100 */
  encoding_progress: Schema.NullOr(Schema.Int),
  encoding_remaining_seconds: Schema.NullOr(Schema.Int),
  encoding_step_index: Schema.NullOr(Schema.Int),
  encoding_step_total: Schema.NullOr(Schema.Int),
  encoding_step_name: Schema.NullOr(Schema.String),
  /** 0..100 */
  encoding_step_percent: Schema.NullOr(Schema.Int)
}

const Encoding = Schema.Struct(EncodingFields)
export type Encoding = typeof Encoding.Type

export const unknownEncoding: Encoding = {
  encoding_progress: null,
  encoding_remaining_seconds: null,
  encoding_step_index: null,
  encoding_step_total: null,
  encoding_step_name: null,
  encoding_step_percent: null
}

export const encodingOf = (progress: typeof MirroredProgress.Type): Encoding => ({
  encoding_progress: progress.percent,
  encoding_remaining_seconds: progress.remaining_seconds,
  encoding_step_index: progress.step_index,
  encoding_step_total: progress.step_total,
  encoding_step_name: progress.step_name_display,
  encoding_step_percent: progress.step_percent
})
