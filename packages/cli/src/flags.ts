import * as Flag from "effect/cli/Flag"

/** Where the embedded stand-ins keep what they hold. */
export const dataFlag = Flag.String("data").pipe(
  Flag.withDescription("Directory of the embedded database, the objects and the token secret"),
  Flag.withDefault(".lectern")
)
