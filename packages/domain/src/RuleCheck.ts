import * as Schema from "effect/Schema"

/** One rule for finished streams that the output of an encode was checked against, and what was found. */
export const RuleCheck = Schema.Struct({
  /** Of Apple's HLS Authoring Specification, or `RFC8216-` and a section of that. */
  number: Schema.String,
  title: Schema.String,
  kept: Schema.Boolean,
  /** What was measured, with its unit, e.g. "6 s to 6.006 s"; the faults where the rule is broken. */
  measured: Schema.String
})
export type RuleCheck = typeof RuleCheck.Type
