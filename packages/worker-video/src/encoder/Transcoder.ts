import { Context, type Duration, type Effect } from "effect"
import type { EncodePlan } from "./EncodePlan.ts"
import type { EncoderUnavailable } from "./EncoderUnavailable.ts"
import type { MediaRejected } from "./MediaRejected.ts"
import type { TranscodeFailed } from "./TranscodeFailed.ts"

/**
 * Frames `fromFrame` (included, the first of a segment) to `toFrame` (excluded; `null`: the end), at the plan's rate.
 */
export interface PicturesPart {
  readonly _tag: "Pictures"
  readonly fromFrame: number
  readonly toFrame: number | null
}

/** What one run makes: the sound as a whole, or all variants of some of the pictures. */
export type TranscodePart = PicturesPart | { readonly _tag: "Sound" }

/** One run over one file. */
export interface TranscodeJob {
  /** Absolute path of a local file that `MediaProbe` has accepted. */
  readonly input: string
  /** The only containers that the file may be opened as. */
  readonly demuxers: string
  /** Absolute path of an existing, empty directory. */
  readonly outDir: string
  readonly plan: EncodePlan
  readonly part: TranscodePart
  readonly limits: TranscodeLimits
}

export interface TranscodeLimits {
  /** Longest time without a new frame or a later moment. */
  readonly stall: Duration.Duration
  /** Longest time for the whole run. */
  readonly total: Duration.Duration
  /** Time between SIGTERM and SIGKILL. */
  readonly grace: Duration.Duration
}

/** What has come out of the run so far. A value that is not known yet is `null`. */
export interface TranscodeProgress {
  /** Latest moment of the output, in microseconds from its start; may run a little over the source's length. */
  readonly outTimeMicros: number | null
  /** Frames of the largest variant, from the first of the part. */
  readonly frame: number | null
  /** Seconds of media for each second of time, as ffmpeg reckons it. */
  readonly speed: number | null
}

/** What the run had to say although it ended well. */
export interface TranscodeReport {
  /** Distinct warnings and errors, the first twenty. */
  readonly warnings: ReadonlyArray<string>
}

/**
 * Makes renditions of a plan (init files and segments) from one local file, each in its folder below `outDir`. A
 * segment has its name once it is complete, but for the first one, whose end stands in the init file: see
 * `completeFirstSegment`.
 *
 * An end without failure says that the program was content, not that the output is complete: `HlsValidator` says that.
 */
export class Transcoder extends Context.Service<
  Transcoder,
  {
    /**
     * Runs to the end, reporting progress about twice a second to `onProgress`, one report at a time; reports that come
     * while one is being handled are dropped but for the latest. A failure of `onProgress` ends the run as its own.
     *
     * The program is gone when this effect has ended, in whatever way: on interruption or failure it gets SIGTERM, and
     * SIGKILL after the grace. Half-made files stay in `outDir` for its owner to remove.
     */
    readonly transcode: <E>(
      job: TranscodeJob,
      onProgress: (progress: TranscodeProgress) => Effect.Effect<void, E>
    ) => Effect.Effect<TranscodeReport, MediaRejected | TranscodeFailed | EncoderUnavailable | E>
  }
>()("@lectern/worker-video/encoder/Transcoder") {}
