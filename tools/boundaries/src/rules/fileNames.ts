import { posix } from "node:path"
import type { Repository } from "../Repository.ts"
import type { Violation } from "../Violation.ts"

const rule = "file names"

const refused = new Set(["util", "utils", "common", "helper", "helpers", "type", "types", "misc", "shared"])

/** One concept, one file, named for it: a name that says nothing gathers everything. Folders count as well. */
export const fileNames = (repository: Repository): ReadonlyArray<Violation> =>
  repository.modules.flatMap(({ path }) => {
    const parts = [...posix.dirname(path).split("/"), ...posix.basename(path).split(".")]
    const found = parts.find((part) => refused.has(part.toLowerCase()))
    return found === undefined
      ? []
      : [{ rule, file: path, line: 0, message: `"${found}" names no concept` }]
  })
