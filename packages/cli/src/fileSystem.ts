import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { type PlatformError, systemError } from "effect/PlatformError"
import { dirname } from "node:path"

const isMissing = (error: PlatformError): boolean => error.reason._tag === "NotFound"

/** What stands for the system's "no such directory" where the directory above is there. */
const takesNone = (parent: string, path: string): PlatformError =>
  systemError({
    _tag: "NotFound",
    module: "FileSystem",
    method: "makeDirectory",
    pathOrDescriptor: path,
    cause: new Error(`no directory can be made in "${parent}"`)
  })

/**
 * A folder and those above it. Each is asked for at most twice, and what the system says of it is what comes out:
 * Node's own recursive mkdir goes round for ever between a folder that is there and a child that cannot be made in it
 * (below /proc on Linux; on Windows nodejs/node#31177), and says of a full or read-only disk that there is no such
 * directory (nodejs/node#42808).
 */
const makeWithParents = (
  fs: FileSystem.FileSystem,
  path: string,
  mode: number | undefined
): Effect.Effect<void, PlatformError> => {
  const isDirectory = Effect.orElseSucceed(Effect.map(fs.stat(path), ({ type }) => type === "Directory"), () => false)
  const make = fs.makeDirectory(path, { mode }).pipe(
    Effect.catch((error) => Effect.flatMap(isDirectory, (there) => there ? Effect.void : Effect.fail(error)))
  )
  const parent = dirname(path)
  return make.pipe(
    Effect.catchIf(
      (error) => isMissing(error) && parent !== path,
      () =>
        Effect.andThen(
          makeWithParents(fs, parent, mode),
          Effect.mapError(make, (error) => isMissing(error) ? takesNone(parent, path) : error)
        )
    )
  )
}

/** Node's file system, whose `makeDirectory` always ends. */
export const layerFileSystem: Layer.Layer<FileSystem.FileSystem> = Layer.effect(
  FileSystem.FileSystem,
  Effect.map(FileSystem.FileSystem, (fs) => ({
    ...fs,
    makeDirectory: (path, options) =>
      options?.recursive === true ? makeWithParents(fs, path, options.mode) : fs.makeDirectory(path, options)
  }))
).pipe(Layer.provide(NodeFileSystem.layer))
