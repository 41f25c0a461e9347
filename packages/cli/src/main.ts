import { NodeHttpClient, NodeRuntime, NodeServices } from "@effect/platform-node"
import { Observability } from "@lectern/observability"
import { Encoder } from "@lectern/worker-video/encoder"
import { Effect, Layer } from "effect"
import { Command } from "effect/cli"
import { demo } from "./commands/demo.ts"
import { encode } from "./commands/encode.ts"
import { importCommand } from "./commands/import.ts"
import { token } from "./commands/token.ts"
import { up } from "./commands/up.ts"
import manifest from "../package.json" with { type: "json" }

/** Commands that end have their own words for what goes wrong; a program that stays up logs. */
const quietUnless = (command: string): void => {
  if (command !== "up" && process.env["LOG_LEVEL"] === undefined) process.env["LOG_LEVEL"] = "Error"
}
quietUnless(process.argv[2] ?? "")

Command.make("lectern").pipe(
  Command.withDescription("Lecture videos, class lists and messages as jobs whose progress costs the database nothing"),
  Command.withSubcommands([up, demo, encode, importCommand, token]),
  Command.run({ version: manifest.version }),
  Effect.provide(
    Layer.mergeAll(Encoder.layerFfmpeg, NodeHttpClient.layerUndici, Observability.layer({ service: "lectern" })).pipe(
      Layer.provideMerge(NodeServices.layer)
    )
  ),
  NodeRuntime.runMain
)
