import { ObjectStore } from "@lectern/domain"
import { Effect } from "effect"

/** Removes the file that a job was made for. What cannot be removed now stays: the job has ended, and ends no other way. */
export const removeUpload = (key: string): Effect.Effect<void, never, ObjectStore> =>
  Effect.flatMap(ObjectStore, (objects) => objects.remove(key)).pipe(
    Effect.catchTag("ObjectStoreUnavailable", (error) =>
      Effect.logWarning("The uploaded file stays for now", { error: error.message }))
  )
