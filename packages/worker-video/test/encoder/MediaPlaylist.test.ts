import { assert, describe, it } from "@effect/vitest"
import { mediaPlaylist, parseMediaPlaylist, targetDurationFor } from "../../src/encoder/MediaPlaylist.ts"

const written = mediaPlaylist(6, "t_init.mp4", [
  { uri: "t_00000.m4s", seconds: 6.006 },
  { uri: "t_00001.m4s", seconds: 0.16 }
])

describe("MediaPlaylist", () => {
  it("reads what it writes", () => {
    assert.deepStrictEqual(parseMediaPlaylist(written), {
      version: 7,
      targetDuration: 6,
      initUri: "t_init.mp4",
      segments: [
        { uri: "t_00000.m4s", seconds: 6.006 },
        { uri: "t_00001.m4s", seconds: 0.16 }
      ]
    })
  })

  it("announces a target of at least one second, and no segment that rounds to more", () => {
    assert.strictEqual(targetDurationFor([0.4]), 1)
    assert.strictEqual(targetDurationFor([6.006, 5.99, 0.1]), 6)
  })

  it("refuses a playlist that was cut off at any line", () => {
    const lines = written.trimEnd().split("\n")
    for (let kept = 0; kept < lines.length; kept++) {
      assert.property(parseMediaPlaylist(lines.slice(0, kept).join("\n")), "fault")
    }
  })

  it("refuses a playlist that lacks any of the lines that a player needs", () => {
    const needed = written
      .split("\n")
      .filter(
        (line) => !line.startsWith("#EXT-X-MEDIA-SEQUENCE") && line !== "#EXT-X-INDEPENDENT-SEGMENTS" && line !== ""
      )
    for (const missing of needed) {
      const rest = needed.filter((line) => line !== missing).join("\n")
      assert.property(parseMediaPlaylist(rest), "fault", `without ${missing}`)
    }
  })
})
