import { fileFault } from "@lectern/domain"
import { Context, Duration, Effect, FileSystem, Layer, Path } from "effect"
import type { PlatformError } from "effect/PlatformError"
import type { VideoPlan } from "./EncodePlan.ts"
import type { EncoderUnavailable } from "./EncoderUnavailable.ts"
import { playlistName } from "./FfmpegCommandLine.ts"
import { MediaProgram, type ProgramLimits } from "./MediaProgram.ts"
import { progressLines } from "./ProgressLines.ts"
import type { Rendition } from "./Rendition.ts"
import type { StepReport } from "./StepReport.ts"
import { StoryboardMissing, TranscodeFailed, WorkspaceFailed } from "./TranscodeFailed.ts"

/** Folder of the sheets and of their track, below the output. */
export const storyboardFolder = "storyboard"

/** Pictures of one video, however long it is: two hours have one every twelve seconds. */
const mostPictures = 600
const sheetSide = 10
const longSide = 160

/** How the pictures of a video are laid out. */
export interface StoryboardLayout {
  /** One picture is taken of so many key frames. */
  readonly everyKeyFrame: number
  /** Seconds from the start of the video at which each picture is shown. */
  readonly moments: ReadonlyArray<number>
  readonly columns: number
  readonly rows: number
  /** Of one picture, in pixels. */
  readonly width: number
  readonly height: number
  readonly sheets: number
}

const even = (value: number): number => Math.max(2, 2 * Math.round(value / 2))

/** Lays out what a variant has key frames for: at most 600 pictures of at most 160 pixels, 100 on a sheet. */
export const storyboardLayout = (
  keyFrameSeconds: ReadonlyArray<number>,
  size: { readonly width: number; readonly height: number }
): StoryboardLayout => {
  const everyKeyFrame = Math.max(1, Math.ceil(keyFrameSeconds.length / mostPictures))
  const moments = keyFrameSeconds.filter((_, index) => index % everyKeyFrame === 0)
  const columns = Math.max(1, Math.min(sheetSide, moments.length))
  const rows = Math.max(1, Math.min(sheetSide, Math.ceil(moments.length / columns)))
  const scale = Math.min(1, longSide / Math.max(size.width, size.height))
  return {
    everyKeyFrame,
    moments,
    columns,
    rows,
    width: even(size.width * scale),
    height: even(size.height * scale),
    sheets: Math.ceil(moments.length / (columns * rows))
  }
}

const clock = (seconds: number): string => {
  const millis = Math.round(seconds * 1000)
  const two = (value: number): string => String(Math.floor(value)).padStart(2, "0")
  const rest = String(millis % 1000).padStart(3, "0")
  return `${two(millis / 3_600_000)}:${two((millis / 60_000) % 60)}:${two((millis / 1000) % 60)}.${rest}`
}

const sheetName = (token: string, sheet: number): string => `${token}_${String(sheet).padStart(3, "0")}.jpg`

/** The WebVTT track that says which part of which sheet (beside it) is shown at what time. */
export const storyboardTrack = (layout: StoryboardLayout, token: string, durationSeconds: number): string => {
  const { columns, height, moments, rows, width } = layout
  return [
    "WEBVTT",
    ...moments.flatMap((from, index) => {
      const onSheet = index % (columns * rows)
      const x = (onSheet % columns) * width
      const y = Math.floor(onSheet / columns) * height
      return [
        "",
        `${clock(from)} --> ${clock(moments[index + 1] ?? durationSeconds)}`,
        `${sheetName(token, Math.floor(index / (columns * rows)))}#xywh=${x},${y},${width},${height}`
      ]
    }),
    ""
  ].join("\n")
}

/** Size that a JPEG's frame header states, `null` for what is no whole JPEG. */
export const jpegSize = (bytes: Uint8Array): { readonly width: number; readonly height: number } | null => {
  if (bytes[0] !== 0xff || bytes[1] !== 0xd8 || bytes.at(-2) !== 0xff || bytes.at(-1) !== 0xd9) return null
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let offset = 2
  while (offset + 9 <= bytes.length && bytes[offset] === 0xff) {
    if ([0xc0, 0xc1, 0xc2].includes(bytes[offset + 1] ?? 0)) {
      return { height: view.getUint16(offset + 5), width: view.getUint16(offset + 7) }
    }
    offset += 2 + view.getUint16(offset + 2)
  }
  return null
}

/** Makes the small pictures that are shown while somebody looks for a place in a video. */
export class Storyboard extends Context.Service<
  Storyboard,
  {
    /**
     * Writes the sheets and their track into `storyboard/` below `work`, from the key frames of the smallest variant
     * there, and returns the track's path below `work`. Fails if a sheet is missing or of another size. `report` hears
     * how many of the pictures are taken.
     */
    readonly make: (
      work: string,
      token: string,
      video: VideoPlan,
      renditions: ReadonlyArray<Rendition>,
      report: StepReport
    ) => Effect.Effect<string, TranscodeFailed | EncoderUnavailable>
  }
