import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { directoryFlag } from "../flags.ts"
import { loaded } from "./loaded.ts"

export const encode = Command.make(
  "encode",
  {
    file: Argument.String("FILE").pipe(Argument.withDescription("A local video or sound file")),
    out: directoryFlag("out").pipe(
      Flag.withDescription("Directory for the stream; an earlier stream of ours in it is replaced, anything else refused")
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("Print the result as one JSON object on standard output, and nothing else"),
      Flag.withDefault(false)
    )
  },
  loaded(async () => (await import("../encodeFile.ts")).encodeFile)
).pipe(
  Command.withDescription("Encode a local file to HLS, without any service; given again after it was ended, the command goes on where it was"),
  Command.withShortDescription("Encode a local file to HLS, without any service"),
  Command.withExamples([{ command: "lectern encode lecture.mp4 --out stream", description: "Leaves stream/master.m3u8" }])
)
