import fc from "fast-check"
import { describe, expect, it } from "vitest"
import { advance } from "../../src/client/advance.ts"
import { type ProgressSnapshot, readSnapshot } from "../../src/client/ProgressSnapshot.ts"

const snapshot = (body: object): ProgressSnapshot => {
  const read = readSnapshot({ job: "j" }, body)
  if (read === null) throw new Error("no snapshot")
  return read
}

const running = (percent: number | null, more: object = {}) =>
  snapshot({ status: "RUNNING", progress: percent === null ? null : { percent }, ...more })

const shownOf = (states: ReadonlyArray<ProgressSnapshot>): ReadonlyArray<ProgressSnapshot> => {
  const shown: Array<ProgressSnapshot> = []
  for (const next of states) {
    const it = advance(shown.at(-1) ?? null, next)
    if (it !== null) shown.push(it)
  }
  return shown
}

const percents = (states: ReadonlyArray<ProgressSnapshot>) => shownOf(states).map(({ percent }) => percent)

describe("What is shown next", () => {
  it("is never less within an attempt, and never less of an older attempt, in whatever order answers come", () => {
    const state = fc.record({
      percent: fc.option(fc.integer({ min: 0, max: 100 })),
      attempt: fc.integer({ min: 1, max: 3 })
    })
    fc.assert(fc.property(fc.array(state, { maxLength: 30 }), (states) => {
      const shown = shownOf(states.map(({ attempt, percent }) => running(percent, { attempt })))
      for (const [index, next] of shown.entries()) {
        const last = shown[index - 1]
        if (last === undefined) continue
        expect(next.attempt ?? 0).toBeGreaterThanOrEqual(last.attempt ?? 0)
        if (next.attempt === last.attempt) expect(next.percent ?? -1).toBeGreaterThanOrEqual(last.percent ?? -1)
      }
      const highest = Math.max(...states.map(({ attempt }) => attempt))
      if (states.length > 0) expect(shown.at(-1)?.attempt).toBe(highest)
    }))
  })

  it("is as far as it was where the percent is lost, and where it failed", () => {
    expect(percents([running(40), running(null, { job_type: "x" }), snapshot({ status: "FAILED" })])).toEqual([40, 40])
  })

  it("may be less after the work has ended to begin anew", () => {
    expect(percents([running(40), snapshot({ status: "RETRYING" }), running(10)])).toEqual([40, null, 10])
  })

  it("may be less in another attempt that the server names", () => {
    expect(percents([running(40, { attempt: 1 }), running(10, { attempt: 2 })])).toEqual([40, 10])
  })

  it("is not what is older, an end of an earlier run included", () => {
    expect(percents([running(10, { revision: 5 }), snapshot({ status: "FAILED", revision: 4 })])).toEqual([10])
  })

  it("is nothing where nothing but fields unknown to the client changed", () => {
    expect(percents([running(10), running(10, { asOf: 5 })])).toEqual([10])
  })
})
