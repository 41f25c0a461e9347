import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import { jsonFlag } from "../operations/flags.ts"
import { loaded } from "./loaded.ts"

const sweep = Command.make(
  "sweep",
  { json: jsonFlag },
  loaded(async () => (await import("../operations/ops.ts")).sweepOnce)
).pipe(
  Command.withDescription("Move on what stopped half-way, once: ended leases, lost runs, jobs never handed over, unfinished deletions"),
  Command.withExamples([{ command: "lectern ops sweep", description: "As often as wanted, also at the same time" }])
)

const reconcile = Command.make(
  "reconcile",
  { json: jsonFlag },
  loaded(async () => (await import("../operations/ops.ts")).reconcileOnce)
).pipe(
  Command.withDescription("Compare the encodes of the database with Batch's, once; acts on what is certain alone"),
  Command.withExamples([{ command: "lectern ops reconcile --json", description: "For a schedule; a second one beside it does nothing" }])
)

const redisFlush = Command.make(
  "redis-flush",
  {
    yes: Flag.Boolean("yes").pipe(Flag.withDescription("Really do it"), Flag.withDefault(false)),
    json: jsonFlag
  },
  loaded(async () => (await import("../operations/ops.ts")).drillRedisFlush)
).pipe(
  Command.withDescription("Remove the progress mirror's keys, and nobody else's, rebuild the live ones and say how long they were gone"),
  Command.withExamples([{ command: "lectern ops drill redis-flush --yes", description: "Proves that a lost Redis heals" }])
)

const drill = Command.make("drill").pipe(
  Command.withDescription("Break something on purpose and see it heal"),
  Command.withSubcommands([redisFlush])
)

export const ops = Command.make("ops").pipe(
  Command.withDescription("Operators' commands on a deployment; DATABASE_URL and the other services' variables say which"),
  Command.withSubcommands([sweep, reconcile, drill])
)
