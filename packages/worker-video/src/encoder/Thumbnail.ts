import { Context, Duration, Effect, FileSystem, Layer } from "effect"
import type { EncodePlan, VideoPlan, VideoVariant } from "./EncodePlan.ts"
import type { EncoderUnavailable } from "./EncoderUnavailable.ts"
import { pictureFilters } from "./FfmpegCommandLine.ts"
import { inputGuards, type MediaInfo } from "./MediaInfo.ts"
import { MediaProgram, type ProgramLimits } from "./MediaProgram.ts"
import type { StepReport } from "./StepReport.ts"
import { ThumbnailMissing, TranscodeFailed } from "./TranscodeFailed.ts"

/** Where in the file a picture is looked for, in this order: first frames are often black, endings are credits. */
const moments = [0.1, 0.25, 0.5, 0.75, 0.02, 0]

/** Mean luma of a picture that is not black; 16 is black, 235 is white. */
const darkestLuma = 32

const largestLines = 720
const soundSeconds = 600

const jpegOptions = ["-frames:v", "1", "-c:v", "mjpeg", "-q:v", "3", "-f", "mjpeg"]

const isJpeg = (bytes: Uint8Array): boolean =>
  bytes.length > 4 && bytes[0] === 0xff && bytes[1] === 0xd8 && bytes.at(-2) === 0xff && bytes.at(-1) === 0xd9

const sizeFor = (video: VideoPlan): Pick<VideoVariant, "height" | "width"> => {
  const [largest] = video.variants
  const fitting = video.variants.find(({ height, width }) => Math.min(height, width) <= largestLines)
  return fitting ?? largest
}

/** Makes the picture that stands for a video in a list. A video without one is not ready. */
export class Thumbnail extends Context.Service<
  Thumbnail,
  {
    /**
     * Writes a JPEG to `target` (an absolute path), in the shape of the video and at most 720 lines: the first of a few
     * moments that is not black, else the brightest of them. For sound alone, its wave form. Fails if there is none.
     * `report` hears of each moment that was looked at.
     */
    readonly make: (
      media: MediaInfo,
      plan: EncodePlan,
      target: string,
      report: StepReport
    ) => Effect.Effect<void, TranscodeFailed | EncoderUnavailable>
  }
>()("@lectern/worker-video/encoder/Thumbnail") {
  /** `timeLimit` bounds one run of ffmpeg; there are at most seven. */
  static readonly layerWith = (
    timeLimit: Duration.Duration
  ): Layer.Layer<Thumbnail, never, FileSystem.FileSystem | MediaProgram> =>
    Layer.effect(
      Thumbnail,
      Effect.gen(function* () {
        const fileSystem = yield* FileSystem.FileSystem
        const program = yield* MediaProgram
        const limits: ProgramLimits = { step: "thumbnail", time: timeLimit }
        const missing = (detail: string) =>
          new TranscodeFailed({ reason: new ThumbnailMissing({ detail }), retryable: true })

        const guards = (media: MediaInfo) => [
          "-hide_banner",
          "-nostdin",
          "-v",
          "error",
          "-y",
          ...inputGuards(media.demuxers)
        ]

        /** Mean luma of the picture written to `target`, or why there is none. */
        const takePicture = Effect.fnUntraced(function* (
          media: MediaInfo,
          video: VideoPlan,
          at: number,
          target: string
        ) {
          const filters = [
            ...pictureFilters(video, sizeFor(video)),
            "signalstats",
            "metadata=mode=print:key=lavfi.signalstats.YAVG:file=-",
            "scale=in_range=tv:out_range=pc",
            "format=yuvj420p"
          ].join(",")
          const { lastLines, stdout } = yield* program.run(
            "ffmpeg",
            [
              ...guards(media),
              "-ss",
              at.toFixed(3),
              "-i",
              media.path,
              "-map",
              `0:${video.streamIndex}`,
              "-vf",
              filters,
              ...jpegOptions,
              target
            ],
            limits
          )
          const luma = Number.parseFloat(/YAVG=([0-9.]+)/.exec(stdout)?.[1] ?? "")
          return Number.isFinite(luma)
            ? { luma, said: "" }
            : { luma: null, said: lastLines.at(-1) ?? "no picture there" }
        })

        const fromPicture = Effect.fnUntraced(function* (
          media: MediaInfo,
          video: VideoPlan,
          seconds: number,
          target: string,
          report: StepReport
        ) {
          let brightest: { readonly at: number; readonly luma: number } | null = null
          let said = ""
          for (const [index, moment] of moments.entries()) {
            yield* report(index / moments.length)
            const at = moment * seconds
            const taken = yield* takePicture(media, video, at, target)
            if (taken.luma === null) {
              said = taken.said
              continue
            }
            if (taken.luma >= darkestLuma) return
            if (brightest === null || taken.luma > brightest.luma) brightest = { at, luma: taken.luma }
          }
          if (brightest === null) return yield* missing(said)
          yield* takePicture(media, video, brightest.at, target)
        })

        const fromSound = Effect.fnUntraced(function* (media: MediaInfo, streamIndex: number, target: string) {
          const graph =
            `color=c=0x1f2933:s=1280x720:r=1:d=1[ground];` +
            `[0:${streamIndex}]aformat=channel_layouts=mono,showwavespic=s=1280x360:colors=0x8ab4f8[wave];` +
            `[ground][wave]overlay=x=0:y=180:eof_action=repeat,format=yuvj420p[picture]`
          yield* program.run(
            "ffmpeg",
            [
              ...guards(media),
              "-t",
              String(soundSeconds),
              "-i",
              media.path,
              "-filter_complex",
              graph,
              "-map",
              "[picture]",
              ...jpegOptions,
              target
            ],
            limits
          )
        })

        const make = Effect.fn("Thumbnail.make")(function* (
          media: MediaInfo,
          plan: EncodePlan,
          target: string,
          report: StepReport
        ) {
          if (plan.video !== null) yield* fromPicture(media, plan.video, plan.videoSeconds, target, report)
          else if (plan.audio !== null) yield* fromSound(media, plan.audio.streamIndex, target)
          const bytes = yield* fileSystem
            .readFile(target)
            .pipe(Effect.mapError((error) => missing(`nothing was written: ${error.message}`)))
          if (!isJpeg(bytes)) return yield* missing(`what was written is no JPEG (${bytes.length} bytes)`)
          yield* report(1)
        })

        return Thumbnail.of({ make })
      })
    )

  static readonly layer = Thumbnail.layerWith(Duration.minutes(2))
}
