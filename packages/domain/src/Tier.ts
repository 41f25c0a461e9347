import * as Schema from "effect/Schema"

/**
 * Which workers a queued job is for (CONTRACT.md, section 7): `lite` for what takes seconds, `basic` for the rest,
 * `premium` for workers with a GPU. An encode has a tier and no use for it.
 */
export const Tier = Schema.Literals(["lite", "basic", "premium"])
export type Tier = typeof Tier.Type
