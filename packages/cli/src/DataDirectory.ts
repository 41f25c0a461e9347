import { Effect, FileSystem, Path, type PlatformError, Redacted } from "effect"
import * as SecureRandom from "effect/crypto/SecureRandom"

/** Where the embedded stand-ins keep what they hold. */
export interface DataDirectory {
  readonly root: string
  readonly database: string
  readonly objects: string
  readonly work: string
  /** The file in which messages can be looked at that nobody sends. */
  readonly sandboxMessages: string
}

/** Where the embedded database of a data directory stands. */
export const databaseIn = (path: Path.Path, root: string): string => path.join(root, "database")

export const openDataDirectory = (
  directory: string
): Effect.Effect<DataDirectory, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const root = path.resolve(directory)
    const places = {
      root,
      database: databaseIn(path, root),
      objects: path.join(root, "objects"),
      work: path.join(root, "work"),
      sandboxMessages: path.join(root, "sandbox-messages.txt")
    }
    for (const place of [root, places.objects, places.work]) yield* fs.makeDirectory(place, { recursive: true })
    return places
  })

const secretName = "token-secret"

/** The secret of this directory's tokens, made on first use and readable by its owner alone. */
export const tokenSecret = (
  root: string
): Effect.Effect<Redacted.Redacted<string>, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = path.join(root, secretName)
    const fresh = Array.from(SecureRandom.randomBytesUnsafe(32), (byte) => byte.toString(16).padStart(2, "0")).join("")
    // "wx" makes the file or fails: of two processes that start together, the second reads what the first has made.
    yield* fs.writeFileString(file, fresh, { flag: "wx", mode: 0o600 }).pipe(
      Effect.catchTag("PlatformError", (error) => error.reason._tag === "AlreadyExists" ? Effect.void : Effect.fail(error))
    )
    return Redacted.make((yield* fs.readFileString(file)).trim())
  })

/** The secret of a directory that a running system has made; `null` where there is none. */
export const existingTokenSecret = (
  directory: string
): Effect.Effect<Redacted.Redacted<string> | null, PlatformError.PlatformError, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const path = yield* Path.Path
    const file = path.join(path.resolve(directory), secretName)
    return (yield* fs.exists(file)) ? Redacted.make((yield* fs.readFileString(file)).trim()) : null
  })
