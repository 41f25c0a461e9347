import { fileFault } from "@lectern/domain"
import { Context, Duration, Effect, FileSystem, Layer, Option, Path, Schema } from "effect"
import { containerSignature, signatureBytes } from "./ContainerSignature.ts"
import type { EncoderUnavailable } from "./EncoderUnavailable.ts"
import { externalReferences, fileLayout, readRange } from "./IsoBoxes.ts"
import { type AudioTrack, inputGuards, type MediaInfo, mostPixels, type Rotation, type VideoTrack } from "./MediaInfo.ts"
import { MediaProgram, type ProgramLimits } from "./MediaProgram.ts"
import { MediaRejected } from "./MediaRejected.ts"
import { parseRational, type Rational, rational, toNumber } from "./Rational.ts"
import { partOf, type StepReport } from "./StepReport.ts"
import { TranscodeFailed, WorkspaceFailed } from "./TranscodeFailed.ts"

/** What may come in. A file outside these is rejected before anything of it is decoded. */
export interface MediaLimits {
  readonly streams: number
  readonly shortestSide: number
  readonly longestSide: number
  readonly pixels: number
  readonly framesPerSecond: number
  readonly seconds: number
  /** Of an ISO media file's index, which is read into memory. */
  readonly indexBytes: number
}

export const defaultMediaLimits: MediaLimits = {
  streams: 32,
  shortestSide: 16,
  longestSide: 8192,
  pixels: mostPixels,
  framesPerSecond: 480,
  seconds: 12 * 3600,
  indexBytes: 256 * 1024 ** 2
}

/** How long one run of ffprobe may take. */
export interface ProbeTimes {
  /** For what a file says of itself: a file that takes longer is rejected. */
  readonly look: Duration.Duration
  /** For a count of a track's packets, which reads the whole file. */
  readonly count: Duration.Duration
}

export const defaultProbeTimes: ProbeTimes = { look: Duration.seconds(20), count: Duration.minutes(10) }

const ProbedStream = Schema.Struct({
  index: Schema.Int,
  codec_type: Schema.optionalKey(Schema.String),
  codec_name: Schema.optionalKey(Schema.String),
  width: Schema.optionalKey(Schema.Int),
  height: Schema.optionalKey(Schema.Int),
  pix_fmt: Schema.optionalKey(Schema.String),
  sample_aspect_ratio: Schema.optionalKey(Schema.String),
  color_transfer: Schema.optionalKey(Schema.String),
  field_order: Schema.optionalKey(Schema.String),
  r_frame_rate: Schema.optionalKey(Schema.String),
  avg_frame_rate: Schema.optionalKey(Schema.String),
  start_time: Schema.optionalKey(Schema.FiniteFromString),
  duration: Schema.optionalKey(Schema.FiniteFromString),
  nb_frames: Schema.optionalKey(Schema.FiniteFromString),
  channels: Schema.optionalKey(Schema.Int),
  sample_rate: Schema.optionalKey(Schema.FiniteFromString),
  disposition: Schema.optionalKey(Schema.Record(Schema.String, Schema.Int)),
  tags: Schema.optionalKey(Schema.Record(Schema.String, Schema.String)),
  side_data_list: Schema.optionalKey(
    Schema.Array(
      Schema.Struct({
        side_data_type: Schema.optionalKey(Schema.String),
        rotation: Schema.optionalKey(Schema.Finite)
      })
    )
  )
})
type ProbedStream = typeof ProbedStream.Type

const Probed = Schema.Struct({
  streams: Schema.optionalKey(Schema.Array(ProbedStream)),
  format: Schema.optionalKey(
    Schema.Struct({
      start_time: Schema.optionalKey(Schema.FiniteFromString),
      duration: Schema.optionalKey(Schema.FiniteFromString)
    })
  )
})

const decodeProbed = Schema.decodeUnknownEffect(Schema.fromJsonString(Probed))

/** How much of a track is really in the file: its packets, and the seconds from the first to the end of the last. */
export interface MeasuredTrack {
  readonly packets: number
  readonly durationSeconds: number
}

const has = (stream: ProbedStream, disposition: string): boolean => stream.disposition?.[disposition] === 1

const decodable = (stream: ProbedStream): boolean =>
  stream.codec_name !== undefined && stream.codec_name !== "none" && stream.codec_name !== "unknown"

const rotationOf = (stream: ProbedStream): Rotation => {
  const counterClockwise = stream.side_data_list?.find(({ rotation }) => rotation !== undefined)?.rotation ?? 0
  const clockwise = ((Math.round(-counterClockwise) % 360) + 360) % 360
  return clockwise === 90 || clockwise === 180 || clockwise === 270 ? clockwise : 0
}

