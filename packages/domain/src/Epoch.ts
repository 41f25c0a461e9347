import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/** An instant: whole milliseconds since 1970-01-01T00:00:00Z. */
export const EpochMillis = Schema.Int
export type EpochMillis = typeof EpochMillis.Type

/** The `Clock`'s time in whole milliseconds: after a jittered sleep a test's clock stands between two of them. */
export const epochNow: Effect.Effect<EpochMillis> = Effect.map(Clock.currentTimeMillis, Math.floor)
