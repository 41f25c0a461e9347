import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { jsonFlag } from "../operations/flags.ts"
import { loaded } from "./loaded.ts"

export const messages = Command.make(
  "messages",
  {
    job: Argument.String("JOB").pipe(Argument.withDescription("The id of a job of messages")),
    tenant: Flag.Int("tenant").pipe(
      Flag.withDescription("The tenant whose job it is"),
      Flag.withSchema(Schema.Int.check(Schema.isGreaterThan(0)))
    ),
    ask: Flag.Boolean("ask").pipe(
      Flag.withDescription("Ask Solapi about what is in doubt, and write down what it says"),
      Flag.withDefault(false)
    ),
    settle: Flag.Literals("settle", ["sent", "failed"]).pipe(
      Flag.withDescription("Write down what you found out about the messages of --numbers"),
      Flag.optional
    ),
    resend: Flag.Boolean("resend").pipe(
      Flag.withDescription("A new job for what was never sent and for --numbers; who has got one may get two"),
      Flag.withDefault(false)
    ),
    numbers: Flag.String("numbers").pipe(
      Flag.withDescription("Messages by their numbers, with commas between them"),
      Flag.optional
    ),
    json: jsonFlag
  },
  loaded(async () => (await import("../operations/messages.ts")).operateMessages)
).pipe(
  Command.withDescription(
    "The messages of a job that are in doubt, failed or unsent, their addresses masked; and what to do about them"
  ),
  Command.withExamples([
    { command: "lectern ops messages JOB --tenant 1 --ask", description: "Let Solapi settle what is in doubt" },
    { command: "lectern ops messages JOB --tenant 1 --settle sent --numbers 17", description: "Somebody has got it" }
  ])
)
