import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { directoryFlag } from "../flags.ts"
import { loaded } from "./loaded.ts"

export const demo = Command.make(
  "demo",
  {
    data: directoryFlag("data").pipe(
      Flag.withDescription(
        "Directory of the demo's database and objects, .lectern/demo where it is not given; " +
          "what an earlier demo left there is removed"
      ),
      Flag.withDefault(".lectern/demo")
    )
  },
  loaded(async () => (await import("../showDemo.ts")).showDemo)
).pipe(Command.withDescription("Show the whole way once: a real video and a real class list, from upload to the end"))
