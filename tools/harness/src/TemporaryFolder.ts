import { Effect, type Scope } from "effect"
import { chown, mkdtemp, rm } from "node:fs/promises"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { HarnessError } from "./HarnessError.ts"
import * as Warden from "./Warden.ts"

/** Another user of the system, to whom a folder or a process is to belong. */
export interface Owner {
  readonly uid: number
  readonly gid: number
}

/** A new folder that is removed with the scope, and also when the test process dies. */
export const temporaryFolder = (name: string, owner?: Owner): Effect.Effect<string, HarnessError, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const folder = await mkdtemp(join(tmpdir(), `lectern-${name}-`))
        Warden.guardFolder(folder)
        if (owner !== undefined) await chown(folder, owner.uid, owner.gid)
        return folder
      },
      catch: (cause) => new HarnessError({ message: `Cannot make a folder for ${name}: ${String(cause)}`, output: "", cause })
    }),
    (folder) =>
      Effect.promise(async () => {
        await rm(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 })
        Warden.forgetFolder(folder)
      })
  )
