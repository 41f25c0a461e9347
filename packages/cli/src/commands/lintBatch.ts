import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { jsonFlag } from "../operations/flags.ts"
import { loaded } from "./loaded.ts"

export const lintBatch = Command.make(
  "lint-batch",
  {
    files: Argument.String("FILE").pipe(
      Argument.withDescription("JSON of a describe call, of a request that makes something, or a bundle; all files are one setup"),
      Argument.variadic()
    ),
    live: Flag.Boolean("live").pipe(
      Flag.withDescription("Check what is deployed under our names, with the credentials of the environment"),
      Flag.withDefault(false)
    ),
    json: jsonFlag
  },
  loaded(async () => (await import("../checkBatchSetup.ts")).checkBatchSetup)
).pipe(
  Command.withDescription(
    "Check job definition, queue, environment and names before a deployment; exit code 1 with findings, 64 for a file that cannot be read, 69 and 78 as doctor's"
  ),
  Command.withShortDescription("Check job definition, queue, environment and names before a deployment"),
  Command.withExamples([{ command: "lectern lint-batch jobdef.json queue.json environment.json", description: "Before anything is deployed" }])
)
