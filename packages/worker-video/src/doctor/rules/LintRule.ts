import type { ExpectedNames } from "../ExpectedNames.ts"
import type { Setup } from "../Setup.ts"

/** Where a rule is broken, and by what value. */
export interface Fault {
  readonly where: string
  readonly found: string
}

export interface LintRule {
  readonly id: string
  readonly why: string
  readonly fix: string
  readonly check: (setup: Setup, names: ExpectedNames) => ReadonlyArray<Fault>
}
