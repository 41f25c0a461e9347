import { Cause, type Config, Effect, Exit, type Runtime } from "effect"
import { Observability, type ObservabilityOptions } from "./Observability.ts"

/** Exit codes that programs have in common: EX_SOFTWARE, EX_TEMPFAIL and EX_CONFIG of sysexits.h. */
export const programExits = { bug: 70, temporary: 75, configuration: 78 } as const

export interface ProgramOptions extends ObservabilityOptions {
  /** What its log calls it, at the start of a sentence: "The origin". */
  readonly name: string
  /** With what it exits when it was told to stop: 0, or 128 + SIGTERM where 0 would pass for work that is done. */
  readonly stopped: number
}

/** How a program that stays up starts and ends, whatever it does. */
export interface Program {
  /** Ends a start whose configuration is wrong, with its message in the log, whatever the environment says of logs. */
  readonly refused: (error: { readonly message: string }) => Effect.Effect<number>
  /**
   * Runs work to its exit code, with its logs, traces and metrics. A configuration that makes no sense is refused, also
   * where it is theirs. Every other failure has an exit code by then; a defect is logged as a fault of ours.
   */
  readonly observed: <R>(work: Effect.Effect<number, Config.ConfigError, R>) => Effect.Effect<number, never, R>
  /** What `runMain` is given: the number that a program ends with is its exit code. */
  readonly ending: { readonly disableErrorReporting: true; readonly teardown: Runtime.Teardown }
}

export const makeProgram = ({ name, stopped, ...options }: ProgramOptions): Program => {
  const refused: Program["refused"] = (error) =>
    Effect.as(Effect.logFatal(error.message), programExits.configuration).pipe(
      Effect.provide(Observability.layerOfRefusal(options))
    )

  return {
    refused,
    observed: (work) =>
      work.pipe(
        Effect.catchTag("ConfigError", refused),
        Effect.onExit((exit) =>
          Exit.isSuccess(exit)
            ? Effect.void
            : Cause.hasInterruptsOnly(exit.cause)
            ? Effect.logInfo(`${name} was told to stop, and has`)
            : Effect.logFatal(`${name} broke`, exit.cause)
        ),
        Effect.provide(Observability.layer(options)),
        Effect.catchTag("ConfigError", refused)
      ),
    ending: {
      disableErrorReporting: true,
      teardown: (exit, onExit) =>
        onExit(
          Exit.isSuccess(exit)
            ? Number(exit.value)
            : Cause.hasInterruptsOnly(exit.cause)
            ? stopped
            : programExits.bug
        )
    }
  }
}
