import { Schema } from "effect"

/** A server of the harness did not do what it was told; `output` is the end of what its process printed, if anything. */
export class HarnessError extends Schema.TaggedError<HarnessError>()("HarnessError", {
  message: Schema.String,
  output: Schema.String,
  cause: Schema.optionalKey(Schema.Unknown)
}) {}
