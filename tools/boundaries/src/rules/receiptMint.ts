import { isTest } from "../Module.ts"
import type { Repository } from "../Repository.ts"
import type { Violation } from "../Violation.ts"

const rule = "receipt mint"

/** The modules that hand out the function that makes a receipt, and by which names. */
const mints: ReadonlyMap<string, ReadonlyArray<string>> = new Map([
  ["packages/domain/src/committed.ts", ["commit", "*"]],
  ["packages/domain/src/internal/Committed.ts", ["mint", "*"]]
])

/** Whoever keeps the record: the Postgres store, and the stores in memory that stand for it in tests. */
const keepers = ["packages/adapters/src/postgres/", "packages/domain/src/testing/", "packages/domain/src/memory/"]

/** Only a store can say that a change was committed. Types are free: everybody may ask for a receipt. */
export const receiptMint = (repository: Repository): ReadonlyArray<Violation> =>
  repository.modules.flatMap((module) => {
    if (mints.has(module.path) || keepers.some((folder) => module.path.startsWith(folder))) return []
    // A mirror is tested with receipts, and needs no store for that.
    if ((module.path.startsWith("packages/domain/") || module.path.startsWith("packages/adapters/")) && isTest(module.path)) return []
    return module.imports
      .filter((it) => {
        const makers = mints.get(repository.targetOf(module, it) ?? "") ?? []
        return it.names.some(({ imported, isType }) => !isType && makers.includes(imported))
      })
      .map(({ line, specifier }) => ({
        rule,
        file: module.path,
        line,
        message: `only a store may make receipts for commits, with what "${specifier}" exports`
      }))
  })
