import { assert, layer } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer, Path } from "effect"
import { type EncodePlan, plan } from "../../src/encoder/EncodePlan.ts"
import { validateHls } from "../../src/encoder/HlsValidator.ts"
import { unheard } from "../../src/encoder/StepReport.ts"
import { encode, encoderLayer, h264, made, picture, probed, temporary, tone } from "./MadeMedia.ts"

/** One good output of three segments, two variants and sound, which every test copies and then breaks. */
class Produced extends Context.Service<Produced, { readonly directory: string; readonly plan: EncodePlan }>()(
  "test/Produced"
) {
  static readonly layer = Layer.effect(
    Produced,
    Effect.gen(function* () {
      const input = yield* made(
        yield* temporary,
        "in.mp4",
        ...picture("testsrc2=s=640x360:r=15:d=14"),
        ...tone(14),
        ...h264,
        "-c:a",
        "aac"
      )
      const media = yield* probed(input)
      const directory = yield* temporary
      const encodePlan = plan(media)
      yield* encode(input, directory, "t")
      return { directory, plan: encodePlan }
    })
  )
}

const brokenRules = Effect.fnUntraced(function* <E, R>(
  breakIt: (directory: string) => Effect.Effect<void, E, R>,
  change: (good: EncodePlan) => EncodePlan = (good) => good
) {
  const fileSystem = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const produced = yield* Produced
  const directory = paths.join(yield* temporary, "copy")
  yield* fileSystem.copy(produced.directory, directory)
  yield* breakIt(directory)
  const { faults } = yield* validateHls(directory, change(produced.plan), unheard)
  return [...new Set(faults.map(({ rule }) => rule))].toSorted()
})

const untouched = () => Effect.void

const removed = (name: string) => (directory: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fileSystem) => fileSystem.remove(`${directory}/${name}`, { recursive: true }))

const rewritten = (name: string, change: (text: string) => string) => (directory: string) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const path = `${directory}/${name}`
    const before = yield* fileSystem.readFileString(path)
    assert.notStrictEqual(change(before), before)
    yield* fileSystem.writeFileString(path, change(before))
  })

const patched = (name: string, change: (bytes: Uint8Array, view: DataView) => Uint8Array) => (directory: string) =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const path = `${directory}/${name}`
    const bytes = yield* fileSystem.readFile(path)
    yield* fileSystem.writeFile(path, change(bytes, new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)))
  })

/** Where the content of the first box of a type starts. */
const contentOf = (bytes: Uint8Array, type: string): number => new TextDecoder("latin1").decode(bytes).indexOf(type) + 4

