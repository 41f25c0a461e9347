import * as Command from "effect/cli/Command"
import { jsonFlag, languageFlag } from "../operations/flags.ts"
import { loaded } from "./loaded.ts"

export const preflight = Command.make(
  "preflight",
  { json: jsonFlag, lang: languageFlag },
  loaded(async () => (await import("../operations/preflight.ts")).preflight)
).pipe(
  Command.withDescription(
    "Look at a deployment before it goes out, and change nothing: configuration, migrations, names, clock, disk, ffmpeg, Node"
  ),
  Command.withShortDescription("Look at a deployment before it goes out, and change nothing"),
  Command.withExamples([{ command: "lectern preflight --json", description: "For a pipeline; exit code 1 unless all pass" }])
)
