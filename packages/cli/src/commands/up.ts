import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Schema from "effect/Schema"
import { dataFlag } from "../flags.ts"
import { loaded } from "./loaded.ts"

const Port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))
const Encodes = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 16 }))

export const up = Command.make(
  "up",
  {
    port: Flag.Int("port").pipe(
      Flag.withDescription("The port to listen on; 0 for any that is free. PORT, or 8787, where it is not given"),
      Flag.withSchema(Port),
      Flag.optional
    ),
    host: Flag.String("host").pipe(
      Flag.withDescription(
        "The address to listen on; 127.0.0.1, which only this machine reaches, where it is not given"
      ),
      Flag.withDefault("127.0.0.1")
    ),
    encodes: Flag.Int("encodes").pipe(
      Flag.withDescription("Encodes at a time on this machine, 1 to 16; each uses all cores. 1 where it is not given"),
      Flag.withSchema(Encodes),
      Flag.withDefault(1)
    ),
    data: dataFlag
  },
  loaded(async () => (await import("../keepUp.ts")).keepUp)
).pipe(
  Command.withDescription("Run the whole system on this machine until it is told to stop"),
  Command.withExamples([
    { command: "lectern up", description: "On embedded stand-ins, nothing needed" },
    { command: "REDIS_URL=redis://127.0.0.1:6379 lectern up --port 9000", description: "With a real Redis" }
  ])
)
