import { fileFault } from "@lectern/domain"
import { Effect, FileSystem, Path } from "effect"
import type { PlatformError } from "effect/PlatformError"
import type { Scope } from "effect/Scope"
import { TranscodeFailed, WorkspaceFailed } from "./TranscodeFailed.ts"

/** A private directory that becomes the output in one step, or vanishes. */
export interface OutputPlace {
  /** Absolute path of the private directory. */
  readonly work: string
  /** Absolute path of a private directory that never becomes part of the output. */
  readonly scratch: string
  /** Puts `work` in the place of the output, earlier output included. All or nothing. */
  readonly publish: Effect.Effect<void, TranscodeFailed>
}

export const masterName = "master.m3u8"
export const thumbnailName = "thumbnail.jpg"

const ownEntry = /^(?:master\.m3u8|thumbnail\.jpg|audio|storyboard|v\d+)$/

/**
 * Opens a private directory beside `outDir` for the length of the scope.
 *
 * `outDir` may be absent, empty or an earlier encode; any other directory is refused, because putting the output in its
 * place would delete what somebody else keeps there. Until `publish`, nothing in it is touched.
 */
export const openOutputPlace = (
  outDir: string,
  token: string
): Effect.Effect<OutputPlace, TranscodeFailed, FileSystem.FileSystem | Path.Path | Scope> =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const target = paths.resolve(outDir)
    const parent = paths.dirname(target)

    const failed = (action: string, path: string, detail: string, retryable: boolean) =>
      new TranscodeFailed({ reason: new WorkspaceFailed({ action, path, detail }), retryable })
    const or =
      (action: string, path: string) =>
      <A, R>(effect: Effect.Effect<A, PlatformError, R>) =>
        Effect.mapError(effect, (error) => failed(action, path, fileFault(error), true))

    const entriesOf = fileSystem.readDirectory(target).pipe(
      Effect.catchIf(
        (error) => error.reason._tag === "NotFound",
        () => Effect.succeed(null)
      ),
      Effect.mapError((error) => failed("replace", target, fileFault(error), false))
    )
    const checkedEntries = Effect.gen(function* () {
      const entries = yield* entriesOf
      const foreign = entries?.find((entry) => !ownEntry.test(entry))
      if (foreign !== undefined) {
        return yield* failed("replace", target, `it holds "${foreign}", which is not of an earlier encode`, false)
      }
      return entries
    })

    yield* checkedEntries
    yield* fileSystem.makeDirectory(parent, { recursive: true }).pipe(or("create", parent))
    // Its end removes all that is inside: half-made output, or the earlier one after it has been replaced.
    const room = yield* fileSystem
      .makeTempDirectoryScoped({
        directory: parent,
        prefix: `.${paths.basename(target)}.${token}.`
      })
      .pipe(or("create a directory in", parent))
    const work = paths.join(room, "output")
    yield* fileSystem.makeDirectory(work).pipe(or("create", work))
    const scratch = paths.join(room, "scratch")
    yield* fileSystem.makeDirectory(scratch).pipe(or("create", scratch))

    const publish = Effect.gen(function* () {
      const entries = yield* checkedEntries
      if (entries === null || entries.length === 0) {
        return yield* fileSystem.rename(work, target).pipe(or("put the output in place of", target))
      }
      const earlier = paths.join(room, "earlier")
      yield* fileSystem.rename(target, earlier).pipe(or("move aside", target))
      yield* fileSystem.rename(work, target).pipe(
        or("put the output in place of", target),
        Effect.tapError(() => fileSystem.rename(earlier, target).pipe(or("move back", target)))
      )
    }).pipe(Effect.uninterruptible)

    return { work, scratch, publish }
  })
