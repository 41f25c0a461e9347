import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { ObjectStore, type ObjectStoreUnavailable } from "./ObjectStore.ts"

/** Every key of ours begins so: uploads of other programs in the same bucket are theirs. */
const ours = "tenants/"

/**
 * Aborts the uploads in parts that began longer than `olderThanMillis` ago and were never ended: nobody sees them, and they cost
 * room for ever. Answers how many there were.
 */
export const abortAbandonedUploads = (
  olderThanMillis: number
): Effect.Effect<number, ObjectStoreUnavailable, ObjectStore> =>
  Effect.gen(function*() {
    const { multipart } = yield* ObjectStore
    const now = yield* Clock.currentTimeMillis
    return yield* multipart.list(ours).pipe(
      Stream.filter(({ begunAt }) => now - begunAt > olderThanMillis),
      Stream.tap((upload) => multipart.abort(upload)),
      Stream.runCount
    )
  }).pipe(Effect.withSpan("ObjectStore.abortAbandonedUploads"))
