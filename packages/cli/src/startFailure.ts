import { fileFault } from "@lectern/domain"
import { type Effect, type PlatformError, Schema } from "effect"
import process from "node:process"
import { type CommandFailed, exitCodes, fail } from "./CommandFailed.ts"
import { databaseAway } from "./operations/deployment.ts"
import type { ServeSystemFailure } from "./serveSystem.ts"

const isConfiguration = (tag: string): boolean =>
  tag === "BadConfiguration" || tag === "ConfigError" || tag === "DatabaseUrlInvalid" || tag === "GrantSecretRefused" ||
  tag === "SandboxRefused"

const hasMessage = Schema.is(Schema.Struct({ message: Schema.String }))

/** What the embedded database throws when its files fail: a number of WASI, and no message. */
const isWasiFault = Schema.is(Schema.Struct({ errno: Schema.Int }))
const wasiNoSpace = 51

/** The innermost reason that a person can do something about. */
const reasonOf = (cause: unknown): string => {
  if (cause instanceof Error) return `${cause.message}${cause.cause === undefined ? "" : `: ${reasonOf(cause.cause)}`}`
  if (hasMessage(cause)) return cause.message
  if (isWasiFault(cause)) {
    return cause.errno === wasiNoSpace
      ? "there is no space left on the disk"
      : `its files gave error ${cause.errno} of WASI`
  }
  return String(cause)
}

/** The data directory is the one place of the file system that a start needs. */
const folderFailure = (error: PlatformError.PlatformError): string => {
  const place = "pathOrDescriptor" in error.reason ? error.reason.pathOrDescriptor : undefined
  const named = place === undefined ? "" : `"${place}": `
  return `Cannot use the data directory: ${named}${fileFault(error)}; choose another --data`
}

/** Says why the system does not start, and ends with what kind of fault that is. */
export const startFailure = (error: ServeSystemFailure): Effect.Effect<never, CommandFailed> => {
  const databaseUrl = process.env["DATABASE_URL"]
  if (error._tag === "SqlError" && databaseUrl !== undefined) return databaseAway(databaseUrl)(error)
  return fail(
    isConfiguration(error._tag) ? exitCodes.configuration : exitCodes.unavailable,
    error._tag === "PlatformError" ? folderFailure(error) : reasonOf(error)
  )
}
