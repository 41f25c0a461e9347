import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { languageTag, measuredRate } from "../../src/encoder/MasterPlaylist.ts"

const rateOf = (segments: ReadonlyArray<{ readonly seconds: number; readonly bytes: number }>) =>
  measuredRate(6, segments)

describe("measuredRate", () => {
  it("is the rate of the densest segment at its peak, and of all of them on average", () => {
    assert.deepStrictEqual(
      rateOf([
        { seconds: 6, bytes: 6000 },
        { seconds: 6, bytes: 12_000 },
        { seconds: 6, bytes: 3000 }
      ]),
      { peak: 16_000, average: 9334 }
    )
  })

  it("does not let a last segment of one frame stand for the peak", () => {
    const { peak } = rateOf([
      { seconds: 6, bytes: 6000 },
      { seconds: 0.04, bytes: 5000 }
    ])
    assert.strictEqual(peak, Math.ceil((11_000 * 8) / 6.04))
  })

  it("uses the whole of a clip that is shorter than half a segment", () => {
    assert.deepStrictEqual(rateOf([{ seconds: 0.4, bytes: 1000 }]), { peak: 20_000, average: 20_000 })
  })

  const Segment = Schema.Struct({
    seconds: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 })),
    bytes: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))
  })

  it.effect.prop(
    "the peak is never below the average",
    [Schema.Array(Segment).check(Schema.isMinLength(1))],
    ([segments]) =>
      Effect.sync(() => {
        const { average, peak } = rateOf(segments)
        assert.isAtLeast(peak, average)
      })
  )
})

describe("languageTag", () => {
  it("writes a language as playlists do, whatever the file calls it", () => {
    assert.deepStrictEqual(["kor", "eng", "pt-BR", "und", "no language", null].map(languageTag), [
      "ko",
      "en",
      "pt-BR",
      "und",
      "und",
      "und"
    ])
  })
})
