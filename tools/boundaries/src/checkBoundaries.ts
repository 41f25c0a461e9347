/** All rules, over one repository. */
import type { Repository } from "./Repository.ts"
import { domainPurity } from "./rules/domainPurity.ts"
import { doorPackages } from "./rules/doorPackages.ts"
import { fileNames } from "./rules/fileNames.ts"
import { importDirection } from "./rules/importDirection.ts"
import { machinePaths } from "./rules/machinePaths.ts"
import { packageCycles } from "./rules/packageCycles.ts"
import { receiptMint } from "./rules/receiptMint.ts"
import { runtimeEntry } from "./rules/runtimeEntry.ts"
import { silencedFailures } from "./rules/silencedFailures.ts"
import { soleImporter } from "./rules/soleImporter.ts"
import type { Violation } from "./Violation.ts"

/** A rule looks at the whole repository and names what breaks it. */
export type Rule = (repository: Repository) => ReadonlyArray<Violation> | Promise<ReadonlyArray<Violation>>

export const rules: ReadonlyArray<Rule> = [
  importDirection,
  packageCycles,
  domainPurity,
  doorPackages,
  receiptMint,
  soleImporter,
  runtimeEntry,
  silencedFailures,
  fileNames,
  machinePaths
]

export const checkBoundaries = async (repository: Repository): Promise<ReadonlyArray<Violation>> =>
  (await Promise.all(rules.map(async (rule) => rule(repository)))).flat()
