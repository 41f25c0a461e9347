import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import { jsonFlag } from "../operations/flags.ts"
import { loaded } from "./loaded.ts"
import { messages } from "./messages.ts"

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

const list = Command.make(
  "list",
  { json: jsonFlag },
  loaded(async () => {
    const { showDeadLetters } = await import("../operations/deadLetterCommands.ts")
    return ({ json }: { readonly json: boolean }) => showDeadLetters({ json, job: Option.none() })
  })
).pipe(Command.withDescription("Jobs that were given up and messages that were put aside; changes nothing"))

const show = Command.make(
  "show",
  { job: Argument.String("JOB").pipe(Argument.withDescription("A job's id")), json: jsonFlag },
  loaded(async () => {
    const { showDeadLetters } = await import("../operations/deadLetterCommands.ts")
    return ({ job, json }: { readonly job: string; readonly json: boolean }) =>
      showDeadLetters({ json, job: Option.some(job) })
  })
).pipe(Command.withDescription("What there is about one job, its messages word for word"))

const redrive = Command.make(
  "redrive",
  {
    jobs: Argument.String("JOB").pipe(Argument.withDescription("The jobs to put back"), Argument.variadic()),
    all: Flag.Boolean("all").pipe(Flag.withDescription("All of them"), Flag.withDefault(false)),
    dryRun: Flag.Boolean("dry-run").pipe(
      Flag.withDescription("Say what would be done, and do nothing"),
      Flag.withDefault(false)
    ),
    json: jsonFlag
  },
  loaded(async () => (await import("../operations/deadLetterCommands.ts")).redriveDeadLetters)
).pipe(
  Command.withDescription(
    "Put jobs back that were given up, if their rows agree, and clear their messages; exit code 1 where a row refuses"
  ),
  Command.withExamples([
    { command: "lectern ops dead-letters redrive --all --dry-run", description: "What would come of it" }
  ])
)

const deadLetters = Command.make("dead-letters").pipe(
  Command.withDescription("What stopped for good, and the way back for it"),
  Command.withSubcommands([list, show, redrive])
)

export const ops = Command.make("ops").pipe(
  Command.withDescription("Operators' commands on a deployment; DATABASE_URL and the other services' variables say which"),
  Command.withSubcommands([sweep, reconcile, deadLetters, messages, drill])
)
