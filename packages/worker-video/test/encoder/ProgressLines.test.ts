import { assert, describe, it } from "@effect/vitest"
import { progressLines } from "../../src/encoder/ProgressLines.ts"

describe("progressLines", () => {
  it("yields one value at the end of each block and passes the log on", () => {
    const lines = progressLines()
    const accepted = [
      "frame=12",
      "[libx264 @ 0x55] [warning] something",
      "out_time_us=480000",
      "speed=1.5x",
      "progress=continue",
      "frame=25",
      "out_time_us=N/A",
      "speed=N/A",
      "progress=end"
    ].map((line) => lines.accept(line))
    assert.deepStrictEqual(
      accepted.filter((value) => value !== null),
      ["log", { frame: 12, outTimeMicros: 480000, speed: 1.5 }, { frame: 25, outTimeMicros: null, speed: null }]
    )
  })

  it("takes a time before the start, which ffmpeg reports while it buffers, for unknown", () => {
    const lines = progressLines()
    lines.accept("out_time_us=-9223372036854775807")
    assert.deepStrictEqual(lines.accept("progress=continue"), { frame: null, outTimeMicros: null, speed: null })
  })
})
