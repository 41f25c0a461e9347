import { assert, layer } from "@effect/vitest"
import { Context, Effect, FileSystem, Layer, Path } from "effect"
import { type EncodePlan, plan } from "../../src/encoder/EncodePlan.ts"
import { checkHlsRules, hlsRules } from "../../src/encoder/HlsRules.ts"
import { hlsStream, playlistPaths } from "../../src/encoder/HlsStream.ts"
import { type Rendition, readRendition } from "../../src/encoder/Rendition.ts"
import { unheard } from "../../src/encoder/StepReport.ts"
import { encode, encoderLayer, h264, made, picture, probed, temporary, tone } from "./MadeMedia.ts"

interface Parts {
  readonly plan: EncodePlan
  readonly renditions: ReadonlyArray<Rendition>
  readonly master: string
  readonly playlists: ReadonlyMap<string, string>
}

/** What one good stream of two variants and sound is made of. */
class Good extends Context.Service<Good, Parts>()("test/Good") {
  static readonly layer = Layer.effect(
    Good,
    Effect.gen(function* () {
      const fileSystem = yield* FileSystem.FileSystem
      const paths = yield* Path.Path
      const directory = yield* temporary
      const input = yield* made(
        directory,
        "in.mp4",
        ...picture("testsrc2=s=640x360:r=15:d=14"),
        ...tone(14),
        ...h264,
        "-c:a",
        "aac"
      )
      const outDir = paths.join(directory, "out")
      yield* encode(input, outDir)
      const master = yield* fileSystem.readFileString(paths.join(outDir, "master.m3u8"))
      const playlists = yield* Effect.forEach(playlistPaths(master), (path) =>
        Effect.map(fileSystem.readFileString(paths.join(outDir, path)), (text) => [path, text] as const)
      )
      const read = yield* Effect.forEach(["v360", "v240", "audio"], (name) => readRendition(outDir, name, unheard))
      return {
        plan: plan(yield* probed(input)),
        renditions: read.flatMap(({ rendition }) => (rendition === null ? [] : [rendition])),
        master,
        playlists: new Map(playlists)
      }
    })
  )
}

type Plant = (good: Parts) => Parts

const replaced = (text: string, pattern: RegExp, by: string): string => {
  const after = text.replace(pattern, by)
  assert.notStrictEqual(after, text, `${pattern} is found`)
  return after
}

const inMaster =
  (pattern: RegExp, by: string): Plant =>
  (good) => ({ ...good, master: replaced(good.master, pattern, by) })

const inPlaylist =
  (path: string, pattern: RegExp, by: string): Plant =>
  (good) => ({
    ...good,
    playlists: new Map(good.playlists).set(path, replaced(good.playlists.get(path) ?? "", pattern, by))
  })

const inRendition =
  (name: string, change: (rendition: Rendition) => Rendition): Plant =>
  (good) => ({
    ...good,
    renditions: good.renditions.map((rendition) => (rendition.name === name ? change(rendition) : rendition))
  })

type Segment = Rendition["segments"][number]

const inSegment = (name: string, position: number, change: (facts: Segment["facts"]) => Partial<Segment["facts"]>): Plant =>
  inRendition(name, (rendition) => ({
    ...rendition,
    segments: rendition.segments.map((segment, index) =>
      index === position ? { ...segment, facts: { ...segment.facts, ...change(segment.facts) } } : segment
    )
  }))

const inHeader = (name: string, init: Partial<Rendition["init"]>): Plant =>
  inRendition(name, (rendition) => ({ ...rendition, init: { ...rendition.init, ...init } }))

const both =
  (...plants: ReadonlyArray<Plant>): Plant =>
  (good) =>
    plants.reduce((parts, plant) => plant(parts), good)