const bitDepthOf = (pixelFormat: string): number =>
  Number(
    /(?:p|gray|gbrp|x2rgb|x2bgr)(9|10|12|14|16)(?:le|be)?$/.exec(pixelFormat)?.[1] ??
      (/^p01[06]/.test(pixelFormat) ? 10 : 8)
  )

/** A file whose tracks can be measured. */
type MeasuredFile = Pick<MediaInfo, "path" | "demuxers" | "bytes">

/** A track's length, and how many packets it has if they were counted. */
interface Extent {
  readonly seconds: number
  readonly packets: number | null
}

/** The average rate where the header has none, in thousandths, from at least two frames. */
const countedRate = ({ packets, seconds }: Extent): Rational | null => {
  const thousandths = packets === null || packets < 2 || seconds <= 0 ? 0 : Math.round((packets / seconds) * 1000)
  return thousandths > 0 ? rational(thousandths, 1000) : null
}

/** Seconds of a tag such as "00:01:02.500000000", which Matroska keeps for each track. */
const clockSeconds = (text: string | undefined): number | undefined => {
  const [, hours, minutes, seconds] = /^(\d+):(\d{2}):(\d{2}(?:\.\d+)?)$/.exec(text ?? "") ?? []
  return seconds === undefined ? undefined : Number(hours) * 3600 + Number(minutes) * 60 + Number(seconds)
}

/** Seconds of a track that its header may promise beyond what is there before the file is called incomplete. */
export const tolerableShortfall = (seconds: number): number => 0.5 + seconds * 0.02

const square: Rational = { num: 1, den: 1 }

/** Asks a local file what it is, without trusting its name, its claims or its content. */
export class MediaProbe extends Context.Service<
  MediaProbe,
  {
    /**
     * Describes the file at `path`, or rejects it for good.
     *
     * Only a regular file is looked at: no link, no device. Nothing but that file is opened, and no network is used.
     * Where a header does not say how long a track is, that takes the reading of the whole file; `report` hears of it.
     */
    readonly probe: (
      path: string,
      report: StepReport
    ) => Effect.Effect<MediaInfo, MediaRejected | TranscodeFailed | EncoderUnavailable>
    /**
     * Reads every packet of a track (not decoding it): slower than `probe`, but the truth where the header may lie.
     * `report` hears how much of the file is read.
     */
    readonly measure: (
      media: MeasuredFile,
      streamIndex: number,
      report: StepReport
    ) => Effect.Effect<MeasuredTrack, TranscodeFailed | EncoderUnavailable>
  }
