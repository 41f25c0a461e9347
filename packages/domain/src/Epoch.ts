import * as Schema from "effect/Schema"

/** An instant: whole milliseconds since 1970-01-01T00:00:00Z. */
export const EpochMillis = Schema.Int
export type EpochMillis = typeof EpochMillis.Type
