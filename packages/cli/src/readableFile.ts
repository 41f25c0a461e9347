import { fileFault } from "@lectern/domain"
import { Effect, FileSystem } from "effect"
import { type CommandFailed, exitCodes, fail } from "./CommandFailed.ts"

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
      fail(exitCodes.badInput, `Cannot ${action} "${named}": ${fileFault(error)}`))
  )