/** At least one fault for each rule, by its number. */
const planted: ReadonlyArray<readonly [number: string, fault: Plant]> = [
  ["1.1", inHeader("v360", { codec: "vp09.00.10.08" })],
  ["1.3", inMaster(/avc1\.64001\w/, "avc1.64003c")],
  ["1.3", inMaster(/avc1\.64001\w/, "avc1.7a001e")],
  ["1.4", inMaster(/avc1\.64001\w/, "avc1.4d401e")],
  ["1.10", inMaster(/avc1\.64/, "avc3.64")],
  ["1.11", inHeader("v360", { codec: "avc1.640033" })],
  ["1.13", inSegment("v240", 1, ({ keyFrames }) => ({ keyFrames: keyFrames.slice(0, 1) }))],
  ["1.19", inRendition("v360", (rendition) => ({ ...rendition, samples: rendition.samples * 5 }))],
  ["1.26", inMaster(/AVERAGE-BANDWIDTH=(\d+)/, "AVERAGE-BANDWIDTH=$10")],
  ["1.27", inMaster(/:BANDWIDTH=(\d+)/, ":BANDWIDTH=$10")],
  ["1.33", inHeader("v240", { size: { width: 320, height: 240 } })],
  ["2.3", inHeader("audio", { channels: 6 })],
  ["2.3", inHeader("audio", { codec: "mp4a.40.5" })],
  ["2.17", inHeader("audio", { tracks: 2 })],
  ["6.1", inMaster(/#EXT-X-I-FRAME-STREAM-INF.*\n/g, "")],
  ["6.6", inMaster(/#EXT-X-I-FRAME-STREAM-INF.*\n/, "")],
  ["6.8", inPlaylist("v360/iframes.m3u8", /#EXT-X-I-FRAMES-ONLY\n/, "")],
  ["6.9", inMaster(/(I-FRAME-STREAM-INF:BANDWIDTH=)\d+/, "$11000")],
  ["6.10", inPlaylist("v360/iframes.m3u8", /BYTERANGE:(\d+)@/, "BYTERANGE:1$1@")],
  ["6.10", inPlaylist("v240/iframes.m3u8", /#EXTINF.*\n.*\n.*\n/, "")],
  ["7.3", inSegment("audio", 1, ({ startTicks }) => ({ startTicks: startTicks + 500 }))],
  ["7.4", inSegment("v360", 2, () => ({ startsWithKeyFrame: false }))],
  ["7.5", inPlaylist("audio/index.m3u8", /TARGETDURATION:6/, "TARGETDURATION:10")],
  ["7.6", inPlaylist("v360/index.m3u8", /EXTINF:6/, "EXTINF:3")],
  ["7.7", inSegment("v360", 0, ({ ticks }) => ({ ticks: ticks * 1.2 }))],
  ["8.1", inPlaylist("v240/index.m3u8", /EXTINF:6\.0/, "EXTINF:6.2")],
  ["8.1", inPlaylist("v240/index.m3u8", /#EXTINF:2.*\n.*\n/, "")],
  ["8.2", inPlaylist("v240/index.m3u8", /TARGETDURATION:6/, "TARGETDURATION:7")],
  ["8.3", inPlaylist("audio/index.m3u8", /#EXTINF:2.*\n.*\n/, "")],
  ["8.6", inPlaylist("v360/index.m3u8", /TYPE:VOD/, "TYPE:EVENT")],
  ["8.6", inPlaylist("v360/iframes.m3u8", /#EXT-X-PLAYLIST-TYPE:VOD\n/, "")],
  ["8.7", inRendition("v240", (rendition) => ({ ...rendition, seconds: rendition.seconds - 0.2 }))],
  ["8.9", inMaster(/#EXT-X-MEDIA.*\n/, "")],
  ["8.10", inMaster(/LANGUAGE="\w+",/, "")],
  ["8.15", inPlaylist("v360/index.m3u8", /(#EXTINF:2)/, "#EXT-X-DISCONTINUITY\n$1")],
  ["8.20", inPlaylist("audio/index.m3u8", /#EXT-X-MAP.*\n/, "")],
  ["8.20", inPlaylist("v240/iframes.m3u8", /_init/, "_other")],
  ["9.1", inMaster(/CODECS="(avc1\.\w+),mp4a\.40\.2"/, 'CODECS="$1"')],
  ["9.1", inMaster(/(STREAM-INF.*),CODECS="[^"]+"/, "$1")],
  ["9.2", inMaster(/RESOLUTION=640x360/, "RESOLUTION=642x360")],
  ["9.2", inMaster(/,RESOLUTION=640x360/, "")],
  ["9.3", inMaster(/(I-FRAME-STREAM-INF.*),CODECS="[^"]+"/, "$1")],
  ["9.4", inMaster(/(I-FRAME-STREAM-INF.*),RESOLUTION=\w+/, "$1")],
  ["9.5", inMaster(/,AUDIO="\w+"/, "")],
  ["9.9", inMaster(/#EXT-X-STREAM-INF.*\nv240.*\n/, "")],
  ["9.11", inMaster(/#EXT-X-INDEPENDENT-SEGMENTS\n/, "")],
  [
    "9.13",
    (good) => {
      const [said = "", rate = ""] = /:BANDWIDTH=(\d+)/.exec(good.master) ?? []
      return { ...good, master: good.master.replace(said, `:BANDWIDTH=${Number(rate) - 1000}`) }
    }
  ],
  ["9.14", inMaster(/,AVERAGE-BANDWIDTH=\d+/, "")],
  ["9.15", inMaster(/,FRAME-RATE=15\.000/, "")],
  ["9.15", inMaster(/FRAME-RATE=15\.000/, "FRAME-RATE=15.020")],
  ["RFC8216-4.3.1.2", inPlaylist("v360/index.m3u8", /VERSION:7/, "VERSION:3")],
  ["RFC8216-4.3.3.1", inPlaylist("v360/iframes.m3u8", /TARGETDURATION:2/, "TARGETDURATION:1")],
  ["RFC8216-4.3.3.4", inPlaylist("audio/index.m3u8", /#EXT-X-ENDLIST\n/, "")],
  ["RFC8216-4.3.4.1", inMaster(/,AUTOSELECT=YES/, "")],
  ["RFC8216-4.3.4.1", inMaster(/(#EXT-X-MEDIA.*\n)/, "$1$1")],
  ["RFC8216-4.3.4.2", inMaster(/v240\/index/, "v240/other")],
  ["RFC8216-4.3.4.2", inMaster(/AUDIO="\w+"/, 'AUDIO="other"')],
  [
    "RFC8216-6.2.4",
    inSegment("v240", 1, ({ keyFrames }) => ({
      keyFrames: keyFrames.map(({ range, ticks }) => ({ range, ticks: ticks + 512 }))
    }))
  ],
  [
    "RFC8216-6.2.4",
    both(
      ...["v360", "v240"].map((name) =>
        inSegment(name, 0, ({ keyFrames }) => ({
          keyFrames: keyFrames.map(({ range, ticks }) => ({ range, ticks: ticks + 512 }))
        }))
      )
    )
  ]
]

const checked = ({ master, plan: encodePlan, playlists, renditions }: Parts) =>
  checkHlsRules(hlsStream(encodePlan, renditions, master, playlists))

const broken = (parts: Parts) => checked(parts).broken.map(({ rule }) => rule)

layer(Good.layer.pipe(Layer.provideMerge(encoderLayer)), { excludeTestServices: true })("HlsRules", (it) => {
  it.effect("finds nothing in a good stream", () =>
    Effect.gen(function* () {
      const good = yield* Good
      assert.deepStrictEqual(broken(good), [])
      assert.isAtLeast(hlsRules.length, 40)
    })
  )

  it.effect("says of every rule what was measured, with values that a person can check", () =>
    Effect.gen(function* () {
      const { checks } = checked(yield* Good)
      assert.deepStrictEqual(checks.map(({ number }) => number), hlsRules.map(({ number }) => number))
      assert.isTrue(checks.every(({ kept, measured, title }) => kept && title !== "" && measured !== ""))
      const measured = new Map(checks.map((check) => [check.number, check.measured]))
      assert.strictEqual(measured.get("1.13"), "2 s")
      assert.strictEqual(measured.get("1.19"), "15 frames a second")
      assert.strictEqual(measured.get("1.33"), "640x360; 426x240")
      assert.strictEqual(measured.get("2.3"), "mp4a.40.2")
      assert.strictEqual(measured.get("7.5"), "6 s")
      assert.strictEqual(measured.get("9.15"), "15.000")
      for (const number of ["1.26", "1.27", "6.9"]) {
        const [least = Number.NaN, most = least] = (measured.get(number) ?? "").match(/-?[0-9.]+/g)?.map(Number) ?? []
        assert.isTrue(least >= -10 && most <= 10, `${number}: ${measured.get(number)}`)
      }
    })
  )

  it.effect("says of a broken rule what breaks it", () =>
    Effect.gen(function* () {
      const { checks } = checked(inMaster(/FRAME-RATE=15\.000/, "FRAME-RATE=15.020")(yield* Good))
      const [found, ...others] = checks.filter(({ kept }) => !kept)
      assert.deepStrictEqual([found?.number, others], ["9.15", []])
      assert.match(found?.measured ?? "", /15\.020.*measured 15/)
    })
  )

  it.effect("finds every planted fault, by the number of its rule", () =>
    Effect.gen(function* () {
      const good = yield* Good
      for (const [number, fault] of planted) assert.include(broken(fault(good)), number)
    })
  )

  it.effect("has no rule without a planted fault, and no number twice", () =>
    Effect.sync(() => {
      const numbers = hlsRules.map(({ number }) => number)
      assert.deepStrictEqual(
        numbers.filter((number) => !planted.some(([found]) => found === number)),
        []
      )
      assert.strictEqual(new Set(numbers).size, numbers.length)
    })
  )
})
