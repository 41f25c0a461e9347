import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { jsonFlag, languageFlag } from "../operations/flags.ts"
import { loaded } from "./loaded.ts"

export const doctor = Command.make(
  "doctor",
  {
    job: Argument.String("JOB").pipe(
      Argument.withDescription("Our job's id or Batch's own; asks AWS with the credentials of the environment"),
      Argument.optional
    ),
    bundle: Flag.String("bundle").pipe(
      Flag.withDescription("A file of saved describe answers, read in place of AWS and without credentials"),
      Flag.optional
    ),
    save: Flag.String("save").pipe(
      Flag.withDescription("Write what AWS answered to this file, for --bundle; values of environment variables stay out"),
      Flag.optional
    ),
    lang: languageFlag,
    json: jsonFlag
  },
  loaded(async () => (await import("../diagnoseJob.ts")).diagnoseJob)
).pipe(
  Command.withDescription(
    "Say in one sentence why a job of AWS Batch does not start or has ended; exit code 0 known, 1 not recognised, 64 no such bundle, 69 no answer, 78 no credentials or permission"
  ),
  Command.withShortDescription("Say in one sentence why a job of AWS Batch does not start or has ended"),
  Command.withExamples([
    { command: "lectern doctor 0190f3c2-aaaa-4bbb-8ccc-000000000001 --save job.json", description: "Ask AWS, and keep the answers" },
    { command: "lectern doctor --bundle job.json --lang en", description: "The same again, anywhere" }
  ])
)
