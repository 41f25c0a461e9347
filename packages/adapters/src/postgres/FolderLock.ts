import { Effect, Schema, type Scope } from "effect"
import { mkdir } from "node:fs/promises"
import { join } from "node:path"
import { tryProcessLock } from "../files/ProcessLock.ts"

/** A living process works in the folder: a second one would lose rows without a word. */
export class FolderInUse extends Schema.TaggedError<FolderInUse>()("FolderInUse", {
  folder: Schema.String,
  pid: Schema.Int
}) {
  override get message(): string {
    return `Cannot open the database in ${this.folder}: process ${this.pid} is using it; stop it, or set DATABASE_URL`
  }
}

/** The folder cannot be read or written. */
export class FolderUnusable extends Schema.TaggedError<FolderUnusable>()("FolderUnusable", {
  folder: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Cannot open the database in ${this.folder}: the folder cannot be used`
  }
}

/**
 * Holds `folder`, which is made when it is missing, for this process until the scope closes. A dead holder's lock is
 * taken over. The holders are processes of one machine: over a network file system, or from two containers, nobody
 * sees who lives.
 */
export const lockFolder = (folder: string): Effect.Effect<void, FolderInUse | FolderUnusable, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.gen(function*() {
      const attempt = yield* Effect.tryPromise({
        try: async () => {
          await mkdir(folder, { recursive: true })
          return tryProcessLock(join(folder, "lock"))
        },
        catch: (cause) => new FolderUnusable({ folder, cause })
      })
      return attempt._tag === "Held" ? yield* new FolderInUse({ folder, pid: attempt.pid }) : attempt
    }),
    ({ release }) => Effect.promise(release)
  ).pipe(Effect.asVoid)
