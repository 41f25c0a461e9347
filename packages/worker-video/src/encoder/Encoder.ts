import { fileFault, type RuleCheck } from "@lectern/domain"
import { Context, Duration, Effect, FileSystem, Layer, Path, type PlatformError, Schema } from "effect"
import type { ChildProcessSpawner } from "effect/process"
import { defaultPlanOptions, type EncodePlan, plan, type PlanOptions } from "./EncodePlan.ts"
import type { EncodedFile, EncodeResult } from "./EncodeResult.ts"
import type { EncoderUnavailable } from "./EncoderUnavailable.ts"
import { encodeKey } from "./EncodeKey.ts"
import { playlistName, renditionNames } from "./FfmpegCommandLine.ts"
import { fileHeaders } from "./FileHeaders.ts"
import { completenessRules, validateHls, type Validation } from "./HlsValidator.ts"
import { checkHlsRules } from "./HlsRules.ts"
import { hlsStream, playlistPaths } from "./HlsStream.ts"
import { iFramePlaylist, iFramePlaylistName, keyFramesOf } from "./IFramePlaylist.ts"
import { joinParts } from "./JoinedParts.ts"
import { masterPlaylist, renditionRate, streamTarget } from "./MasterPlaylist.ts"
import type { MediaInfo } from "./MediaInfo.ts"
import { mediaPlaylist } from "./MediaPlaylist.ts"
import { MediaProbe, tolerableShortfall } from "./MediaProbe.ts"
import { MediaProgram } from "./MediaProgram.ts"
import { MediaRejected } from "./MediaRejected.ts"
import { masterName, openOutputPlace, thumbnailName } from "./OutputPlace.ts"
import type { EncodeKey, PartKeeper } from "./PartKeeper.ts"
import { encodeParts, gatherParts, type PartsRequest } from "./PartsEncode.ts"
import { toNumber } from "./Rational.ts"
import { partOf, reported, type StepReport } from "./StepReport.ts"
import { Storyboard, storyboardFolder } from "./Storyboard.ts"
import { Thumbnail } from "./Thumbnail.ts"
import { OutputInvalid, TranscodeFailed, WorkspaceFailed } from "./TranscodeFailed.ts"
import { Transcoder } from "./Transcoder.ts"
import * as TranscoderFfmpeg from "./TranscoderFfmpeg.ts"

/** The steps of an encode, in their order, by the names of the wire contract. */
export const EncodeStep = Schema.Literals(["probing", "transcoding", "validating", "thumbnail"])
export type EncodeStep = typeof EncodeStep.Type

export interface EncodeProgress {
  readonly step: EncodeStep
  /** Of this step, 0 to 1, what was kept from earlier attempts included; never falls within a step. */
  readonly fraction: number
  /** Until the end of `transcoding`, from the speed so far; `null` where nothing has been measured. */
  readonly remainingSeconds: number | null
}

export interface EncodePartsRequest<E> {
  /** A regular local file. */
  readonly input: string
  /** What tells this source from any other with the same length: a digest, an ETag, a time of change. */
  readonly source: string
  /** Opens the place where finished parts are kept under this key: `keepNowhere` for none. */
  readonly keep: (key: EncodeKey) => Effect.Effect<PartKeeper<E>, E>
  /**
   * Called when the work has moved on, about twice a second in `transcoding` and at most a thousand times in another
   * step, never while an earlier call is running: a heartbeat hung on it stops when the work stops. Its failure ends
   * the encode at once and becomes its failure.
   */
  readonly onProgress: (progress: EncodeProgress) => Effect.Effect<void, E>
}

export interface EncodeRequest<E> extends EncodePartsRequest<E> {
  /** Absent, empty, or an earlier encode, which is replaced. */
  readonly outDir: string
}

export type EncodeError = MediaRejected | TranscodeFailed | EncoderUnavailable

export interface EncoderOptions {
  readonly plan: PlanOptions
  /** Longest time without a new frame before ffmpeg is killed. */
  readonly stall: Duration.Duration
  /** Longest time for `transcoding`. */
  readonly total: Duration.Duration
  /** Time that ffmpeg has between SIGTERM and SIGKILL. */
  readonly grace: Duration.Duration
}

export const defaultEncoderOptions: EncoderOptions = {
  plan: defaultPlanOptions,
  stall: Duration.minutes(5),
  total: Duration.hours(12),
  grace: Duration.seconds(5)
}

