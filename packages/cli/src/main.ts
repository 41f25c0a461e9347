import * as NodeServices from "@effect/platform-node/NodeServices"
import * as Cause from "effect/Cause"
import * as CliConfig from "effect/cli/CliConfig"
import * as Command from "effect/cli/Command"
import * as GlobalFlag from "effect/cli/GlobalFlag"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { CommandFailed, exitCodes, fail } from "./CommandFailed.ts"
import { demo } from "./commands/demo.ts"
import { doctor } from "./commands/doctor.ts"
import { encode } from "./commands/encode.ts"
import { importCommand } from "./commands/import.ts"
import { infra } from "./commands/infra.ts"
import { lintBatch } from "./commands/lintBatch.ts"
import { ops } from "./commands/ops.ts"
import { preflight } from "./commands/preflight.ts"
import { readiness } from "./commands/readiness.ts"
import { token } from "./commands/token.ts"
import { up } from "./commands/up.ts"
import { worker } from "./commands/worker.ts"
import { oldWayAsked } from "./operations/oldWays.ts"
import { layerFileSystem } from "./fileSystem.ts"
import { runMain } from "./runMain.ts"
import { layerUsage } from "./usage.ts"
import manifest from "../package.json" with { type: "json" }

/** Commands that end have their own words for what goes wrong; a program that stays up logs. */
const quietUnless = (command: string): void => {
  if (command !== "up" && command !== "worker" && !process.env["LOG_LEVEL"]) process.env["LOG_LEVEL"] = "Error"
}
quietUnless(process.argv[2] ?? "")

/** A stack is for who mends it, and only when asked for. */
const explained = (cause: Cause.Cause<unknown>): string =>
  /^(debug|trace|all)$/i.test(process.env["LOG_LEVEL"] ?? "")
    ? Cause.pretty(cause)
    : `${Cause.prettyErrors(cause)[0]?.message ?? "unknown"} (LOG_LEVEL=Debug says where)`

const oldWay = oldWayAsked(process.argv.slice(2), process.env)
const program = Command.make("lectern").pipe(
  Command.withDescription("Lecture videos, class lists and messages as jobs whose progress costs the database nothing"),
  Command.withSubcommands([up, worker, demo, encode, importCommand, token, readiness, preflight, ops, doctor, lintBatch, infra]),
  Command.run({ version: manifest.version })
)

;(oldWay === null ? program : fail(exitCodes.badInput, oldWay)).pipe(
  Effect.catchTag("ShowHelp", (help) =>
    help.errors.length === 0 ? Effect.void : Effect.fail(new CommandFailed({ exitCode: exitCodes.badInput }))),
  Effect.catchCause((cause) => {
    const failure = Cause.squash(cause)
    return Cause.hasInterruptsOnly(cause) || failure instanceof CommandFailed
      ? Effect.failCause(cause)
      : fail(exitCodes.bug, `Cannot go on, by a fault of ours: ${explained(cause)}`)
  }),
  Effect.provide(
    Layer.mergeAll(
      Layer.merge(NodeServices.layer, layerFileSystem),
      layerUsage,
      CliConfig.layer({ builtIns: [GlobalFlag.Help, GlobalFlag.Version, GlobalFlag.Completions] })
    )
  ),
  runMain
)
