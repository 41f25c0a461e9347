import { Effect, FileSystem } from "effect"
import { type CommandFailed, exitCodes, fail } from "./CommandFailed.ts"

const reasons: Readonly<Record<string, string>> = {
  NotFound: "there is no such file",
  PermissionDenied: "it may not be read by this user"
}

/** Ends the command, with exit code 64, where FILE is no regular file that this user may read. */
export const requireReadable = (
  action: string,
  named: string,
  path: string
): Effect.Effect<void, CommandFailed, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const { type } = yield* fs.stat(path)
    if (type !== "File") {
      return yield* fail(exitCodes.badInput, `Cannot ${action} "${named}": it is a ${type.toLowerCase()}, not a file`)
    }
    yield* fs.access(path, { readable: true })
  }).pipe(
    Effect.catchTag("PlatformError", (error) =>
      fail(exitCodes.badInput, `Cannot ${action} "${named}": ${reasons[error.reason._tag] ?? error.message}`))
  )
