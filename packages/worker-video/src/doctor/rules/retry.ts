import { ExitCode, retriedByBatch } from "../../ExitCode.ts"
import type { JobDefinition, RetryRule } from "../Evidence.ts"
import type { Fault, LintRule } from "./LintRule.ts"
import type { Setup } from "../Setup.ts"

const maxRules = 5
const maxPatternLength = 512

const each = (check: (rules: ReadonlyArray<RetryRule>, definition: JobDefinition, setup: Setup) => ReadonlyArray<Fault>) =>
(setup: Setup): ReadonlyArray<Fault> =>
  setup.jobDefinitions.flatMap((definition) =>
    check(definition.retryStrategy?.evaluateOnExit ?? [], definition, setup).map(({ found, where }) => ({
      where: `job definition ${definition.jobDefinitionName ?? "?"}, ${where}`,
      found
    }))
  )

const at = (index: number): string => `retryStrategy.evaluateOnExit[${index}]`

/** Matches whatever an attempt ended with. */
const isCatchAll = ({ onExitCode, onReason, onStatusReason }: RetryRule): boolean =>
  [onExitCode, onReason, onStatusReason].every((pattern) => pattern == null || pattern === "*")

const isExit = (rule: RetryRule): boolean => rule.action?.toUpperCase() === "EXIT"
const isRetry = (rule: RetryRule): boolean => rule.action?.toUpperCase() === "RETRY"

/** Whether Batch's pattern, which may end in `*`, covers a text. */
const covers = (pattern: string | null | undefined, text: string): boolean =>
  pattern == null ||
  (pattern.endsWith("*")
    ? text.toLowerCase().startsWith(pattern.slice(0, -1).toLowerCase())
    : text.toLowerCase() === pattern.toLowerCase())

interface End {
  readonly exitCode: string
  readonly reason: string
  readonly statusReason: string
}

/** What Batch does after such an end: the first rule of which every condition holds; without one it retries. */
const actionAfter = (rules: ReadonlyArray<RetryRule>, end: End): "RETRY" | "EXIT" => {
  const rule = rules.find(({ onExitCode, onReason, onStatusReason }) =>
    covers(onExitCode, end.exitCode) && covers(onReason, end.reason) && covers(onStatusReason, end.statusReason)
  )
  return rule === undefined || isRetry(rule) ? "RETRY" : "EXIT"
}

const programEnd = (exitCode: number): End => ({
  exitCode: String(exitCode),
  reason: "",
  statusReason: "Essential container in task exited"
})

/** After `done` Batch asks none of its rules, and lack of memory has a rule of its own below. */
const ownEnds: ReadonlyArray<readonly [number, "RETRY" | "EXIT"]> = Object.values(ExitCode)
  .filter((code) => code !== ExitCode.done && code !== ExitCode.outOfMemory)
  .map((code) => [code, retriedByBatch.includes(code) ? "RETRY" : "EXIT"])

const hostGone: End = { exitCode: "", reason: "", statusReason: "Host EC2 (instance i-0) terminated." }
const outOfMemory: End = {
  exitCode: "137",
  reason: "OutOfMemoryError: Container killed due to memory usage",
  statusReason: "Essential container in task exited"
}

const badPattern = (field: keyof RetryRule, pattern: string): string | null => {
  if (pattern.length > maxPatternLength) return `${field} of ${pattern.length} characters`
  const permitted = field === "onExitCode" ? /^\d*\*?$/ : /^[A-Za-z0-9.:\s]*\*?$/
  return pattern !== "" && permitted.test(pattern) ? null : `${field} "${pattern}"`
}

/** Faults in the rules that Batch itself would refuse or that end the judgement of the rest. */
const wellFormed = (rules: ReadonlyArray<RetryRule>): boolean =>
  rules.length > 0 && rules.length <= maxRules &&
  rules.every((rule) =>
    (isExit(rule) || isRetry(rule)) &&
    patternFields.every((field) => rule[field] == null || badPattern(field, rule[field]) === null)
  )

const patternFields = ["onExitCode", "onReason", "onStatusReason"] as const

/** Only on Fargate, which the Spot instances of an environment beside it do not concern. */
const isForFargate = ({ platformCapabilities }: JobDefinition): boolean =>
  platformCapabilities != null && platformCapabilities.length > 0 &&
  platformCapabilities.every((platform) => platform.toUpperCase() === "FARGATE")

const attemptsOf = ({ retryStrategy }: JobDefinition): number => retryStrategy?.attempts ?? 1

