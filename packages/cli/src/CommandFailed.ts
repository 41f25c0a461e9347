import { Console, Effect, Runtime, Schema } from "effect"

/**
 * A command that cannot do what it was asked. Its message has been printed on standard error; its exit code says what kind
 * of failure it was, so that scripts can tell them apart.
 */
export class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", {
  exitCode: Schema.Int
}) {
  override readonly [Runtime.errorReported] = false

  override get [Runtime.errorExitCode](): number {
    return this.exitCode
  }
}

/** Exit codes of `lectern`; those of the encode worker where both know the case. */
export const exitCodes = {
  /** The input cannot be worked on. */
  badInput: 64,
  /** A fault of ours. */
  bug: 70,
  /** Something around us failed: a missing program, a full disk, a taken port. */
  unavailable: 69,
  /** The configuration is wrong. */
  configuration: 78
} as const

/** Says what is wrong on standard error and ends the command. */
export const fail = (exitCode: number, message: string): Effect.Effect<never, CommandFailed> =>
  Effect.andThen(Console.error(`lectern: ${message}`), Effect.fail(new CommandFailed({ exitCode })))
