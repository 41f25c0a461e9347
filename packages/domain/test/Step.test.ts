import { findStep, importSteps, jobPercent, messagingSteps, recognitionSteps, stepPercent, videoSteps } from "@lectern/domain"
import fc from "fast-check"
import { describe, expect, it } from "vitest"

/** CONTRACT.md, section 5, as it stands there. */
const contract = {
  video_encode: [
    [1, "presigning", "준비", 5, 5],
    [2, "downloading", "다운로드", 15, 15],
    [3, "probing", "분석", 25, 25],
    [4, "transcoding", "인코딩", 50, 85],
    [5, "validating", "검증", 85, 85],
    [6, "thumbnail", "썸네일", 90, 90],
    [7, "uploading", "업로드", 95, 100],
    [7, "done", "완료", 100, 100]
  ],
  student_import: [
    [1, "downloading", "다운로드", 10, 10],
    [2, "parsing", "파싱", 25, 40],
    [3, "creating", "등록", 40, 95],
    [4, "done", "완료", 100, 100]
  ]
} as const

describe("the steps of a job", () => {
  it.each(["video_encode", "student_import"] as const)("of kind %s are those of the contract, and no others", (kind) => {
    const steps = contract[kind].map(([, name]) => findStep(kind, name))
    expect(steps.map((step) => step && [step.index, step.name, step.display, step.from, step.to])).toEqual(contract[kind])
    const total = kind === "video_encode" ? 7 : 4
    expect(steps.map((step) => step?.total)).toEqual(steps.map(() => total))
    expect(Object.keys(kind === "video_encode" ? videoSteps : importSteps)).toEqual(contract[kind].map(([, name]) => name))
  })

  it.each(["", "constructor", "__proto__", "toString", "parsing", "Probing"])("have none named %j in an encode", (name) => {
    expect(findStep("video_encode", name)).toBe(null)
  })

  it.each([["messaging", messagingSteps], ["ocr", recognitionSteps]] as const)(
    "of kind %s go forward, and end at 100",
    (kind, steps) => {
      const all = Object.values(steps)
      expect(all.map((step) => findStep(kind, step.name))).toEqual(all)
      expect(all.map(({ index }) => index)).toEqual(all.map((_, index) => index + 1))
      const percents = all.flatMap(({ from, to }) => [from, to])
      expect(percents).toEqual(percents.toSorted((a, b) => a - b))
      expect(percents.at(-1)).toBe(100)
    }
  )

  it("start at their first percent and end at their last", () => {
    for (const [kind, rows] of Object.entries(contract)) {
      for (const [, name, , from, to] of rows) {
        const step = findStep(kind === "video_encode" ? "video_encode" : "student_import", name)
        expect(step && [jobPercent(step, 0), jobPercent(step, 1)]).toEqual([from, to])
      }
    }
  })

  it("show no whole percent before it is reached, and none outside of the step, whatever the fraction says", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...[videoSteps, importSteps, messagingSteps, recognitionSteps].flatMap((steps) => Object.values(steps))),
        fc.oneof(fc.double(), fc.double({ min: 0, max: 1, noNaN: true })),
        (step, fraction) => {
          const percent = jobPercent(step, fraction)
          expect(Number.isInteger(percent) && percent >= step.from && percent <= step.to).toBe(true)
          expect(Number.isInteger(stepPercent(fraction))).toBe(true)
          if (fraction >= 0 && fraction < 1) {
            expect(stepPercent(fraction)).toBeLessThan(100)
            if (step.to > step.from) expect(percent).toBeLessThan(step.to)
          }
        }
      )
    )
    expect([Number.NaN, -1, 2, Infinity, -Infinity].map(stepPercent)).toEqual([0, 0, 100, 0, 0])
  })

  it("show every whole percent of themselves when they are there", () => {
    const shown = Array.from({ length: 101 }, (_, percent) => stepPercent(percent / 100))
    expect(shown).toEqual(Array.from({ length: 101 }, (_, percent) => percent))
  })
})
