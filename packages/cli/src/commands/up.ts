import { Console, Effect, Schema } from "effect"
import { Command, Flag } from "effect/cli"
import { dataFlag } from "../flags.ts"
import { defaultPort, serveSystem } from "../serveSystem.ts"
import { startFailure } from "../startFailure.ts"

const Port = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))
const Encodes = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 16 }))

export const up = Command.make(
  "up",
  {
    port: Flag.Int("port").pipe(
      Flag.withDescription(`The port to listen on; 0 for any that is free. PORT, or ${defaultPort}, where it is not given`),
      Flag.withSchema(Port),
      Flag.optional
    ),
    host: Flag.String("host").pipe(
      Flag.withDescription("The address to listen on"),
      Flag.withDefault("127.0.0.1")
    ),
    encodes: Flag.Int("encodes").pipe(
      Flag.withDescription("Encodes at a time on this machine, 1 to 16; each uses all cores"),
      Flag.withSchema(Encodes),
      Flag.withDefault(1)
    ),
    data: dataFlag
  },
  Effect.fn(function*({ data, encodes, host, port }) {
    yield* Effect.scoped(Effect.gen(function*() {
      const system = yield* serveSystem({
        data,
        encodes,
        host,
        accessLog: true,
        port: port._tag === "Some" ? port.value : null
      }).pipe(Effect.catch(startFailure))
      yield* Console.log([
        `Lectern is up at ${system.url}`,
        ...system.parts.map((part) => `  ${part}`),
        `  reference ${system.url}/docs`,
        `  a token   npx lectern token --tenant 1${data === ".lectern" ? "" : ` --data ${data}`}`,
        "Ctrl-C ends it; what is under way goes on with the next start"
      ].join("\n"))
      return yield* Effect.never
    }))
  })
).pipe(
  Command.withDescription("Run the whole system on this machine until it is told to stop"),
  Command.withExamples([
    { command: "lectern up", description: "On embedded stand-ins, nothing needed" },
    { command: "REDIS_URL=redis://127.0.0.1:6379 lectern up --port 9000", description: "With a real Redis" }
  ])
)
