import { assert, describe, it } from "@effect/vitest"
import fc from "fast-check"
import { type EncodePlan, plan } from "../../src/encoder/EncodePlan.ts"
import { groupsOf, nextFree, type PartState, segmentFrames } from "../../src/encoder/EncodeGroups.ts"
import { rational } from "../../src/encoder/Rational.ts"

const planOf = (seconds: number, rate = rational(30, 1)): EncodePlan =>
  plan({
    path: "/in.mp4",
    bytes: 1,
    demuxers: "mov",
    durationSeconds: seconds,
    video: {
      index: 0,
      codec: "h264",
      codedWidth: 1280,
      codedHeight: 720,
      sampleAspect: rational(1, 1),
      rotation: 0,
      displayWidth: 1280,
      displayHeight: 720,
      pixelFormat: "yuv420p",
      bitDepth: 8,
      highDynamicRange: false,
      interlaced: false,
      averageRate: rate,
      nominalRate: rate,
      startSeconds: 0,
      durationSeconds: seconds,
      frames: null
    },
    audio: null
  })

describe("the groups of a plan", () => {
  it("last about a minute each", () => {
    const groups = groupsOf(planOf(7_200))
    assert.lengthOf(groups, 120)
    assert.isTrue(groups.every(({ frames }) => frames === 1_800))
  })

  it("are finer where a video is short, and one where it has one segment", () => {
    assert.lengthOf(groupsOf(planOf(96)), 16)
    assert.lengthOf(groupsOf(planOf(300)), 16)
    assert.lengthOf(groupsOf(planOf(9)), 1)
    assert.lengthOf(groupsOf(planOf(0.4)), 1)
  })

  it("cover every frame once, begin with segments, and have a last one that is never shorter than the others", () => {
    const rates = [rational(24000, 1001), rational(25, 1), rational(30000, 1001), rational(60, 1), rational(25, 2)]
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 40_000, noNaN: true }), fc.constantFrom(...rates), (seconds, rate) => {
        const made = planOf(seconds, rate)
        const { video } = made
        if (video === null) return
        const groups = groupsOf(made)
        const perSegment = segmentFrames(made, video)
        let next = 0
        for (const group of groups) {
          assert.strictEqual(group.firstFrame, next)
          assert.strictEqual(group.firstFrame, group.firstSegment * perSegment)
          next += group.frames
        }
        assert.strictEqual(next, video.frames)
        assert.strictEqual(groups.at(-1)?.segments, null)
        const [first, last] = [groups[0], groups.at(-1)]
        if (groups.length > 1) assert.isAtLeast(last?.frames ?? 0, first?.frames ?? 0)
        assert.strictEqual(new Set(groups.map(({ name }) => name)).size, groups.length)
      }),
      { numRuns: 300 }
    )
  })
})

/** "F" finished, "H" in other hands, "." free. */
const nextOf = (row: string): number | null => {
  const names = [...row].map((_, index) => ({ name: `g${index}` }))
  const states = new Map<string, PartState>()
  for (const [index, state] of [...row].entries()) {
    if (state === "F" || state === "H") states.set(`g${index}`, state === "F" ? "Finished" : "Held")
  }
  return nextFree(names, states)
}

describe("the group to begin with", () => {
  it("is the first that is free, behind what is finished", () => {
    assert.strictEqual(nextOf("......"), 0)
    assert.strictEqual(nextOf("FFF..."), 3)
    assert.strictEqual(nextOf("FFFFFF"), null)
    assert.strictEqual(nextOf("HFHFHF"), null)
  })

  it("is in the middle of what somebody else comes to", () => {
    assert.strictEqual(nextOf("H......"), 4)
    assert.strictEqual(nextOf("H."), 1)
  })

  it("is in the longest row", () => {
    assert.strictEqual(nextOf("F.F...F..F"), 3)
    assert.strictEqual(nextOf("F.H....F.."), 5)
  })
})