const publishingOrder = (path: string): number =>
  path === masterName ? 3 : path.endsWith(".m3u8") ? 2 : path === thumbnailName || path.endsWith(".vtt") ? 1 : 0

/** One local file in, one directory of HLS out. Knows no queue, no database and no object store. */
export class Encoder extends Context.Service<
  Encoder,
  {
    /**
     * Encodes `input` into `outDir`: `master.m3u8`, `v{lines}/` for each variant, `audio/`, `thumbnail.jpg`, and
     * `storyboard/` for video.
     *
     * All or nothing: `outDir` is put in place in one step after every check has passed. Until then, and after a
     * failure or an interruption, it is as it was, and no file and no process is left, but for the parts that were
     * finished: they are where they are kept, and the next attempt encodes what is missing.
     */
    readonly encodeFile: <E>(request: EncodeRequest<E>) => Effect.Effect<EncodeResult, EncodeError | E>
    /** Helps with an encode that somebody else will finish: encodes parts that are free until there are none. */
    readonly encodeFreeParts: <E>(request: EncodePartsRequest<E>) => Effect.Effect<void, EncodeError | E>
  }
>()("@lectern/worker-video/encoder/Encoder") {
  static readonly layerWith = (
    options: EncoderOptions
  ): Layer.Layer<
    Encoder,
    never,
    FileSystem.FileSystem | Path.Path | MediaProbe | MediaProgram | Storyboard | Thumbnail | Transcoder
  > =>
    Layer.effect(
      Encoder,
      Effect.gen(function* () {
        const fileSystem = yield* FileSystem.FileSystem
        const paths = yield* Path.Path
        const probe = yield* MediaProbe
        const program = yield* MediaProgram
        const storyboard = yield* Storyboard
        const thumbnail = yield* Thumbnail
        const transcoder = yield* Transcoder

        const workspaceFailed = (action: string, path: string) => (error: PlatformError.PlatformError) =>
          new TranscodeFailed({
            reason: new WorkspaceFailed({ action, path, detail: fileFault(error) }),
            retryable: true
          })

        const withFiles = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
          effect.pipe(Effect.provideService(FileSystem.FileSystem, fileSystem), Effect.provideService(Path.Path, paths))

        const validate = (work: string, encodePlan: EncodePlan, report: StepReport) =>
          withFiles(validateHls(work, encodePlan, report)).pipe(Effect.mapError(workspaceFailed("read", work)))

        /** What the tracks really hold, for a source whose output is shorter than its header promised. */
        const remeasured = Effect.fnUntraced(function* (media: MediaInfo, report: StepReport) {
          const measuredLength = Effect.fnUntraced(function* <T extends { index: number; durationSeconds: number }>(
            track: T,
            heard: StepReport
          ) {
            const { durationSeconds } = yield* probe.measure(media, track.index, heard)
            if (durationSeconds < track.durationSeconds - tolerableShortfall(track.durationSeconds)) {
              return yield* MediaRejected.because(
                "truncated",
                `stream ${track.index} holds ${durationSeconds} of ${track.durationSeconds} seconds`
              )
            }
            return { ...track, durationSeconds }
          })
          const video = media.video === null ? null : yield* measuredLength(media.video, partOf(report, 0, 0.5))
          const audio = media.audio === null ? null : yield* measuredLength(media.audio, partOf(report, 0.5, 1))
          const durationSeconds = Math.max(
            video === null ? 0 : video.startSeconds + video.durationSeconds,
            audio === null ? 0 : audio.startSeconds + audio.durationSeconds
          )
          return { ...media, video, audio, durationSeconds }
        })

        const checked = Effect.fnUntraced(function* (
          work: string,
          media: MediaInfo,
          encodePlan: EncodePlan,
          report: StepReport
        ) {
          const first = yield* validate(work, encodePlan, partOf(report, 0, 0.8))
          const incomplete = first.faults.length > 0 && first.faults.every(({ rule }) => completenessRules.has(rule))
          const measured = incomplete ? yield* remeasured(media, partOf(report, 0.8, 0.9)) : media
          const last = incomplete ? yield* validate(work, plan(measured, options.plan), partOf(report, 0.9, 1)) : first
          if (last.faults.length > 0) {
            return yield* new TranscodeFailed({ reason: new OutputInvalid({ faults: last.faults }), retryable: true })
          }
          return last
        })

        const writePlaylists = Effect.fnUntraced(
          function* (work: string, encodePlan: EncodePlan, { renditions }: Validation) {
            const target = streamTarget(renditions)
            for (const rendition of renditions) {
              const { init, name, playlist, segments } = rendition
              const listed = segments.map(({ facts, uri }) => ({ uri, seconds: facts.ticks / init.timescale }))
              yield* fileSystem.writeFileString(
                paths.join(work, name, playlistName),
                mediaPlaylist(target, playlist.initUri, listed)
              )
              if (init.size !== null) {
                yield* fileSystem.writeFileString(
                  paths.join(work, name, iFramePlaylistName),
                  iFramePlaylist(playlist.initUri, keyFramesOf(rendition))
                )
              }
            }
            yield* fileSystem.writeFileString(paths.join(work, masterName), masterPlaylist(encodePlan, renditions))
          },
          (effect, work) => Effect.mapError(effect, workspaceFailed("write", work))
        )

        /** Reads again what was written, as a player would, and checks it against the rules. */
        const ruled = Effect.fnUntraced(function* (work: string, encodePlan: EncodePlan, { renditions }: Validation) {
          const read = (path: string) =>
            fileSystem.readFileString(paths.join(work, path)).pipe(Effect.mapError(workspaceFailed("read", path)))
          const master = yield* read(masterName)
          const named = yield* Effect.forEach(playlistPaths(master), (path) =>
            Effect.map(read(path), (text) => [path, text] as const)
          )
          const rules = checkHlsRules(hlsStream(encodePlan, renditions, master, new Map(named)))
          if (rules.broken.length > 0) {
            return yield* new TranscodeFailed({ reason: new OutputInvalid({ faults: rules.broken }), retryable: false })
          }
          return rules.checks
        })

        const filesOf = Effect.fnUntraced(
          function* (work: string, encodePlan: EncodePlan) {
            const made = [...renditionNames(encodePlan), ...(encodePlan.video === null ? [] : [storyboardFolder])]
            const folders = yield* Effect.forEach(made, (name) =>
              Effect.map(fileSystem.readDirectory(paths.join(work, name)), (entries) =>
                entries.map((entry) => `${name}/${entry}`)
              )
            )
            const names = [...folders.flat(), thumbnailName, masterName]
            const files = yield* Effect.forEach(names, (path) =>
              Effect.map(fileSystem.stat(paths.join(work, path)), ({ size }): EncodedFile => ({
                path,
                bytes: Number(size),
                ...fileHeaders(path, encodePlan.audio?.name ?? null)
              }))
            )
            return files.toSorted(
              (a, b) => publishingOrder(a.path) - publishingOrder(b.path) || (a.path < b.path ? -1 : 1)
            )
          },
          (effect, work) => Effect.mapError(effect, workspaceFailed("list", work))
        )

        const resultOf = (
          encodePlan: EncodePlan,
          { renditions }: Validation,
          rules: ReadonlyArray<RuleCheck>,
          storyboardTrack: string | null,
          files: ReadonlyArray<EncodedFile>,
          warnings: ReadonlyArray<string>
        ): EncodeResult => {
          const { video } = encodePlan
          const target = streamTarget(renditions)
          const variants =
            video === null
              ? []
              : video.variants.flatMap((variant) =>
                  renditions
                    .filter(({ name }) => name === variant.name)
                    .map((rendition) => {
                      const { average, peak } = renditionRate(target, rendition)
                      return {
                        name: variant.name,
                        width: variant.width,
                        height: variant.height,
                        framesPerSecond: toNumber(video.frameRate),
                        codec: rendition.init.codec,
                        peakBitRate: peak,
                        averageBitRate: average
                      }
                    })
                )
          return {
            variants,
            durationSeconds: Math.max(...renditions.map(({ seconds }) => seconds)),
            hasVideo: video !== null,
            hasAudio: encodePlan.audio !== null,
            frames: video === null ? 0 : (renditions[0]?.samples ?? 0),
            master: masterName,
            thumbnail: thumbnailName,
            ...(storyboardTrack === null ? {} : { storyboard: storyboardTrack }),
            files,
            warnings,
            rules,
            nonStandardInputReasons: encodePlan.nonStandardInputReasons
          }
        }

        /** A step whose work says how much of it is done. */
        const step = <E, A, E2>(
          { onProgress }: EncodePartsRequest<E>,
          name: EncodeStep,
          work: (report: StepReport) => Effect.Effect<A, E2>
        ): Effect.Effect<A, E | E2> =>
          reported((fraction) => onProgress({ step: name, fraction, remainingSeconds: null }), work)

        /** Looks at the source and opens the place where its parts are kept. */
        const begin = <E>(request: EncodePartsRequest<E>) =>
          step(request, "probing", Effect.fnUntraced(function* (report) {
            const media = yield* probe.probe(request.input, report)
            const encodePlan = plan(media, options.plan)
            const key = yield* encodeKey(program, media, encodePlan, request.source)
            const keeper = yield* request.keep(key)
            return { media, plan: encodePlan, keeper }
          }))

        const partsRequest = <E>(
          { onProgress }: EncodePartsRequest<E>,
          begun: Pick<PartsRequest<E>, "keeper" | "media" | "plan">,
          places: Pick<PartsRequest<E>, "output" | "scratch">
        ): PartsRequest<E> => ({
          ...begun,
          ...places,
          limits: { stall: options.stall, total: options.total, grace: options.grace },
          onProgress: (fraction, remainingSeconds) => onProgress({ step: "transcoding", fraction, remainingSeconds })
        })

        const encodeFile = Effect.fn("Encoder.encodeFile")(function* <E>(request: EncodeRequest<E>) {
          const begun = yield* begin(request)
          const { keeper, media, plan: encodePlan } = begun
          const place = yield* withFiles(openOutputPlace(request.outDir, keeper.token))
          const parts = partsRequest(request, begun, { output: place.work, scratch: place.scratch })

          yield* parts.onProgress(0, null)
          const here = yield* withFiles(encodeParts(transcoder, parts, "All"))
          yield* parts.onProgress(1, null)

          const { rules, validation } = yield* step(request, "validating", Effect.fnUntraced(function* (report) {
            const gathered = yield* withFiles(gatherParts(parts, here, partOf(report, 0, 0.25)))
            yield* withFiles(joinParts(place.work, encodePlan, gathered, partOf(report, 0.25, 0.3))).pipe(
              Effect.catchTag("PlatformError", (error) =>
                Effect.fail(workspaceFailed("join the parts in", place.work)(error))
              )
            )
            const validation = yield* checked(place.work, media, encodePlan, partOf(report, 0.3, 1))
            yield* writePlaylists(place.work, encodePlan, validation)
            return { validation, rules: yield* ruled(place.work, encodePlan, validation) }
          }))

          const { files, track } = yield* step(request, "thumbnail", Effect.fnUntraced(function* (report) {
            yield* thumbnail.make(media, encodePlan, paths.join(place.work, thumbnailName), partOf(report, 0, 0.25))
            const track =
              encodePlan.video === null
                ? null
                : yield* storyboard.make(
                    place.work,
                    keeper.token,
                    encodePlan.video,
                    validation.renditions,
                    partOf(report, 0.25, 1)
                  )
            return { track, files: yield* filesOf(place.work, encodePlan) }
          }))
          yield* place.publish
          return resultOf(encodePlan, validation, rules, track, files, here.warnings)
        }, Effect.scoped)

        const encodeFreeParts = Effect.fn("Encoder.encodeFreeParts")(function* <E>(request: EncodePartsRequest<E>) {
          const begun = yield* begin(request)
          const room = yield* fileSystem
            .makeTempDirectoryScoped({ directory: paths.dirname(begun.media.path), prefix: "parts-" })
            .pipe(Effect.mapError(workspaceFailed("create a directory beside", request.input)))
          const places = { output: paths.join(room, "output"), scratch: paths.join(room, "scratch") }
          yield* withFiles(encodeParts(transcoder, partsRequest(request, begun, places), "NoneFree"))
        }, Effect.scoped)

        return Encoder.of({ encodeFile, encodeFreeParts })
      })
    )

  /** The encoder with real ffmpeg and ffprobe from PATH; needs the platform alone (`NodeServices.layer`). */
  static readonly layerFfmpegWith = (
    options: EncoderOptions
  ): Layer.Layer<
    Encoder | MediaProbe,
    never,
    FileSystem.FileSystem | Path.Path | ChildProcessSpawner.ChildProcessSpawner
  > =>
    Encoder.layerWith(options).pipe(
      Layer.provideMerge(MediaProbe.layer),
      Layer.provide([Storyboard.layer, Thumbnail.layer, TranscoderFfmpeg.layer]),
      Layer.provide(MediaProgram.layer)
    )

  static readonly layerFfmpeg = Encoder.layerFfmpegWith(defaultEncoderOptions)
}
