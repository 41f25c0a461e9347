/** What a whole verification came to, and the lines that say so. */
import { Schema } from "effect"

/** The file that `NotRunReporter` writes. */
export const TestCounts = Schema.Struct({
  passed: Schema.Int,
  failed: Schema.Int,
  notRun: Schema.Int,
  reasons: Schema.Array(Schema.String)
})

export type TestCounts = typeof TestCounts.Type

/** A check that passes or fails as a whole, such as the types. */
export interface Check {
  readonly name: string
  readonly passed: boolean
  readonly seconds: number
}

/** The run of the tests; `counts` is missing when Vitest did not live to write them. */
export interface TestRun {
  readonly passed: boolean
  readonly counts: TestCounts | undefined
  readonly seconds: number
}

/** Every check counts as one, so that a failed one shows in the closing line too. */
export const total = (checks: ReadonlyArray<Check>, tests: TestRun): TestCounts => {
  const counts = tests.counts ?? { passed: 0, failed: 0, notRun: 0, reasons: [] }
  const passedChecks = checks.filter((check) => check.passed).length
  // Vitest can fail without a failed test: it did not start, or something broke after the last one.
  const failedRun = counts.failed === 0 && (!tests.passed || tests.counts === undefined) ? 1 : 0
  return {
    passed: counts.passed + passedChecks,
    failed: counts.failed + checks.length - passedChecks + failedRun,
    notRun: counts.notRun,
    reasons: counts.reasons
  }
}

/** `N passed, N failed`, and `, N skipped` if something could not run. */
export const countLine = (counts: TestCounts): string =>
  `${counts.passed} passed, ${counts.failed} failed${counts.notRun === 0 ? "" : `, ${counts.notRun} skipped`}`

const row = (name: string, outcome: string, seconds: number): string =>
  `  ${name.padEnd(12)}${outcome.padEnd(36)}${seconds.toFixed(1).padStart(7)} s`

/** The summary; its last line is the closing line. */
export const report = (checks: ReadonlyArray<Check>, tests: TestRun): ReadonlyArray<string> => {
  const sum = total(checks, tests)
  return [
    ...checks.map(({ name, passed, seconds }) => row(name, passed ? "passed" : "FAILED", seconds)),
    row("tests", tests.counts === undefined ? "FAILED, and left no counts" : countLine(tests.counts), tests.seconds),
    ...(sum.reasons.length === 0 ? [] : ["", `not run: ${sum.notRun} (${sum.reasons.join("; ")})`]),
    "",
    countLine(sum)
  ]
}
