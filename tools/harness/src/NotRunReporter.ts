/**
 * A Vitest reporter that accounts for every test: at the end of a run it prints
 * `not run: N tests (reason; reason)`, and, for the program that prints the run's closing line, writes
 * the counts as JSON into the file that the environment variable `LECTERN_TEST_COUNTS` names.
 */
import { writeFileSync } from "node:fs"
import type { Reporter, SerializedError, TestModule, TestRunEndReason } from "vitest/node"

/** What a run came to. `failed` counts files that could not be loaded and errors outside any test as one each. */
export interface TestCounts {
  readonly passed: number
  readonly failed: number
  readonly notRun: number
  readonly reasons: ReadonlyArray<string>
}

/** Counts the outcome of every test of a finished run. */
export const countTests = (modules: ReadonlyArray<TestModule>, errorsOutsideTests: number): TestCounts => {
  const reasons = new Set<string>()
  let passed = 0
  let failed = errorsOutsideTests
  let notRun = 0
  for (const module of modules) {
    let failedInside = 0
    for (const test of module.children.allTests()) {
      const result = test.result()
      if (result.state === "passed") passed += 1
      else if (result.state === "failed") failedInside += 1
      else {
        notRun += 1
        const note = result.state === "skipped" ? result.note : "the run ended before it"
        reasons.add(test.meta().notRun ?? note ?? `no reason given in ${module.relativeModuleId}`)
      }
    }
    // A module can fail with no test to blame: it did not load, or a hook or a type check failed outside its tests.
    failed += failedInside === 0 && module.state() === "failed" ? 1 : failedInside
  }
  return { passed, failed, notRun, reasons: [...reasons].sort() }
}

/** The line about what did not run, or nothing if everything ran. */
export const notRunLine = (counts: TestCounts): string | undefined =>
  counts.notRun === 0
    ? undefined
    : `not run: ${counts.notRun} ${counts.notRun === 1 ? "test" : "tests"} (${counts.reasons.join("; ")})`

/** Registered in `vitest.workspace.ts`. */
export class NotRunReporter implements Reporter {
  onTestRunEnd(
    modules: ReadonlyArray<TestModule>,
    unhandledErrors: ReadonlyArray<SerializedError>,
    _reason: TestRunEndReason
  ): void {
    const counts = countTests(modules, unhandledErrors.length)
    const line = notRunLine(counts)
    if (line !== undefined) console.log(`\n${line}`)
    const file = process.env["LECTERN_TEST_COUNTS"]
    if (file !== undefined && file !== "") writeFileSync(file, JSON.stringify(counts))
  }
}
