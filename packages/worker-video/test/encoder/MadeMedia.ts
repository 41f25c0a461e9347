/** Inputs made on the spot by ffmpeg's own sources, and what a program other than ours says about the output. */
import { NodeServices } from "@effect/platform-node"
import { Effect, FileSystem, Layer, Path, Schema, Stream } from "effect"
import { ChildProcess, ChildProcessSpawner } from "effect/process"
import HLS from "hls-parser"
import { fileURLToPath } from "node:url"
import { Encoder, type EncodeProgress, EncodeToken, keepNowhere, MediaProbe } from "../../src/encoder/index.ts"
import { MediaProgram } from "../../src/encoder/MediaProgram.ts"
import { Storyboard } from "../../src/encoder/Storyboard.ts"
import { Thumbnail } from "../../src/encoder/Thumbnail.ts"
import * as TranscoderFfmpeg from "../../src/encoder/TranscoderFfmpeg.ts"
import { unheard } from "../../src/encoder/StepReport.ts"

/** Thirty seconds of camera footage, kept in the repository. */
export const sample = fileURLToPath(new URL("../../../../media/car-detection.mp4", import.meta.url))

/** The encoder, each of its parts, and the platform. */
export const encoderLayer = Encoder.layerFfmpeg.pipe(
  Layer.provideMerge(Layer.mergeAll(Storyboard.layer, Thumbnail.layer, TranscoderFfmpeg.layer)),
  Layer.provideMerge(MediaProgram.layer),
  Layer.provideMerge(NodeServices.layer)
)

class CommandFailed extends Schema.TaggedError<CommandFailed>()("CommandFailed", {
  command: Schema.String,
  said: Schema.String
}) {}

/** Runs a program for a test and returns what it wrote to stdout. */
export const output = Effect.fnUntraced(function* (command: string, args: ReadonlyArray<string>) {
  const spawner = yield* ChildProcessSpawner.ChildProcessSpawner
  const child = yield* spawner.spawn(ChildProcess.make(command, [...args], { extendEnv: true, stdin: "ignore" }))
  const [stdout, stderr] = yield* Effect.all(
    [child.stdout.pipe(Stream.decodeText(), Stream.mkString), child.stderr.pipe(Stream.decodeText(), Stream.mkString)],
    { concurrency: "unbounded" }
  )
  const exitCode = yield* child.exitCode
  if (Number(exitCode) !== 0) {
    return yield* new CommandFailed({ command: [command, ...args].join(" "), said: stderr })
  }
  return stdout
}, Effect.scoped)

/** A directory that is gone at the end of the test. */
export const temporary = Effect.gen(function* () {
  const fileSystem = yield* FileSystem.FileSystem
  return yield* fileSystem.makeTempDirectoryScoped({ prefix: "lectern-encoder-" })
})

/** Makes `name` in `directory` with ffmpeg and returns its path. */
export const made = Effect.fnUntraced(function* (directory: string, name: string, ...args: ReadonlyArray<string>) {
  const paths = yield* Path.Path
  const file = paths.join(directory, name)
  yield* output("ffmpeg", ["-hide_banner", "-v", "error", "-y", ...args, file])
  return file
})

export const picture = (source: string): ReadonlyArray<string> => ["-f", "lavfi", "-i", source]
export const tone = (seconds: number): ReadonlyArray<string> => picture(`sine=f=440:d=${seconds}`)
export const h264: ReadonlyArray<string> = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p"]

/** Five minutes that take minutes to encode and a moment to make: a clip, again and again. */
export const longInput = Effect.gen(function* () {
  const clip = yield* made(yield* temporary, "clip.mp4", ...picture("testsrc2=s=960x540:r=30:d=4"), ...h264)
  return yield* made(yield* temporary, "in.mp4", "-stream_loop", "74", "-i", clip, "-c", "copy")
})

export const token = Schema.decodeSync(EncodeToken)

/** Encodes and keeps every report. */
export const encode = Effect.fnUntraced(function* (input: string, outDir: string, named = "test-token") {
  const encoder = yield* Encoder
  const reports: Array<EncodeProgress> = []
  const result = yield* encoder.encodeFile({
    input,
    outDir,
    source: input,
    keep: keepNowhere(token(named)),
    onProgress: (progress) => Effect.sync(() => void reports.push(progress))
  })
  return { result, reports }
})

export const probed = (path: string) => Effect.flatMap(MediaProbe, (probe) => probe.probe(path, unheard))

/** Every file below `directory`, with "/" between names, sorted. */
export const filesBelow = Effect.fnUntraced(function* (directory: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const entries = yield* fileSystem.readDirectory(directory, { recursive: true })
  const files = yield* Effect.filter(entries, (entry) =>
    Effect.map(fileSystem.stat(paths.join(directory, entry)), ({ type }) => type === "File")
  )
  return files.toSorted()
})

const Answer = Schema.fromJsonString(
  Schema.Struct({
    streams: Schema.Array(
      Schema.Struct({
        codec_name: Schema.String,
        width: Schema.optionalKey(Schema.Int),
        height: Schema.optionalKey(Schema.Int),
        pix_fmt: Schema.optionalKey(Schema.String),
        sample_aspect_ratio: Schema.optionalKey(Schema.String),
        r_frame_rate: Schema.optionalKey(Schema.String),
        channels: Schema.optionalKey(Schema.Int),
        nb_read_frames: Schema.optionalKey(Schema.FiniteFromString)
      })
    )
  })
)

/** What ffprobe finds when it plays a media playlist to its end: it decodes every frame. */
export const played = Effect.fnUntraced(function* (playlist: string) {
  const answer = yield* output("ffprobe", ["-v", "error", "-count_frames", "-show_streams", "-of", "json", playlist])
  const { streams } = yield* Schema.decodeUnknownEffect(Answer)(answer)
  return streams
})

/** Kind of the first picture that can be decoded from a file, e.g. "I". */
export const firstPicture = Effect.fnUntraced(function* (file: string) {
  const said = yield* output("ffprobe", ["-v", "fatal", "-show_entries", "frame=pict_type", "-of", "csv=p=0", file])
  return said.slice(0, 1)
})

/** Mean brightness (0 to 255) of a square of `side` pixels of the first frame of a playlist. */
export const brightnessAt = Effect.fnUntraced(function* (playlist: string, x: number, y: number, side: number) {
  const said = yield* output("ffmpeg", [
    "-v",
    "error",
    "-i",
    playlist,
    "-vf",
    `crop=${side}:${side}:${x}:${y},scale=1:1:flags=area,format=gray,signalstats,` +
      "metadata=mode=print:key=lavfi.signalstats.YAVG:file=-",
    "-frames:v",
    "1",
    "-f",
    "null",
    "-"
  ])
  return Number.parseFloat(/YAVG=([0-9.]+)/.exec(said)?.[1] ?? "")
})

HLS.setOptions({ strictMode: true })

/** Parses a playlist with an independent parser that throws on what the standard forbids. */
export const strictlyParsed = Effect.fnUntraced(function* (path: string) {
  const fileSystem = yield* FileSystem.FileSystem
  const text = yield* fileSystem.readFileString(path)
  return HLS.parse(text)
})
