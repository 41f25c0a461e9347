import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { dataFlag } from "../flags.ts"
import { loaded } from "./loaded.ts"

export const token = Command.make(
  "token",
  {
    tenant: Flag.Int("tenant").pipe(
      Flag.withDescription("The tenant that the token speaks for: a positive integer"),
      Flag.withSchema(Schema.Int.check(Schema.isGreaterThan(0)))
    ),
    subject: Flag.String("subject").pipe(
      Flag.withDescription("Who the token is for; part of the token, shown to nobody"),
      Flag.optional
    ),
    hours: Flag.Int("hours").pipe(
      Flag.withDescription("How long the token is valid, 1 to 8760 (a year); 12 where it is not given"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 8_760 }))),
      Flag.withDefault(12)
    ),
    data: dataFlag
  },
  loaded(async () => (await import("../printToken.ts")).printToken)
).pipe(
  Command.withDescription("Sign a token for the API with AUTH_JWT_SECRET, or the data directory's own secret, and print it alone"),
  Command.withExamples([{ command: "lectern token --tenant 1", description: "A token for tenant 1, valid for 12 hours" }])
)
