import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { loaded } from "./loaded.ts"

export const importCommand = Command.make(
  "import",
  {
    file: Argument.String("FILE").pipe(Argument.withDescription("A class list: .xlsx, .csv or .tsv")),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Judge the rows and write no file"),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print the job's result object on standard output, and nothing else"),
      Flag.withDefault(false)
    ),
    guardianPhone: Flag.Boolean("phone-is-guardians").pipe(
      Flag.withDescription("Take a list's only column of numbers, named no more than 연락처, for the guardian's"),
      Flag.withDefault(false)
    )
  },
  loaded(async () => (await import("../importFile.ts")).importFile)
).pipe(
  Command.withDescription(
    "Judge a class list on this machine, without any service, and leave the rows with an error column beside it"
  ),
  Command.withExamples([
    { command: "lectern import roster.xlsx", description: "Says what is wrong, cell by cell, and writes \"roster (결과).xlsx\"" },
    { command: "lectern import roster.csv --dry-run --json", description: "The result for a script; writes nothing" }
  ])
)
