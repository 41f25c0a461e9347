/** A keeper that copies finished parts to a directory of its own, as a store elsewhere would, and tells what happened. */
import { Effect, FileSystem, Path } from "effect"
import type { EncodeToken, PartKeeper, PartState } from "../../src/encoder/index.ts"
import { temporary } from "./MadeMedia.ts"

export interface KeptInMemory {
  readonly keep: (key: string) => Effect.Effect<PartKeeper<never>>
  /** Parts in the order in which they were claimed, those that were claimed again included. */
  readonly claimed: Array<string>
  readonly kept: Map<string, ReadonlyArray<string>>
  /** Parts that somebody else holds. */
  readonly others: Set<string>
  readonly fetched: Array<string>
  readonly keys: Set<string>
}

export const keptInMemory = Effect.fnUntraced(function* (token: EncodeToken) {
  const fileSystem = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const store = yield* temporary
  const claimed: Array<string> = []
  const fetched: Array<string> = []
  const kept = new Map<string, ReadonlyArray<string>>()
  const others = new Set<string>()
  const keys = new Set<string>()

  const copy = Effect.fnUntraced(function* (from: string, to: string, files: ReadonlyArray<string>) {
    for (const file of files) {
      yield* fileSystem.makeDirectory(paths.dirname(paths.join(to, file)), { recursive: true })
      yield* fileSystem.copyFile(paths.join(from, file), paths.join(to, file))
    }
  }, Effect.orDie)

  const keeper: PartKeeper<never> = {
    token,
    states: Effect.sync(
      () =>
        new Map<string, PartState>([
          ...[...others].map((part) => [part, "Held"] as const),
          ...[...kept.keys()].map((part) => [part, "Finished"] as const)
        ])
    ),
    claim: (part) =>
      Effect.sync(() => {
        if (kept.has(part) || others.has(part)) return null
        claimed.push(part)
        return claimed.filter((one) => one === part).length
      }),
    renew: Effect.void,
    keep: (part, _, directory, files) =>
      Effect.andThen(
        copy(directory, store, files),
        Effect.sync(() => kept.set(part, files))
      ),
    fetch: (part, directory) =>
      Effect.gen(function* () {
        fetched.push(part)
        const files = kept.get(part) ?? []
        yield* copy(store, directory, files)
        return files
      })
  }
  const all: KeptInMemory = {
    keep: (key) => Effect.as(Effect.sync(() => keys.add(key)), keeper),
    claimed,
    kept,
    others,
    fetched,
    keys
  }
  return all
})
