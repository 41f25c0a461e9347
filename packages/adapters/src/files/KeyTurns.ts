import { ObjectStoreUnavailable } from "@lectern/domain"
import { Effect, FileSystem, Path, Schedule, Schema, Semaphore } from "effect"
import { createHash } from "node:crypto"
import { tryProcessLock } from "./ProcessLock.ts"

/** Keys share so many locks: they stay in the folder. */
const lockCount = 64

/** A change under a lock is a look and a rename. Who holds it so long stands still, and may wake at any moment. */
const patience = Schedule.spaced("10 millis").pipe(Schedule.upTo({ duration: "5 seconds" }))

/** Another process holds the lock. */
class TurnHeld extends Schema.TaggedError<TurnHeld>()("TurnHeld", { pid: Schema.Int }) {
  override get message(): string {
    return `Process ${this.pid} is changing an object of the same lock`
  }
}

const lockOf = (key: string): number => createHash("sha256").update(key).digest().readUInt32BE() % lockCount

export interface KeyTurns {
  /** Makes this change of a key while nobody else changes it, in this process or another that uses the folder. */
  readonly inTurn: <A, E, R>(
    key: string,
    change: Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E | ObjectStoreUnavailable, R>
}

/**
 * Whose turn it is to change a key, by locks in `folder`. The lock of a process that died is free; that of one that
 * stands still is not, or it would go on with its change when it wakes: who waits for it fails.
 */
export const makeKeyTurns = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  const path = yield* Path.Path
  yield* fs.makeDirectory(folder, { recursive: true })
  const turns = Array.from({ length: lockCount }, () => Semaphore.makeUnsafe(1))

  const take = (key: string, number: number) => {
    const failed = (cause: unknown) =>
      new ObjectStoreUnavailable({ operation: "take the turn to change", key, retryable: true, cause })
    return Effect.tryPromise({ try: () => tryProcessLock(path.join(folder, String(number))), catch: failed }).pipe(
      Effect.flatMap((attempt) =>
        attempt._tag === "Taken" ? Effect.succeed(attempt) : Effect.fail(new TurnHeld({ pid: attempt.pid }))
      ),
      Effect.retry({ schedule: patience, while: (error) => error._tag === "TurnHeld" }),
      Effect.catchTag("TurnHeld", (held) => Effect.fail(failed(held)))
    )
  }

  const inTurn: KeyTurns["inTurn"] = (key, change) => {
    const number = lockOf(key)
    const locked = Effect.acquireUseRelease(
      take(key, number),
      () => change,
      ({ release }) => Effect.promise(release)
    )
    return turns[number]?.withPermit(locked) ?? locked
  }
  return { inTurn } satisfies KeyTurns
})
