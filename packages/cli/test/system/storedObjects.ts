import { Effect } from "effect"
import { readdirSync } from "node:fs"
import { join, relative } from "node:path"

/** The keys of the objects in a data directory, in order. */
export const storedObjects = (data: string): Effect.Effect<ReadonlyArray<string>> =>
  Effect.sync(() => {
    const root = join(data, "objects", "objects")
    return readdirSync(root, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => relative(root, join(entry.parentPath, entry.name)).replace(/~$/, ""))
      .sort()
  })
