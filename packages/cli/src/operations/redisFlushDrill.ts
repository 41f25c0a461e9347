import { countKeys, removeMirrorKeys } from "@lectern/adapters/redis"
import { JobStore, Sweeper } from "@lectern/domain"
import { Clock, Effect } from "effect"

export interface DrillReport {
  /** Keys of ours that were there and were removed. */
  readonly removed: number
  /** Records that a poller may be watching, and how many of them were published again. */
  readonly looked: number
  readonly published: number
  /** How many of the removed keys are there again; those of jobs that ended long ago do not come back. */
  readonly back: number
  /** Milliseconds from the first removal to the end of the repair: for so long a poller may have been told UNKNOWN. */
  readonly goneMillis: number
}

/** Removes the mirror's keys, and nobody else's, and builds the live ones up from the database. */
export const redisFlushDrill = Effect.gen(function*() {
  const sweeper = yield* Sweeper
  const store = yield* JobStore
  const startedAt = yield* Clock.currentTimeMillis
  // Nothing is removed that could not be rebuilt: a database that does not answer ends the drill here.
  yield* store.findLive({ changedSince: startedAt, limit: 1 })
  const removed = yield* removeMirrorKeys
  const { looked, published } = yield* sweeper.repairMirror
  const goneMillis = (yield* Clock.currentTimeMillis) - startedAt
  return { removed: removed.length, looked, published, back: yield* countKeys(removed), goneMillis } satisfies DrillReport
}).pipe(Effect.withSpan("Operations.redisFlushDrill"))
