import { Schema } from "effect"

/** Reads the progress of what was accepted, and nothing else; for the edge alone. */
export const WatchTokenField = { watch_token: Schema.optionalKey(Schema.String) }
