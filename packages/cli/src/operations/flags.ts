import * as Flag from "effect/cli/Flag"

export const jsonFlag = Flag.Boolean("json").pipe(
  Flag.withDescription("Print one JSON object on standard output, and nothing else"),
  Flag.withDefault(false)
)

export const languageFlag = Flag.Literals("lang", ["ko", "en"]).pipe(
  Flag.withDescription("The language of the report; ko where it is not given"),
  Flag.withDefault("ko" as const)
)
