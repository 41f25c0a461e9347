import { Schema } from "effect"

/** What a job of the soak does. */
export const SoakPayload = Schema.Struct({
  behaviour: Schema.Literals(["quick", "slow", "fails_once", "bad_input", "unsure", "poison"]),
  /** How long a slow one takes. */
  millis: Schema.Int
})
export type SoakPayload = typeof SoakPayload.Type
