import { type Effect, type PlatformError, Schema } from "effect"
import { type CommandFailed, exitCodes, fail } from "./CommandFailed.ts"
import type { ServeSystemFailure } from "./serveSystem.ts"

const isConfiguration = (tag: string): boolean =>
  tag === "BadConfiguration" || tag === "ConfigError" || tag === "DatabaseUrlInvalid" || tag === "GrantSecretRefused" ||
  tag === "SandboxRefused"

/** The innermost reason that a person can do something about. */
const reasonOf = (cause: unknown): string =>
  cause instanceof Error
    ? `${cause.message}${cause.cause === undefined ? "" : `: ${reasonOf(cause.cause)}`}`
    : Schema.is(Schema.Struct({ message: Schema.String }))(cause)
    ? cause.message
    : String(cause)

const folderReasons: Readonly<Record<string, string>> = {
  AlreadyExists: "a file stands where a directory is needed",
  PermissionDenied: "this user may not write there"
}

/** The data directory is the one place of the file system that a start needs. */
const folderFailure = ({ message, reason }: PlatformError.PlatformError): string =>
  `Cannot use the data directory: ${folderReasons[reason._tag] ?? message}${
    "pathOrDescriptor" in reason && reason.pathOrDescriptor !== undefined ? `: ${reason.pathOrDescriptor}` : ""
  }; choose another --data`

/** Says why the system does not start, and ends with what kind of fault that is. */
export const startFailure = (error: ServeSystemFailure): Effect.Effect<never, CommandFailed> =>
  fail(isConfiguration(error._tag) ? exitCodes.configuration : exitCodes.unavailable, error._tag === "PlatformError" ? folderFailure(error) : reasonOf(error))
