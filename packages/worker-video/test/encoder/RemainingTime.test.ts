import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { readFileSync } from "node:fs"
import { remainingTime } from "../../src/encoder/RemainingTime.ts"

/** Milliseconds and frames as `ffmpeg -progress` told them of 24 s of pictures, on two cores with a load of twenty; the end last. */
const decodeTrace = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Array(Schema.Tuple([Schema.Int, Schema.Int]))))
const trace = decodeTrace(
  readFileSync(new URL("./fixtures/progress-on-a-busy-machine.json", import.meta.url), "utf8")
)
const [end = 0, frames = 0] = trace.at(-1) ?? []
const running = trace.slice(0, -1)

describe("the remaining time", () => {
  it("is off by a quarter at most after a fifth of a recorded run, or by two seconds near its end", () => {
    const estimate = remainingTime(0, 0)
    const later = running.filter(([, frame]) => frame / frames >= 0.2)
    assert.isAbove(later.length, 50)
    for (const [at, frame] of later) {
      const left = (end - at) / 1000
      assert.approximately(estimate(at, frame / frames) ?? Number.NaN, left, Math.max(left * 0.25, 2), `at ${at} ms`)
    }
  })

  it("goes by what was done here, not by what an earlier attempt had done", () => {
    const estimate = remainingTime(1_000, 0.5)
    assert.strictEqual(estimate(11_000, 0.75), 10)
  })

  it("is unknown until something has been measured", () => {
    const estimate = remainingTime(0, 0.5)
    assert.isNull(estimate(5_000, 0.5))
    assert.isNull(estimate(5_000, 0.505))
    assert.isNotNull(estimate(5_000, 0.51))
  })

  it("ends at nothing", () => {
    assert.strictEqual(remainingTime(0, 0)(9_000, 1), 0)
  })
})

describe("the share of the frames that are done", () => {
  it("is within five points of the time that has passed in nine of ten samples of a recorded run", () => {
    const near = running.filter(([at, frame]) => Math.abs(frame / frames - at / end) <= 0.05)
    assert.isAtLeast(near.length / running.length, 0.9)
  })
})
