import * as Schema from "effect/Schema"

/** A video's number for its users: a positive integer. */
export const VideoId = Schema.Int.check(Schema.isGreaterThan(0)).pipe(Schema.brand("VideoId"))
export type VideoId = typeof VideoId.Type
