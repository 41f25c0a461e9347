import { assert, describe, it } from "@effect/vitest"
import { report, total } from "../src/verify/Verdict.ts"

const passed = { name: "typecheck", passed: true, seconds: 1 }
const failed = { name: "lint", passed: false, seconds: 2 }
const counts = { passed: 40, failed: 0, notRun: 0, reasons: [] }

describe("the verdict of a verification", () => {
  it("ends with the real counts alone on a line", () => {
    assert.strictEqual(report([passed], { passed: true, counts, seconds: 3 }).at(-1), "41 passed, 0 failed")
  })

  it("says how many did not run, and why", () => {
    const lines = report([passed], { passed: true, counts: { ...counts, notRun: 2, reasons: ["no Postgres"] }, seconds: 3 })
    assert.include(lines, "not run: 2 (no Postgres)")
    assert.strictEqual(lines.at(-1), "41 passed, 0 failed, 2 skipped")
  })

  it("counts a failed check as a failure even when every test passes", () => {
    assert.strictEqual(report([passed, failed], { passed: true, counts, seconds: 3 }).at(-1), "41 passed, 1 failed")
  })

  it("counts a test run that broke outside its tests, or left no counts, as a failure", () => {
    assert.strictEqual(total([], { passed: false, counts, seconds: 3 }).failed, 1)
    assert.strictEqual(total([], { passed: true, counts: undefined, seconds: 3 }).failed, 1)
  })

  it("does not count a failed test twice", () => {
    assert.strictEqual(total([], { passed: false, counts: { ...counts, failed: 2 }, seconds: 3 }).failed, 2)
  })
})
