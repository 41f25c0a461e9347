import type { EncodePlan } from "@lectern/worker-video/encoder"

/**
 * The fastest plain ffmpeg command that makes the same ladder: one process that decodes once and scales in a cascade,
 * with the same settings of x264, the sound encoded once. It makes no master playlist, picture or storyboard, and
 * checks nothing.
 */
export const plainCommand = (input: string, plan: EncodePlan): ReadonlyArray<string> => {
  const { audio, video } = plan
  if (video === null || audio === null) throw new Error("The comparison is of pictures with sound")
  const rate = `${video.frameRate.num}/${video.frameRate.den}`
  const graph = video.variants.map(({ height, width }, index) => {
    const from = index === 0 ? `[0:${video.streamIndex}]fps=${rate},` : `[s${index}]`
    const split = index < video.variants.length - 1 ? `,split=2[v${index}][s${index + 1}]` : `[v${index}]`
    return `${from}scale=${width}:${height}:flags=bicubic${split}`
  }).join(";")
  const words = (...text: ReadonlyArray<string>) => text.flatMap((line) => line.split(" "))
  const hls = (name: string) =>
    words(
      `-f hls -hls_time 6 -hls_playlist_type vod -hls_segment_type fmp4 -hls_flags independent_segments`,
      `-hls_fmp4_init_filename ${name}_init.mp4 -hls_segment_filename ${name}_%05d.m4s ${name}.m3u8`
    )
  const variants = video.variants.flatMap(({ level, maxKilobitsPerSecond, name }, index) => [
    ...words(
      `-map [v${index}] -c:v libx264 -preset ${plan.preset} -profile:v high -pix_fmt yuv420p`,
      `-crf ${plan.quality} -maxrate ${maxKilobitsPerSecond}k -bufsize ${Math.round(maxKilobitsPerSecond * 1.5)}k`,
      `-g ${video.keyFrameInterval} -keyint_min ${video.keyFrameInterval} -sc_threshold 0`
    ),
    ...(level === null ? [] : ["-level:v", level]),
    ...hls(name)
  ])
  const sound = words(
    `-map 0:${audio.streamIndex} -c:a aac -b:a ${audio.kilobitsPerSecond}k -ac 2 -ar ${audio.sampleRate}`
  )
  const head = words("ffmpeg -hide_banner -nostdin -v error -i")
  return [...head, input, "-filter_complex", graph, ...variants, ...sound, ...hls("audio")]
}
