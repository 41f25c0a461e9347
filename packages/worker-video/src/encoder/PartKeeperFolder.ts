import { fileFault } from "@lectern/domain"
import { Effect, FileSystem, Option, Path, Schema } from "effect"
import type { PlatformError } from "effect/PlatformError"
import type { PartState } from "./EncodeGroups.ts"
import { EncodeToken, randomEncodeToken } from "./EncodeToken.ts"
import { isRunning } from "./isRunning.ts"
import type { EncodeKey, PartKeeper } from "./PartKeeper.ts"
import { TranscodeFailed, WorkspaceFailed } from "./TranscodeFailed.ts"

/** A folder with the finished parts of an encode that has not ended. */
export interface PartFolder {
  /** Opens the folder for an encode; what is there of another source or of other settings is removed. */
  readonly keep: (key: EncodeKey) => Effect.Effect<PartKeeper<TranscodeFailed>, TranscodeFailed>
  /** Removes it, once the output is in its place or never will be. Leaves another process's alone. */
  readonly remove: Effect.Effect<void, TranscodeFailed>
}

/** A full disk leaves the file of the token, or of the process, empty: as good as none. */
const decodeToken = Schema.decodeUnknownOption(EncodeToken)

const tokenName = "token"
const ownerName = "pid"
const halfMade = "half-made"

/**
 * Keeps the finished parts of an encode into `outDir` in the folder `.{its name}.parts` beside it, for the same command
 * given again. One process at a time: a second one is refused as long as the first one runs.
 */
export const keepInFolder = Effect.fnUntraced(function* (outDir: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const target = paths.resolve(outDir)
  const parent = paths.dirname(target)
  const name = paths.basename(target)
  const folder = paths.join(parent, `.${name}.parts`)

  const refused = (action: string, path: string, detail: string, retryable: boolean) =>
    new TranscodeFailed({ reason: new WorkspaceFailed({ action, path, detail }), retryable })
  const inFolder = <A>(effect: Effect.Effect<A, PlatformError>) =>
    Effect.mapError(effect, (error) => refused("keep parts in", folder, fileFault(error), true))
  const readIfThere = (path: string) =>
    fileSystem.readFileString(path).pipe(
      Effect.map((text) => text.trim()),
      Effect.catchIf(
        (error) => error.reason._tag === "NotFound",
        () => Effect.succeed(null)
      ),
      inFolder
    )
  const remove = (path: string) => inFolder(fileSystem.remove(path, { recursive: true, force: true }))

  /** What a killed process has left of the encode that is named by `token`. */
  const clearRooms = Effect.fnUntraced(function* (token: string) {
    const rooms = (yield* inFolder(fileSystem.readDirectory(parent))).filter((entry) =>
      entry.startsWith(`.${name}.${token}.`)
    )
    yield* Effect.forEach(rooms, (room) => remove(paths.join(parent, room)), { discard: true })
  })

  /** The other process that is at work here, if there is one. */
  const otherOwner = Effect.map(readIfThere(paths.join(folder, ownerName)), (text) => {
    const pid = Number.parseInt(text ?? "", 10)
    return pid > 0 && pid !== process.pid && isRunning(pid) ? pid : null
  })

  const open = Effect.fnUntraced(function* (key: EncodeKey) {
    const home = paths.join(folder, key)
    yield* inFolder(fileSystem.makeDirectory(home, { recursive: true }))
    const other = yield* otherOwner
    if (other !== null) return yield* refused("encode into", target, `process ${other} is doing that`, false)
    yield* inFolder(fileSystem.writeFileString(paths.join(folder, ownerName), String(process.pid)))
    for (const entry of yield* inFolder(fileSystem.readDirectory(folder))) {
      if (entry === key || entry === ownerName) continue
      const token = yield* readIfThere(paths.join(folder, entry, tokenName))
      if (token !== null) yield* clearRooms(token)
      yield* remove(paths.join(folder, entry))
    }
    const known = decodeToken(yield* readIfThere(paths.join(home, tokenName)))
    const token = Option.getOrNull(known) ?? (yield* randomEncodeToken)
    if (Option.isNone(known)) yield* inFolder(fileSystem.writeFileString(paths.join(home, tokenName), token))
    yield* clearRooms(token)
    yield* remove(paths.join(home, halfMade))
    return { home, token }
  })

  /** The same files by another name: nothing is copied. */
  const link = (from: string, to: string, files: ReadonlyArray<string>) =>
    Effect.forEach(
      files,
      (file) =>
        Effect.gen(function* () {
          yield* fileSystem.makeDirectory(paths.dirname(paths.join(to, file)), { recursive: true })
          yield* fileSystem.link(paths.join(from, file), paths.join(to, file))
        }),
      { discard: true }
    ).pipe(inFolder)

  const filesBelow = Effect.fnUntraced(function* (directory: string) {
    const entries = yield* fileSystem.readDirectory(directory, { recursive: true })
    return yield* Effect.filter(entries, (entry) =>
      Effect.map(fileSystem.stat(paths.join(directory, entry)), ({ type }) => type === "File")
    )
  }, inFolder)

  const kept: PartFolder = {
    keep: Effect.fnUntraced(function* (key) {
      const { home, token } = yield* open(key)
      return {
        token,
        states: Effect.map(
          inFolder(fileSystem.readDirectory(home)),
          (entries) =>
            new Map<string, PartState>(
              entries.filter((entry) => entry !== tokenName && entry !== halfMade).map((part) => [part, "Finished"])
            )
        ),
        claim: () => Effect.succeed(1),
        renew: Effect.void,
        keep: Effect.fnUntraced(function* (part, _, directory, files) {
          const making = paths.join(home, halfMade)
          yield* remove(making)
          yield* link(directory, making, files)
          yield* inFolder(fileSystem.rename(making, paths.join(home, part)))
        }),
        fetch: Effect.fnUntraced(function* (part, directory) {
          const files = yield* filesBelow(paths.join(home, part))
          yield* link(paths.join(home, part), directory, files)
          return files
        })
      }
    }),
    remove: Effect.flatMap(otherOwner, (other) => (other === null ? remove(folder) : Effect.void))
  }
  return kept
})
