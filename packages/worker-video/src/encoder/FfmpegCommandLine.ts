import type { AudioPlan, EncodePlan, VideoPlan, VideoVariant } from "./EncodePlan.ts"
import { inputGuards } from "./MediaInfo.ts"
import type { TranscodeJob } from "./Transcoder.ts"

/** One output file, relative to the output directory, with the options that stand before it. */
export interface CommandOutput {
  readonly options: readonly [string, string, ...ReadonlyArray<string>]
  readonly target: string
}

/**
 * A whole ffmpeg command in parts, each word a string of its own: nothing is ever split or quoted.
 *
 * It is to run inside the output directory: paths of the outputs are relative, so that a "%" in the directory's own
 * name is not taken for a segment number.
 */
export interface FfmpegCommandLine {
  readonly inputOptions: readonly [string, string, ...ReadonlyArray<string>]
  readonly input: string
  readonly filterGraph: string | null
  readonly outputs: ReadonlyArray<CommandOutput>
}

/** Name of the media playlist in the folder of each rendition. */
export const playlistName = "index.m3u8"

/** Names of a rendition's init file and of its first segment, in its folder. */
export const initName = (token: string): string => `${token}_init.mp4`
export const firstSegmentName = (token: string): string => `${token}_00000.m4s`

/** Ratio of frames that may fail to decode before ffmpeg gives up with an exit code. */
const tolerableDecodeErrors = 0.25

// PQ and HLG to the range of an ordinary screen; needs linear light in floating point, so it comes after scaling down.
const toneMapFilters = [
  "zscale=t=linear:npl=100",
  "format=gbrpf32le",
  "zscale=p=bt709",
  "tonemap=tonemap=hable:desat=0",
  "zscale=t=bt709:m=bt709:r=tv"
]

const scale = ({ height, width }: Pick<VideoVariant, "height" | "width">): string =>
  `scale=${width}:${height}:flags=bicubic:out_range=tv`

/**
 * Filters from a decoded frame (already turned upright) to the size and the colours of the output, in square pixels:
 * shared by the encode and the thumbnail, so that both look alike.
 */
export const pictureFilters = (
  video: Pick<VideoPlan, "deinterlace" | "toneMap">,
  size: Pick<VideoVariant, "height" | "width">
): ReadonlyArray<string> => [
  ...(video.deinterlace ? ["yadif=mode=send_frame:deint=interlaced"] : []),
  scale(size),
  ...(video.toneMap ? toneMapFilters : []),
  "setsar=1",
  "format=yuv420p"
]

/** Decodes once and scales in a cascade: each variant is made from the next larger one, which costs least. */
const filterGraphOf = (video: VideoPlan): string => {
  const [largest, ...smaller] = video.variants
  const { den, num } = video.frameRate
  const first = [`fps=fps=${num}/${den}:start_time=0`, ...pictureFilters(video, largest)].join(",")
  const handOver = (position: number) =>
    position < smaller.length ? `,split=2[v${position}][s${position}]` : `[v${position}]`
  return [
    `[0:${video.streamIndex}]${first}${handOver(0)}`,
    ...smaller.map((variant, index) => `[s${index}]${scale(variant)},setsar=1${handOver(index + 1)}`)
  ].join(";")
}

const segmentOptions = (
  job: TranscodeJob,
  name: string,
  muxerOptions: ReadonlyArray<string>
): ReadonlyArray<string> => [
  "-map_metadata",
  "-1",
  "-map_chapters",
  "-1",
  "-f",
  "hls",
  // Cuts are made at the first key frame at or after multiples of this: a hair less than the planned length keeps
  // rounding from moving a cut to the key frame after it.
  "-hls_time",
  (job.plan.segmentSeconds - 0.000002).toFixed(6),
  "-hls_playlist_type",
  "vod",
  "-hls_list_size",
  "0",
  "-hls_segment_type",
  "fmp4",
  "-hls_flags",
  "independent_segments",
  ...muxerOptions,
  "-hls_fmp4_init_filename",
  initName(job.token),
  "-hls_segment_filename",
  `${name}/${job.token}_%05d.m4s`
]

const videoOutput = (job: TranscodeJob, video: VideoPlan, variant: VideoVariant, position: number): CommandOutput => ({
  options: [
    "-map",
    `[v${position}]`,
    "-c:v",
    "libx264",
    "-preset",
    job.plan.preset,
    "-profile:v",
    "high",
    ...(variant.level === null ? [] : ["-level:v", variant.level]),
    "-crf",
    String(job.plan.quality),
    "-maxrate",
    `${variant.maxKilobitsPerSecond}k`,
    "-bufsize",
    `${Math.round(variant.maxKilobitsPerSecond * 1.5)}k`,
    "-pix_fmt",
    "yuv420p",
    "-g",
    String(video.keyFrameInterval),
    "-keyint_min",
    String(video.keyFrameInterval),
    "-sc_threshold",
    "0",
    "-fps_mode:v",
    "passthrough",
    // Without negative offsets and with an edit list, B-frames make the picture begin two frames late, and players
    // report a hole at the start. A fragment for each key frame gives the I-frame playlist a range of bytes for each.
    ...segmentOptions(job, variant.name, [
      "-hls_segment_options",
      "movflags=+frag_custom+frag_keyframe+dash+delay_moov+negative_cts_offsets:use_editlist=0"
    ])
  ],
  target: `${variant.name}/${playlistName}`
})

const audioOutput = (job: TranscodeJob, audio: AudioPlan): CommandOutput => ({
  options: [
    "-map",
    `0:${audio.streamIndex}`,
    "-c:a",
    "aac",
    "-b:a",
    `${audio.kilobitsPerSecond}k`,
    "-ac",
    "2",
    "-ar",
    String(audio.sampleRate),
    "-af",
    "aresample=async=1:first_pts=0",
    ...segmentOptions(job, audio.name, [])
  ],
  target: `${audio.name}/${playlistName}`
})

/** Names of the folders that ffmpeg expects to find below the output. */
export const renditionNames = (plan: EncodePlan): ReadonlyArray<string> => [
  ...(plan.video === null ? [] : plan.video.variants.map(({ name }) => name)),
  ...(plan.audio === null ? [] : [plan.audio.name])
]

/** The one ffmpeg command for a job. */
export const commandLine = (job: TranscodeJob): FfmpegCommandLine => {
  const { audio, video } = job.plan
  return {
    inputOptions: [
      "-hide_banner",
      "-nostdin",
      "-nostats",
      "-loglevel",
      "level+warning",
      "-max_error_rate",
      String(tolerableDecodeErrors),
      "-progress",
      "pipe:2",
      "-stats_period",
      "0.5",
      ...inputGuards(job.demuxers)
    ],
    input: job.input,
    filterGraph: video === null ? null : filterGraphOf(video),
    outputs: [
      ...(video === null ? [] : video.variants.map((variant, index) => videoOutput(job, video, variant, index))),
      ...(audio === null ? [] : [audioOutput(job, audio)])
    ]
  }
}

/** Share of a job that is done, 0 to 1, from what ffmpeg has reported: by frames, and by time where there are none. */
export const fractionDone = (
  plan: EncodePlan,
  progress: { readonly frame: number | null; readonly outTimeMicros: number | null }
): number => {
  const byFrames = plan.video === null || progress.frame === null ? null : progress.frame / plan.video.frames
  const byTime = progress.outTimeMicros === null ? null : progress.outTimeMicros / 1_000_000 / plan.durationSeconds
  return Math.min(1, Math.max(0, byFrames ?? byTime ?? 0))
}
