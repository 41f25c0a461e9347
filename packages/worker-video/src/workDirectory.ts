import { Effect, FileSystem, type PlatformError, type Scope } from "effect"
import { isRunning } from "./encoder/isRunning.ts"

const prefix = "encode-"

/** The process that a work directory belongs to, by its name; `null` for what is none of ours. */
const ownerOf = (name: string): number | null => {
  const [, pid] = /^encode-(\d+)-/.exec(name) ?? []
  return pid === undefined ? null : Number(pid)
}

/**
 * A directory below `root` that only this user can enter and that is gone when the scope ends. What a killed run has left there is
 * removed first: a directory's name tells the process that made it. The processes of one root share one machine or container.
 */
export const workDirectory = (
  root: string
): Effect.Effect<string, PlatformError.PlatformError, FileSystem.FileSystem | Scope.Scope> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    for (const name of yield* fs.readDirectory(root)) {
      const owner = ownerOf(name)
      if (owner === null || isRunning(owner)) continue
      yield* Effect.logInfo("The work directory of a run that was killed is removed", { name })
      yield* fs.remove(`${root}/${name}`, { recursive: true, force: true })
    }
    return yield* fs.makeTempDirectoryScoped({ directory: root, prefix: `${prefix}${process.pid}-` })
  }).pipe(Effect.withSpan("EncodeRun.workDirectory"))
