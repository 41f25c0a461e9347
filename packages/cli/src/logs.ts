import { type BadConfiguration, logVariables, readEnvironment } from "@lectern/adapters/environment"
import { Observability } from "@lectern/observability"
import { Effect, Layer } from "effect"
import { type CommandFailed, exitCodes, fail } from "./CommandFailed.ts"
import { logSink } from "./terminal.ts"

/** Ends the command with every fault of its configuration. */
export const badConfiguration = (error: BadConfiguration): Effect.Effect<never, CommandFailed> =>
  fail(exitCodes.configuration, error.message)

/** Runs a command with its logs on standard error, above the bars where there are any. */
export const withLogs = <A, E, R>(command: Effect.Effect<A, E, R>): Effect.Effect<A, E | CommandFailed, R> =>
  readEnvironment(logVariables, process.env).pipe(
    Effect.catch(badConfiguration),
    Effect.andThen(
      Effect.scoped(Effect.flatMap(
        Layer.build(Observability.layer({ service: "lectern", sink: logSink })).pipe(
          Effect.catchTag("ConfigError", (error) => fail(exitCodes.configuration, error.message))
        ),
        (context) => Effect.provideContext(command, context)
      ))
    )
  )