/** Batch's retry rules: valid, in an order in which each can match, and in agreement with our exit codes. */
export const retryRules: ReadonlyArray<LintRule> = [
  {
    id: "retry-attempts",
    why: "Batch takes 1 to 10 attempts, as a whole number",
    fix: "Set retryStrategy.attempts to 1 to 10",
    check: each((_, { retryStrategy }) => {
      const attempts = retryStrategy?.attempts
      return attempts != null && (!Number.isInteger(attempts) || attempts < 1 || attempts > 10)
        ? [{ where: "retryStrategy.attempts", found: String(attempts) }]
        : []
    })
  },
  {
    id: "retry-rules-count",
    why: "Batch takes at most 5 rules",
    fix: "Join or drop rules",
    check: each((rules) =>
      rules.length > maxRules ? [{ where: "retryStrategy.evaluateOnExit", found: `${rules.length} rules` }] : []
    )
  },
  {
    id: "retry-pattern",
    why: "A pattern has letters, digits, `.`, `:`, white space and one `*` at its end (onExitCode digits and `*`), at most 512 characters; others are refused as restricted characters",
    fix: "Cut the pattern before the first other character and end it in `*`, as in `Host EC2*`",
    check: each((rules) =>
      rules.flatMap((rule, index) =>
        patternFields.flatMap((field) => {
          const pattern = rule[field]
          const found = pattern == null ? null : badPattern(field, pattern)
          return found === null ? [] : [{ where: at(index), found }]
        })
      )
    )
  },
  {
    id: "retry-action",
    why: "A rule's action is RETRY or EXIT",
    fix: "Set action to RETRY or EXIT",
    check: each((rules) =>
      rules.flatMap((rule, index) =>
        isExit(rule) || isRetry(rule) ? [] : [{ where: at(index), found: `action "${rule.action ?? ""}"` }]
      )
    )
  },
  {
    id: "retry-catch-all",
    why: "Where no rule matches Batch retries: bad input and lack of memory would be tried again to the end",
    fix: "End the rules in {onReason: \"*\", action: \"EXIT\"}",
    check: each((rules, definition) => {
      if (attemptsOf(definition) <= 1 && rules.length === 0) return []
      const last = rules.at(-1)
      if (last === undefined) return [{ where: "retryStrategy.evaluateOnExit", found: "no rules" }]
      // More rules than Batch takes, or one that is refused, is a finding of its own, with no telling what would be the last.
      if (!wellFormed(rules) || rules.slice(0, -1).some(isCatchAll)) return []
      return isCatchAll(last) && isExit(last)
        ? []
        : [{ where: at(rules.length - 1), found: "the last rule does not catch all and EXIT" }]
    })
  },
  {
    id: "retry-order",
    why: "The first rule that matches wins: nothing after a catch-all is ever looked at",
    fix: "Put the catch-all last",
    check: each((rules) => {
      const index = rules.slice(0, -1).findIndex(isCatchAll)
      return index < 0 ? [] : [{ where: at(index), found: `catches all before ${rules.length - 1 - index} more` }]
    })
  },
  {
    id: "retry-own-exit-codes",
    why: "Our exit codes say whether a retry helps: 75 and 143 are retried; 64, 70 and 78 are not",
    fix: "Retry onExitCode 75 and 143, and let the others fall to the catch-all",
    check: each((rules, definition) => {
      if (attemptsOf(definition) <= 1 || !wellFormed(rules)) return []
      if (rules.slice(0, -1).some(isCatchAll) || !rules.some(isCatchAll)) return []
      return ownEnds.flatMap(([code, wanted]) => {
        const action = actionAfter(rules, programEnd(code))
        return action === wanted ? [] : [{ where: "retryStrategy.evaluateOnExit", found: `${action} after exit ${code}` }]
      })
    })
  },
  {
    id: "retry-after-spot",
    why: "A Spot reclaim says `Host EC2 ... terminated`: without a rule for it the job ends there",
    fix: "Add {onStatusReason: \"Host EC2*\", action: \"RETRY\"} before the catch-all, and more than one attempt",
    check: each((rules, definition, { computeEnvironments }) => {
      const spot = computeEnvironments.some(({ computeResources }) => computeResources?.type?.toUpperCase() === "SPOT")
      if (!spot || isForFargate(definition)) return []
      if (attemptsOf(definition) <= 1) return [{ where: "retryStrategy.attempts", found: `${attemptsOf(definition)} on Spot` }]
      return wellFormed(rules) && !rules.slice(0, -1).some(isCatchAll) && actionAfter(rules, hostGone) === "EXIT"
        ? [{ where: "retryStrategy.evaluateOnExit", found: "EXIT after \"Host EC2 (instance ...) terminated.\"" }]
        : []
    })
  },
  {
    id: "retry-out-of-memory",
    why: "A retry with the same memory ends the same way",
    fix: "Do not retry OutOfMemoryError* or exit 137",
    check: each((rules, definition) =>
      attemptsOf(definition) > 1 && wellFormed(rules) && rules.some(isCatchAll) && !rules.slice(0, -1).some(isCatchAll) &&
        rules.some((rule) => isRetry(rule) && !isCatchAll(rule)) && actionAfter(rules, outOfMemory) === "RETRY"
        ? [{ where: "retryStrategy.evaluateOnExit", found: "RETRY after OutOfMemoryError with exit 137" }]
        : []
    )
  }
]
