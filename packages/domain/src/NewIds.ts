import * as Context from "effect/Context"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Effect from "effect/Effect"
import { JobId } from "./Job.ts"

/** New names that nobody can guess. A reference, so that a test can hand out its own. */
export const NewIds = Context.Reference<{ readonly uuid: Effect.Effect<string> }>("@lectern/domain/NewIds", {
  defaultValue: () => ({ uuid: Effect.sync(() => SecureRandom.uuidV4Unsafe()) })
})

export const newUuid: Effect.Effect<string> = Effect.gen(function*() {
  const ids = yield* NewIds
  return yield* ids.uuid
})

export const newJobId: Effect.Effect<JobId> = Effect.map(newUuid, (uuid) => JobId.make(uuid))