>()("@lectern/worker-video/encoder/MediaProbe") {
  /** A probe with limits of its own. */
  static readonly layerWith = (
    limits: MediaLimits,
    times: ProbeTimes
  ): Layer.Layer<MediaProbe, never, FileSystem.FileSystem | Path.Path | MediaProgram> =>
    Layer.effect(
      MediaProbe,
      Effect.gen(function* () {
        const fileSystem = yield* FileSystem.FileSystem
        const paths = yield* Path.Path
        const program = yield* MediaProgram
        const lookLimits: ProgramLimits = { step: "probing", time: times.look }
        const countLimits: ProgramLimits = { step: "probing", time: times.count }

        const measure = Effect.fn("MediaProbe.measure")(function* (
          media: MeasuredFile,
          streamIndex: number,
          report: StepReport
        ) {
          const { end, first, packets } = yield* program.foldLines(
            "ffprobe",
            [
              "-v",
              "error",
              ...inputGuards(media.demuxers),
              "-select_streams",
              String(streamIndex),
              "-show_entries",
              "packet=pts_time,duration_time,pos,flags",
              "-of",
              "csv=p=0",
              media.path
            ],
            countLimits,
            { packets: 0, first: Number.POSITIVE_INFINITY, end: Number.NEGATIVE_INFINITY, position: 0 },
            (state, line) => {
              const [presented, lasting, place, flags = ""] = line.split(",")
              const start = Number.parseFloat(presented ?? "")
              const duration = Number.parseFloat(lasting ?? "")
              const found = Number.parseInt(place ?? "", 10)
              const position = Number.isFinite(found) ? Math.max(state.position, found) : state.position
              // "D" marks what an edit list hides: it is in the file, and nobody is to see it.
              return Number.isFinite(start) && !flags.includes("D")
                ? {
                    packets: state.packets + 1,
                    first: Math.min(state.first, start),
                    end: Math.max(state.end, start + (Number.isFinite(duration) ? duration : 0)),
                    position
                  }
                : { ...state, position }
            },
            ({ position }) => report(position / media.bytes)
          )
          return { packets, durationSeconds: packets === 0 ? 0 : end - first }
        })

        const describeVideo = Effect.fnUntraced(function* (stream: ProbedStream, origin: number, extent: Extent) {
          const codedWidth = stream.width ?? 0
          const codedHeight = stream.height ?? 0
          if (
            Math.min(codedWidth, codedHeight) < limits.shortestSide ||
            Math.max(codedWidth, codedHeight) > limits.longestSide ||
            codedWidth * codedHeight > limits.pixels
          ) {
            return yield* MediaRejected.because("dimensions", `${codedWidth}x${codedHeight} pixels`)
          }
          const declaredAspect = parseRational(stream.sample_aspect_ratio ?? "") ?? square
          const aspect = toNumber(declaredAspect)
          const sampleAspect = aspect < 0.1 || aspect > 10 ? square : declaredAspect
          const seenWidth = Math.round(codedWidth * toNumber(sampleAspect))
          if (seenWidth > limits.longestSide || seenWidth < limits.shortestSide) {
            return yield* MediaRejected.because("dimensions", `${seenWidth}x${codedHeight} square pixels`)
          }
          const rotation = rotationOf(stream)
          const turned = rotation === 90 || rotation === 270
          const averageRate = parseRational(stream.avg_frame_rate ?? "") ?? countedRate(extent)
          if (averageRate !== null && toNumber(averageRate) > limits.framesPerSecond) {
            return yield* MediaRejected.because("frame_rate", `${toNumber(averageRate)} frames per second`)
          }
          const pixelFormat = stream.pix_fmt ?? "unknown"
          const frames = stream.nb_frames ?? 0
          const track: VideoTrack = {
            index: stream.index,
            codec: stream.codec_name ?? "unknown",
            codedWidth,
            codedHeight,
            sampleAspect,
            rotation,
            displayWidth: turned ? codedHeight : seenWidth,
            displayHeight: turned ? seenWidth : codedHeight,
            pixelFormat,
            bitDepth: bitDepthOf(pixelFormat),
            highDynamicRange: stream.color_transfer === "smpte2084" || stream.color_transfer === "arib-std-b67",
            interlaced: ["tt", "bb", "tb", "bt"].includes(stream.field_order ?? "progressive"),
            averageRate,
            nominalRate: parseRational(stream.r_frame_rate ?? ""),
            startSeconds: Math.max(0, (stream.start_time ?? origin) - origin),
            durationSeconds: extent.seconds,
            frames: frames > 0 ? frames : null
          }
          return track
        })

        const describeAudio = (stream: ProbedStream, origin: number, duration: number): AudioTrack => {
          const language = stream.tags?.["language"]
          return {
            index: stream.index,
            codec: stream.codec_name ?? "unknown",
            channels: stream.channels ?? 0,
            sampleRate: stream.sample_rate ?? 0,
            startSeconds: Math.max(0, (stream.start_time ?? origin) - origin),
            durationSeconds: duration,
            language: language !== undefined && language !== "und" && /^[a-z]{2,3}$/.test(language) ? language : null
          }
        }

        const withFiles = Effect.provideService(FileSystem.FileSystem, fileSystem)

        const readStart = (path: string, size: number) =>
          Effect.gen(function* () {
            const file = yield* fileSystem.open(path, { flag: "r" })
            const bytes = yield* file.readAlloc(Math.min(size, signatureBytes))
            return Option.getOrElse(bytes, () => new Uint8Array())
          }).pipe(Effect.scoped)

        const probe = Effect.fn("MediaProbe.probe")(
          function* (path: string, report: StepReport) {
            const absolute = paths.resolve(path)
            const entry = yield* fileSystem.lstat(absolute)
            if (entry.type !== "File") {
              return yield* MediaRejected.because("not_a_file", `it is of type ${entry.type}`)
            }
            const bytes = Number(entry.size)
            if (bytes === 0) return yield* MediaRejected.because("empty", "0 bytes")
            const signature = containerSignature(yield* readStart(absolute, bytes))
            if (signature._tag === "Refused") return yield* MediaRejected.because(signature.code, signature.detail)
            const { demuxers } = signature
            if (signature.family === "isobmff") {
              const layout = yield* withFiles(fileLayout(absolute, bytes))
              if (layout._tag === "Cut") {
                return yield* MediaRejected.because("truncated", `a box reaches beyond the end of ${bytes} bytes`)
              }
              if (layout._tag === "NoIndex") return yield* MediaRejected.because("unreadable", "no index (moov box)")
              const indexBytes = layout.index.end - layout.index.start
              if (indexBytes > limits.indexBytes) {
                return yield* MediaRejected.because("unreadable", `an index of ${indexBytes} bytes`)
              }
              const [elsewhere] = externalReferences(yield* withFiles(readRange(absolute, layout.index)))
              if (elsewhere !== undefined) {
                return yield* MediaRejected.because("external_reference", `a data reference of kind "${elsewhere}"`)
              }
            }

            const { exitCode, lastLines, stdout } = yield* program.run(
              "ffprobe",
              ["-v", "error", ...inputGuards(demuxers), "-show_streams", "-show_format", "-of", "json", absolute],
              lookLimits
            ).pipe(
              // The head of an honest file is read in a moment: one that takes longer is made to.
              Effect.catchIf(
                (error) => error._tag === "TranscodeFailed" && error.reason._tag === "TimeLimitReached",
                (error) => Effect.fail(MediaRejected.because("unreadable", error.message))
              )
            )
            const lastLine = lastLines.at(-1) ?? "no message"
            if (exitCode !== 0) return yield* MediaRejected.because("unreadable", lastLine)
            const probed = yield* decodeProbed(stdout).pipe(
              Effect.mapError((error) => MediaRejected.because("unreadable", `ffprobe's answer: ${error.message}`))
            )
            const streams = probed.streams ?? []
            if (streams.length > limits.streams) {
              return yield* MediaRejected.because("too_many_streams", `${streams.length} streams`)
            }

            const origin = probed.format?.start_time ?? 0
            /** A track's length: as its header says, or counted and held against what the rest of the file promises. */
            const extentOf = Effect.fnUntraced(function* (stream: ProbedStream, heard: StepReport) {
              if (stream.duration !== undefined && stream.duration > 0)
                return { seconds: stream.duration, packets: null }
              const { durationSeconds, packets } = yield* measure(
                { path: absolute, demuxers, bytes },
                stream.index,
                heard
              ).pipe(
                Effect.catchTag("TranscodeFailed", (failed): Effect.Effect<never, MediaRejected | TranscodeFailed> =>
                  failed.reason._tag === "ProgramFailed"
                    ? Effect.fail(MediaRejected.because("unreadable", failed.reason.message))
                    : Effect.fail(failed)
                )
              )
              const promised =
                clockSeconds(stream.tags?.["DURATION"]) ?? (streams.length === 1 ? probed.format?.duration : undefined)
              if (promised !== undefined && durationSeconds < promised - tolerableShortfall(promised)) {
                return yield* MediaRejected.because(
                  "truncated",
                  `stream ${stream.index} holds ${durationSeconds} of ${promised} seconds`
                )
              }
              return { seconds: durationSeconds, packets }
            })

            const pictures = streams.filter(
              (stream) =>
                stream.codec_type === "video" &&
                decodable(stream) &&
                !has(stream, "attached_pic") &&
                !has(stream, "timed_thumbnails")
            )
            const sounds = streams.filter(
              (stream) => stream.codec_type === "audio" && decodable(stream) && (stream.channels ?? 0) > 0
            )
            const picture = pictures.find((stream) => has(stream, "default")) ?? pictures[0]
            const sound = sounds.find((stream) => has(stream, "default")) ?? sounds[0]
            const video =
              picture === undefined
                ? null
                : yield* describeVideo(picture, origin, yield* extentOf(picture, partOf(report, 0, 0.5)))
            const audioLength = sound === undefined ? 0 : (yield* extentOf(sound, partOf(report, 0.5, 1))).seconds
            const audio = sound === undefined || audioLength <= 0 ? null : describeAudio(sound, origin, audioLength)
            if (video === null && audio === null) {
              return yield* MediaRejected.because("no_streams", `${streams.length} streams, none of them usable`)
            }
            const durationSeconds = Math.max(
              video === null ? 0 : video.startSeconds + video.durationSeconds,
              audio === null ? 0 : audio.startSeconds + audio.durationSeconds
            )
            if (durationSeconds > limits.seconds || (video !== null && video.durationSeconds <= 0)) {
              return yield* MediaRejected.because("duration", `${durationSeconds} seconds`)
            }
            const info: MediaInfo = { path: absolute, bytes, demuxers, durationSeconds, video, audio }
            return info
          },
          (effect, path) =>
            Effect.catchTag(effect, "PlatformError", (error) =>
              Effect.fail(
                new TranscodeFailed({
                  reason: new WorkspaceFailed({ action: "read", path, detail: fileFault(error) }),
                  retryable: false
                })
              )
            )
        )

        return MediaProbe.of({ probe, measure })
      })
    )

  static readonly layer = MediaProbe.layerWith(defaultMediaLimits, defaultProbeTimes)
}
