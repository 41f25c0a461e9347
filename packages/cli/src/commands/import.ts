import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { dataFlag } from "../flags.ts"
import { loaded } from "./loaded.ts"

export const importCommand = Command.make(
  "import",
  {
    file: Argument.String("FILE").pipe(Argument.withDescription("A class list: .xlsx, .csv or .tsv"), Argument.optional),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Judge the rows and write no file"),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print the job's result object on standard output, and nothing else"),
      Flag.withDefault(false)
    ),
    readings: Flag.String("reading").pipe(
      Flag.withDescription("How a file is meant that can be read in several ways, such as guardian:B; the command asks, and names them"),
      Flag.atLeast(0)
    ),
    undo: Flag.String("undo").pipe(
      Flag.withDescription("Instead of a FILE: the job whose students are to be removed again, but for those changed since"),
      Flag.optional
    ),
    tenant: Flag.Int("tenant").pipe(
      Flag.withDescription("Whose job it is that is undone; 1 where it is not given"),
      Flag.withSchema(Schema.Int.check(Schema.isGreaterThan(0))),
      Flag.withDefault(1)
    ),
    data: dataFlag
  },
  loaded(async () => (await import("../importOrUndo.ts")).importOrUndo)
).pipe(
  Command.withDescription(
    "Judge a class list on this machine, without any service, and leave the rows with an error column beside it; exit code 2 when it asks how the list is meant"
  ),
  Command.withShortDescription("Judge a class list on this machine, and leave the rows with an error column beside it"),
  Command.withExamples([
    { command: "lectern import roster.xlsx", description: "Says what is wrong, cell by cell, and writes \"roster (결과).xlsx\"" },
    { command: "lectern import roster.xlsx --reading guardian:B", description: "The answer to the question whose numbers are in column B" },
    { command: "lectern import roster.csv --dry-run --json", description: "The result for a script; writes nothing" },
    { command: "lectern import --undo 0190f3c2-... --tenant 1", description: "Takes an import back that the API has run" }
  ])
)
