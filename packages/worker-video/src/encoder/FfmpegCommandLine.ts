import type { AudioPlan, EncodePlan, VideoPlan, VideoVariant } from "./EncodePlan.ts"
import { inputGuards } from "./MediaInfo.ts"
import { toNumber } from "./Rational.ts"
import type { PicturesPart, TranscodeJob, TranscodePart } from "./Transcoder.ts"

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

/** Names in the folder of a rendition, as ffmpeg writes them: a run counts its segments from 0. */
export const initName = "init.mp4"
export const segmentName = (index: number): string => `${String(index).padStart(5, "0")}.m4s`

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

/** Containers with an index of their key frames. In any other a seek may land behind the moment that was asked for. */
const indexed = new Set(["matroska", "mov"])

/** How far before its first frame a run begins to decode, beyond the key frame that it needs anyway. */
const seekMarginSeconds = 2

/** Where to jump to in the source, in seconds; `null` where decoding starts at its beginning. */
const seekOf = (job: TranscodeJob): number | null => {
  const { part } = job
  if (part._tag !== "Pictures" || job.plan.video === null) return null
  const seconds = part.fromFrame / toNumber(job.plan.video.frameRate) - seekMarginSeconds
  return seconds > 0 && job.demuxers.split(",").some((name) => indexed.has(name)) ? seconds : null
}

/**
 * The frames of the part at the constant rate, counted from 0. Which source frame is shown when is reckoned from the
 * start of the source in every run, so that runs meet without a frame lost or shown twice.
 */
const ratedFrames = (job: TranscodeJob, video: VideoPlan, part: PicturesPart): ReadonlyArray<string> => {
  const rate = `fps=fps=${video.frameRate.num}/${video.frameRate.den}`
  const { fromFrame, toFrame } = part
  const end = toFrame === null ? [] : [`end_pts=${toFrame}`]
  if (fromFrame === 0) {
    return [`${rate}:start_time=0`, ...(end.length === 0 ? [] : [`trim=${end.join(":")}`])]
  }
  return [
    seekOf(job) === null ? `${rate}:start_time=0` : rate,
    `trim=${[`start_pts=${fromFrame}`, ...end].join(":")}`,
    `setpts=PTS-${fromFrame}`,
    // Where the seek found no earlier frame: the first one is shown from the start, as it is in a run from the
    // beginning.
    `${rate}:start_time=0`
  ]
}

/** Decodes once and scales in a cascade: each variant is made from the next larger one, which costs least. */
const filterGraphOf = (job: TranscodeJob, video: VideoPlan, part: PicturesPart): string => {
  const [largest, ...smaller] = video.variants
  const first = [...ratedFrames(job, video, part), ...pictureFilters(video, largest)].join(",")
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
  // A segment has its name once it is complete.
  "independent_segments+temp_file",
  ...muxerOptions,
  "-hls_fmp4_init_filename",
  initName,
  "-hls_segment_filename",
  `${name}/%05d.m4s`
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

/** Folders of the renditions below the output: the variants, largest first, then the sound. */
export const renditionNames = (plan: EncodePlan): ReadonlyArray<string> => [
  ...(plan.video === null ? [] : plan.video.variants.map(({ name }) => name)),
  ...(plan.audio === null ? [] : [plan.audio.name])
]

/** The renditions that a part of an encode makes. */
export const renditionsOf = (plan: EncodePlan, part: TranscodePart): ReadonlyArray<string> => {
  const sound = plan.audio?.name
  return renditionNames(plan).filter((name) => (name === sound) === (part._tag === "Sound"))
}

/** The one ffmpeg command for a job. */
export const commandLine = (job: TranscodeJob): FfmpegCommandLine => {
  const { part } = job
  const { audio, video } = job.plan
  const pictures = part._tag === "Pictures" && video !== null ? { part, video } : null
  const seek = seekOf(job)
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
      ...inputGuards(job.demuxers),
      // Times stay those of the whole source; the filters cut exactly where the part begins.
      ...(seek === null
        ? []
        : ["-noaccurate_seek", "-ss", seek.toFixed(6), "-copyts", "-start_at_zero"])
    ],
    input: job.input,
    filterGraph: pictures === null ? null : filterGraphOf(job, pictures.video, pictures.part),
    outputs:
      pictures === null
        ? audio === null ? [] : [audioOutput(job, audio)]
        : pictures.video.variants.map((variant, index) => videoOutput(job, pictures.video, variant, index))
  }
}