const withoutLastSegment = (text: string): string => text.replace(/#EXTINF:[^\n]+\n[^\n]+_00002\.m4s\n/, "")

layer(Produced.layer.pipe(Layer.provideMerge(encoderLayer)), { excludeTestServices: true })("HlsValidator", (it) => {
  it.effect("finds no fault in a good output", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* brokenRules(untouched), [])
    })
  )

  it.effect("says of every file that it reads how many are read", () =>
    Effect.gen(function* () {
      const { directory, plan } = yield* Produced
      const heard: Array<number> = []
      const { renditions } = yield* validateHls(directory, plan, (fraction) => Effect.sync(() => void heard.push(fraction)))
      assert.lengthOf(heard, renditions.reduce((sum, { segments }) => sum + segments.length, 0))
      assert.deepStrictEqual(heard, [...new Set(heard)].toSorted((a, b) => a - b))
      assert.isAbove(heard.at(-1) ?? 0, 0.8)
    })
  )

  it.effect("finds a missing, an empty and a cut-off segment", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* brokenRules(removed("v360/t-1_00001.m4s")), ["segment-present"])
      assert.deepStrictEqual(yield* brokenRules(patched("audio/t-1_00000.m4s", () => new Uint8Array())), [
        "segment-present"
      ])
      assert.deepStrictEqual(
        yield* brokenRules(patched("v240/t-1_00001.m4s", (bytes) => bytes.subarray(0, bytes.length - 10))),
        ["segment-readable"]
      )
    })
  )

  it.effect("finds a missing and a truncated playlist, and one that names a file elsewhere", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* brokenRules(removed("v240/index.m3u8")), ["playlist-present"])
      assert.deepStrictEqual(
        yield* brokenRules(rewritten("v360/index.m3u8", (text) => text.replace("#EXT-X-ENDLIST\n", ""))),
        ["playlist-parses"]
      )
      assert.deepStrictEqual(
        yield* brokenRules(rewritten("v360/index.m3u8", (text) => text.replace("t-1_00001.m4s", "../v240/t-1_00001.m4s"))),
        ["playlist-parses"]
      )
    })
  )

  it.effect("finds a missing variant, and missing sound", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* brokenRules(removed("v240")), ["playlist-present"])
      assert.deepStrictEqual(yield* brokenRules(removed("audio")), ["playlist-present"])
    })
  )

  it.effect("finds a missing and a broken init file", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* brokenRules(removed("v360/t-1_00000_init.mp4")), ["init-present"])
      assert.deepStrictEqual(yield* brokenRules(patched("v360/t-1_00000_init.mp4", (bytes) => bytes.subarray(0, 100))), [
        "init-readable"
      ])
    })
  )

  it.effect("finds frames that are missing from all variants, although every file is good", () =>
    Effect.gen(function* () {
      const rules = yield* brokenRules((directory) =>
        Effect.forEach(["v360", "v240"], (name) => rewritten(`${name}/index.m3u8`, withoutLastSegment)(directory), {
          discard: true
        })
      )
      assert.deepStrictEqual(rules, ["frames-complete", "video-duration"])
    })
  )

  it.effect("finds sound that ends before the source's", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* brokenRules(rewritten("audio/index.m3u8", withoutLastSegment)), ["audio-duration"])
    })
  )

  it.effect("finds a variant that has fewer frames and segments than the others", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(yield* brokenRules(rewritten("v240/index.m3u8", withoutLastSegment)), [
        "variants-aligned",
        "variants-equal"
      ])
    })
  )

  it.effect("finds segments in the wrong order", () =>
    Effect.gen(function* () {
      const rules = yield* brokenRules(
        rewritten("v240/index.m3u8", (text) =>
          text.replace("t-1_00000.m4s", "x").replace("t-1_00001.m4s", "t-1_00000.m4s").replace("\nx\n", "\nt-1_00001.m4s\n")
        )
      )
      assert.deepStrictEqual(rules, ["segments-continuous", "variants-aligned"])
    })
  )

  it.effect("finds a segment that is longer than the target, and one that is not as long as listed", () =>
    Effect.gen(function* () {
      assert.deepStrictEqual(
        yield* brokenRules(
          rewritten("v360/index.m3u8", (text) => text.replace("TARGETDURATION:6", "TARGETDURATION:5"))
        ),
        ["target-duration"]
      )
      assert.deepStrictEqual(
        yield* brokenRules(
          rewritten("v360/index.m3u8", (text) => text.replace("#EXTINF:6.000000", "#EXTINF:4.000000"))
        ),
        ["segment-duration-true"]
      )
    })
  )

  it.effect("finds a segment that does not start with a key frame", () =>
    Effect.gen(function* () {
      const rules = yield* brokenRules(
        patched("v360/t-1_00001.m4s", (bytes, view) => {
          const run = contentOf(bytes, "trun")
          const word = view.getUint32(run)
          assert.strictEqual(word & 0x404, 0x4, "the first sample alone has flags of its own")
          const firstFlags = run + 8 + ((word & 0x1) !== 0 ? 4 : 0)
          view.setUint32(firstFlags, view.getUint32(firstFlags) | 0x10000)
          return bytes
        })
      )
      assert.deepStrictEqual(rules, ["segment-independent"])
    })
  )

  it.effect("finds a picture of another size than planned", () =>
    Effect.gen(function* () {
      const rules = yield* brokenRules(untouched, (good) => {
        if (good.video === null) throw new Error("the plan has no picture")
        const [largest, ...others] = good.video.variants
        return { ...good, video: { ...good.video, variants: [{ ...largest, width: 642 }, ...others] } }
      })
      assert.deepStrictEqual(rules, ["picture-size"])
    })
  )

  it.effect("finds a picture that begins late, which players show as a hole", () =>
    Effect.gen(function* () {
      const rules = yield* brokenRules(
        patched("v360/t-1_00000.m4s", (bytes, view) => {
          const run = contentOf(bytes, "trun")
          const word = view.getUint32(run)
          assert.notStrictEqual(word & 0x800, 0)
          const skipped = [0x1, 0x4, 0x100, 0x200, 0x400].filter((flag) => (word & flag) !== 0).length
          view.setInt32(run + 8 + skipped * 4, 5000)
          return bytes
        })
      )
      assert.deepStrictEqual(rules, ["starts-at-zero"])
    })
  )
})