>()("@lectern/worker-video/encoder/Storyboard") {
  /** `timeLimit` bounds the one run of ffmpeg. */
  static readonly layerWith = (
    timeLimit: Duration.Duration
  ): Layer.Layer<Storyboard, never, FileSystem.FileSystem | Path.Path | MediaProgram> =>
    Layer.effect(
      Storyboard,
      Effect.gen(function* () {
        const fileSystem = yield* FileSystem.FileSystem
        const paths = yield* Path.Path
        const program = yield* MediaProgram

        const missing = (detail: string) =>
          new TranscodeFailed({ reason: new StoryboardMissing({ detail }), retryable: true })
        const unwritable = (path: string) => (error: PlatformError) =>
          new TranscodeFailed({
            reason: new WorkspaceFailed({ action: "write to", path, detail: fileFault(error) }),
            retryable: true
          })

        const make = Effect.fn("Storyboard.make")(function* (
          work: string,
          token: string,
          video: VideoPlan,
          renditions: ReadonlyArray<Rendition>,
          report: StepReport
        ) {
          const smallest = video.variants.at(-1) ?? video.variants[0]
          const rendition = renditions.find(({ name }) => name === smallest.name)
          if (rendition === undefined) return yield* missing(`there is no variant "${smallest.name}"`)
          const { init, seconds, segments } = rendition
          const layout = storyboardLayout(
            segments.flatMap(({ facts }) => facts.keyFrames.map(({ ticks }) => ticks / init.timescale)),
            smallest
          )
          const { columns, everyKeyFrame, height, moments, rows, sheets, width } = layout
          const folder = paths.join(work, storyboardFolder)
          yield* fileSystem.makeDirectory(folder).pipe(Effect.mapError(unwritable(folder)))
          const limits: ProgramLimits = { step: "storyboard", time: timeLimit, directory: work }
          const progress = progressLines()
          const heard = (lines: ReadonlyArray<string>) =>
            Effect.forEach(lines, (line) => {
              const said = progress.accept(line)
              return said === null || said === "log" ? Effect.void : report((said.frame ?? 0) / moments.length)
            }, { discard: true })
          const { lastLines } = yield* program.run(
            "ffmpeg",
            [
              "-hide_banner",
              "-nostdin",
              "-v",
              "error",
              "-protocol_whitelist",
              "file",
              "-format_whitelist",
              "hls,mov",
              "-allowed_extensions",
              "m3u8,mp4,m4s",
              "-skip_frame",
              "nokey",
              // Relative, as in the encode: a "%" in the directory's own name is no number of a sheet.
              "-i",
              `${smallest.name}/${playlistName}`,
              "-filter_complex",
              [
                `[0:v:0]select=not(mod(n\\,${everyKeyFrame}))`,
                `scale=${width}:${height}:flags=area:out_range=pc`,
                "format=yuvj420p",
                `split[pictures][tiles];[tiles]tile=${columns}x${rows}[sheets]`
              ].join(","),
              "-progress",
              "pipe:1",
              // The first output is the one whose frames are counted: single pictures come steadily, and sheets do not.
              "-map",
              "[pictures]",
              "-fps_mode",
              "passthrough",
              "-f",
              "null",
              "-",
              "-map",
              "[sheets]",
              "-fps_mode",
              "passthrough",
              "-c:v",
              "mjpeg",
              "-q:v",
              "5",
              "-start_number",
              "0",
              `${storyboardFolder}/${token}_%03d.jpg`
            ],
            limits,
            heard
          )
          for (let sheet = 0; sheet < sheets; sheet++) {
            const name = sheetName(token, sheet)
            const bytes = yield* fileSystem
              .readFile(paths.join(folder, name))
              .pipe(Effect.mapError(() => missing(`no "${name}" of ${sheets}: ${lastLines.at(-1) ?? "nothing was said"}`)))
            const size = jpegSize(bytes)
            if (size?.width !== columns * width || size.height !== rows * height) {
              const found = size === null ? "no JPEG" : `${size.width}x${size.height}`
              return yield* missing(`"${name}" is ${found} instead of ${columns * width}x${rows * height}`)
            }
          }
          const track = `${storyboardFolder}/${token}.vtt`
          yield* fileSystem
            .writeFileString(paths.join(work, track), storyboardTrack(layout, token, seconds))
            .pipe(Effect.mapError(unwritable(track)))
          return track
        })

        return Storyboard.of({ make })
      })
    )

  static readonly layer = Storyboard.layerWith(Duration.minutes(10))
}
