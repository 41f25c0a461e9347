import { lockFolder } from "@lectern/adapters/postgres"
import { Effect, FileSystem, Path } from "effect"
import { exitCodes, fail } from "./CommandFailed.ts"
import { databaseIn } from "./DataDirectory.ts"

/** By its text: `.lectern` has an entry of the marker's name, the directory of a demo, and is none itself. */
export const markerText = "Made by `lectern demo`, which removes this directory when it runs again\n"

/**
 * Makes the demo's directory, and empties it first where an earlier demo has made it. Nobody else's directory is
 * touched, nor one whose database a running system has open.
 */
export const clearDemoDirectory = Effect.fnUntraced(function*(data: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  const root = path.resolve(data)
  const marker = path.join(root, "demo")
  if (yield* fs.exists(root)) {
    const isOurs = yield* Effect.orElseSucceed(
      Effect.map(fs.readFileString(marker), (text) => text === markerText),
      () => false
    )
    if (!isOurs && (yield* fs.readDirectory(root)).length > 0) {
      return yield* fail(
        exitCodes.configuration,
        `"${data}" is not empty and was not made by a demo; choose another --data`
      )
    }
    if (isOurs) yield* lockFolder(databaseIn(path, root))
    yield* fs.remove(root, { recursive: true, force: true })
  }
  yield* fs.makeDirectory(root, { recursive: true })
  // A full disk leaves the marker empty, and the next demo would take the directory for somebody else's.
  yield* fs.writeFileString(marker, markerText).pipe(
    Effect.tapError(() => fs.remove(root, { recursive: true, force: true }))
  )
}, Effect.scoped)
