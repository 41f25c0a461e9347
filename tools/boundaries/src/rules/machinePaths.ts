import { extname } from "node:path"
import type { Repository } from "../Repository.ts"
import type { Violation } from "../Violation.ts"

const rule = "machine paths"

const binary = new Set([".mp4", ".xlsx", ".png", ".jpg", ".ico", ".gz", ".zip", ".xls", ".m4a", ".wasm", ".woff2"])

/** Folders of people, on Linux, macOS and Windows. */
const home = /(?<![\w.$}])\/(?:home|Users)\/[\w.-]+\/|\b[A-Z]:\\+Users\\+[\w.-]+/

/** A lock file that names a registry of one network does not work in another. */
const foreignRegistry = /"resolved": "https?:\/\/(?!registry\.npmjs\.org\/)[^"]*/

/** No file names a path or a registry of the machine on which it was written. */
export const machinePaths = (repository: Repository): ReadonlyArray<Violation> => {
  // A root such as /app is a name that images use too; a deeper one is this machine's.
  const ownRoot = repository.root.split("/").filter((part) => part !== "").length >= 2 ? repository.root : undefined
  return repository.files
    .filter((file) => !binary.has(extname(file)))
    .flatMap((file) =>
      repository.read(file).split("\n").flatMap((line, index) => {
        const found = home.exec(line)?.[0] ?? (file.endsWith("package-lock.json") ? foreignRegistry.exec(line)?.[0] : undefined) ??
          (ownRoot !== undefined && line.includes(`${ownRoot}/`) ? ownRoot : undefined)
        return found === undefined ? [] : [{ rule, file, line: index + 1, message: `names a place of one machine: ${found}` }]
      })
    )
}
