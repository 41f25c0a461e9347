/** An encode of any input, and what every output has to keep, checked with programs other than ours. */
import { assert } from "@effect/vitest"
import { Effect, FileSystem, Path } from "effect"
import HLS from "hls-parser"
import type { EncodeResult } from "../../src/encoder/index.ts"
import { encode, filesBelow, firstPicture, played, strictlyParsed, temporary } from "./MadeMedia.ts"

/** Every part of a sheet that the track names is there, one after the other to the end of the video. */
const storyboardIsSound = Effect.fnUntraced(function* (outDir: string, result: EncodeResult) {
  const fileSystem = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const track = paths.join(outDir, result.storyboard ?? "")
  const text = yield* fileSystem.readFileString(track)
  const cue = /\n\n(\d\d):(\d\d):(\S+) --> (\d\d):(\d\d):(\S+)\n(\S+)#xywh=(\d+),(\d+),(\d+),(\d+)/g
  const cues = [...text.matchAll(cue)].map(([, ...found]) => found)
  const seconds = (hours = "", minutes = "", rest = "") => Number(hours) * 3600 + Number(minutes) * 60 + Number(rest)
  assert.isAbove(cues.length, 0)
  const sizes = new Map<string, { readonly width?: number; readonly height?: number } | undefined>()
  for (const [, , , , , , sheet = ""] of cues) {
    if (!sizes.has(sheet)) sizes.set(sheet, (yield* played(paths.join(paths.dirname(track), sheet)))[0])
  }
  let reached = 0
  for (const [fromH, fromM, fromS, toH, toM, toS, sheet = "", x, y, width, height] of cues) {
    const whole = sizes.get(sheet)
    assert.isAtMost(Number(x) + Number(width), whole?.width ?? 0)
    assert.isAtMost(Number(y) + Number(height), whole?.height ?? 0)
    assert.isAtMost(Math.max(Number(width), Number(height)), 160)
    assert.isBelow(Math.abs(seconds(fromH, fromM, fromS) - reached), 0.001)
    reached = seconds(toH, toM, toS)
  }
  const [variant] = result.variants
  assert.isBelow(Math.abs(reached - result.frames / (variant?.framesPerSecond ?? 0)), 0.002)
})

/** Encodes, and checks what every output must keep with programs other than ours. */
export const encodedAndSound = Effect.fnUntraced(function* (input: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const outDir = paths.join(yield* temporary, "out")
  const { reports, result } = yield* encode(input, outDir)

  const files = yield* filesBelow(outDir)
  assert.deepStrictEqual(result.files.map(({ path }) => path).toSorted(), files)
  for (const { bytes, path } of result.files) {
    assert.strictEqual(Number((yield* fileSystem.stat(paths.join(outDir, path))).size), bytes)
    assert.isAbove(bytes, 0)
  }
  assert.strictEqual(result.files.at(-1)?.path, "master.m3u8")

  const master = yield* strictlyParsed(paths.join(outDir, "master.m3u8"))
  if (!(master instanceof HLS.types.MasterPlaylist)) return yield* Effect.die("master.m3u8 is no master playlist")
  assert.isTrue(master.independentSegments)
  const playlists = yield* Effect.forEach(
    files.filter((file) => file.endsWith("index.m3u8")),
    (file) =>
      Effect.map(strictlyParsed(paths.join(outDir, file)), (playlist) => [paths.dirname(file), playlist] as const)
  )
  const bitsOf = (folder: string) => {
    const playlist = playlists.find(([name]) => name === folder)?.[1]
    if (!(playlist instanceof HLS.types.MediaPlaylist)) throw new Error(`${folder} has no media playlist`)
    const seconds = playlist.segments.reduce((sum, segment) => sum + segment.duration, 0)
    const bytes = result.files
      .filter(({ path }) => path.startsWith(`${folder}/`) && path.endsWith(".m4s"))
      .reduce((sum, file) => sum + file.bytes, 0)
    return (bytes * 8) / seconds
  }
  const soundBits = result.hasAudio ? bitsOf("audio") : 0
  const variants = master.variants.filter(({ isIFrameOnly }) => isIFrameOnly !== true)
  for (const variant of variants) {
    const folder = paths.dirname(variant.uri)
    const truth = (result.hasVideo ? bitsOf(folder) : 0) + soundBits
    assert.isBelow(Math.abs((variant.averageBandwidth ?? 0) / truth - 1), 0.01)
    assert.isAtLeast(variant.bandwidth, variant.averageBandwidth ?? 0)
  }
  for (const variant of result.variants) {
    const [stream] = yield* played(paths.join(outDir, variant.name, "index.m3u8"))
    assert.deepStrictEqual(
      [stream?.codec_name, stream?.width, stream?.height, stream?.pix_fmt, stream?.nb_read_frames],
      ["h264", variant.width, variant.height, "yuv420p", result.frames]
    )
    assert.oneOf(stream?.sample_aspect_ratio, ["1:1", undefined])
  }
  if (result.hasAudio) {
    const [stream] = yield* played(paths.join(outDir, "audio", "index.m3u8"))
    assert.deepStrictEqual([stream?.codec_name, stream?.channels], ["aac", 2])
  }

  const steps = reports.map(({ step }) => step)
  assert.deepStrictEqual([...new Set(steps)], ["probing", "transcoding", "validating", "thumbnail"])
  for (const [index, report] of reports.entries()) {
    const before = reports[index - 1]
    if (before?.step === report.step) assert.isAtLeast(report.fraction, before.fraction)
    assert.isAtMost(report.fraction, 1)
  }
  const iFrames = master.variants.filter(({ isIFrameOnly }) => isIFrameOnly === true)
  assert.strictEqual(iFrames.length, result.variants.length)
  for (const { uri } of iFrames) {
    const playlist = yield* strictlyParsed(paths.join(outDir, uri))
    if (!(playlist instanceof HLS.types.MediaPlaylist)) return yield* Effect.die(`${uri} is no media playlist`)
    assert.isTrue(playlist.isIFrame)
    const [first, ...others] = playlist.segments
    for (const { byterange, map, uri: segment } of [first, ...others.slice(-1)].filter((one) => one !== undefined)) {
      const folder = paths.join(outDir, paths.dirname(uri))
      const { length, offset } = byterange
      const whole = yield* fileSystem.readFile(paths.join(folder, segment))
      const init = yield* fileSystem.readFile(paths.join(folder, map?.uri ?? ""))
      const alone = paths.join(yield* temporary, "frame.mp4")
      yield* fileSystem.writeFile(alone, new Uint8Array([...init, ...whole.subarray(offset, offset + length)]))
      assert.strictEqual(yield* firstPicture(alone), "I")
    }
  }
  if (result.hasVideo) yield* storyboardIsSound(outDir, result)
  const rules = result.rules ?? []
  assert.isAtLeast(rules.length, 40)
  assert.deepStrictEqual(rules.filter(({ kept }) => !kept), [])
  return { outDir, result, master, variants, reports, sizes: result.variants.map(({ height, width }) => `${width}x${height}`) }
})
