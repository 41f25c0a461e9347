import { type ExpectedNames, expectedNames } from "./ExpectedNames.ts"
import { definitionRules } from "./rules/definition.ts"
import { environmentRules } from "./rules/environment.ts"
import type { LintRule } from "./rules/LintRule.ts"
import { nameRules } from "./rules/names.ts"
import { queueRules } from "./rules/queue.ts"
import { retryRules } from "./rules/retry.ts"
import type { Setup } from "./Setup.ts"

export type { LintRule } from "./rules/LintRule.ts"

/** One broken rule at one place. */
export interface Finding {
  readonly rule: string
  readonly where: string
  readonly found: string
  readonly why: string
  readonly fix: string
}

export const lintRules: ReadonlyArray<LintRule> = [
  ...definitionRules,
  ...retryRules,
  ...environmentRules,
  ...queueRules,
  ...nameRules
]

/** Checks a setup before it is deployed. Says nothing about what it cannot know, such as an instance type that is not listed. */
export const lintSetup = (setup: Setup, names: ExpectedNames = expectedNames()): ReadonlyArray<Finding> =>
  lintRules.flatMap(({ check, fix, id, why }) =>
    check(setup, names).map(({ found, where }) => ({ rule: id, where, found, why, fix }))
  )
