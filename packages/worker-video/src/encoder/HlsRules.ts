import type { RuleCheck } from "@lectern/domain"
import { lowestH264Level } from "./H264Level.ts"
import { type HlsStream, type StreamLine, type StreamPlaylist, tagValue } from "./HlsStream.ts"
import { keyFramesOf } from "./IFramePlaylist.ts"
import { iFrameRate, type MeasuredRate, renditionRate } from "./MasterPlaylist.ts"
import { toNumber } from "./Rational.ts"
import type { Fault, Rendition } from "./Rendition.ts"

/**
 * One rule. `number` is that of Apple's "HLS Authoring Specification for Apple devices" where it begins with a digit,
 * and a section of RFC 8216 where it begins with "RFC8216".
 */
export interface HlsRule {
  readonly number: string
  readonly text: string
  /** What the rule looks at, as it is in this stream, for people. */
  readonly measured: (stream: HlsStream) => string
  /** What breaks the rule, with the values; empty where it is kept. */
  readonly check: (stream: HlsStream) => ReadonlyArray<string>
}

/** Shares that a declared bit rate may be off. */
const rateTolerance = 0.1
/** Headers hold times in whole ticks, of which any track has more than 500 in a second. */
const tickSeconds = 0.002
const longestKeyFrameDistance = 2.002
const shortestFullSegment = 5
const longestFullSegment = 6.5
const highProfile = 100
const highestLevel = 52
const fastestRate = 60
/** From this many lines up the plan promises more than one variant. */
const severalVariantsFrom = 360

const playlistsOf = (lines: ReadonlyArray<StreamLine>): ReadonlyArray<StreamPlaylist> => {
  const byPath = new Map<string, StreamPlaylist>()
  for (const { path, playlist } of lines) if (playlist !== null) byPath.set(path, playlist)
  return [...byPath.values()]
}

/** Pictures and sound that play, without the lists of key frames. */
const playable = ({ media, variants }: HlsStream): ReadonlyArray<StreamPlaylist> => playlistsOf([...variants, ...media])
const everyPlaylist = (stream: HlsStream) => [...playable(stream), ...playlistsOf(stream.iFrames)]

const isPicture = (rendition: Rendition | null | undefined): rendition is Rendition =>
  rendition !== null && rendition !== undefined && rendition.init.size !== null
const isSound = (rendition: Rendition | null | undefined): rendition is Rendition =>
  rendition !== null && rendition !== undefined && rendition.init.size === null

const renditionsOf = (stream: HlsStream): ReadonlyArray<Rendition> =>
  playable(stream).flatMap(({ rendition }) => (rendition === null ? [] : [rendition]))
const picturesOf = (stream: HlsStream) => renditionsOf(stream).filter(isPicture)
const soundsOf = (stream: HlsStream) => renditionsOf(stream).filter(isSound)

const picturedLines = (lines: ReadonlyArray<StreamLine>) =>
  lines.flatMap(({ path, playlist, tag }) =>
    playlist !== null && isPicture(playlist.rendition)
      ? [{ path, tag, playlist, rendition: playlist.rendition }]
      : []
  )

const frameSeconds = ({ samples, seconds }: Rendition): number => seconds / samples

const missingAttribute = (lines: ReadonlyArray<Pick<StreamLine, "path" | "tag">>, name: string) =>
  lines
    .filter(({ tag }) => !tag.attributes.has(name))
    .map(({ path, tag }) => `${tag.name} of "${path}" has no ${name}`)

const groupOf = (stream: HlsStream, { tag }: StreamLine): ReadonlyArray<StreamLine> =>
  stream.media.filter(({ tag: media }) => media.attributes.get("GROUP-ID") === tag.attributes.get("AUDIO"))

/** What a variant costs with the dearest sound that it can be played with. */
const variantRate = (stream: HlsStream, line: StreamLine): MeasuredRate | null => {
  const playlist = line.playlist
  if (playlist === null || playlist.rendition === null || playlist.targetDuration === null) return null
  const target = playlist.targetDuration
  const own = renditionRate(target, playlist.rendition)
  const sounds = groupOf(stream, line).flatMap((media) =>
    media.playlist === null || media.playlist.rendition === null
      ? []
      : [renditionRate(target, media.playlist.rendition)]
  )
  return {
    peak: own.peak + Math.max(0, ...sounds.map(({ peak }) => peak)),
    average: own.average + Math.max(0, ...sounds.map(({ average }) => average))
  }
}

const rateFaults = (
  name: string,
  lines: ReadonlyArray<StreamLine>,
  truthOf: (line: StreamLine) => number | undefined
): ReadonlyArray<string> =>
  lines.flatMap((line) => {
    const truth = truthOf(line)
    const said = Number(line.tag.attributes.get(name))
    return truth === undefined || Math.abs(said / truth - 1) <= rateTolerance
      ? []
      : [`"${line.path}" says ${name}=${line.tag.attributes.get(name)}, measured ${truth}`]
  })

interface H264Profile {
  readonly profile: number
  /** Ten times the level's name. */
  readonly level: number
}

const h264Profile = (codec: string): H264Profile | null => {
  const match = /^avc[13]\.([0-9a-f]{2})[0-9a-f]{2}([0-9a-f]{2})$/i.exec(codec)
  const [, profile, level] = match ?? []
  return profile === undefined || level === undefined
    ? null
    : { profile: Number.parseInt(profile, 16), level: Number.parseInt(level, 16) }
}

const declaredCodecs = ({ tag }: Pick<StreamLine, "tag">): ReadonlyArray<string> =>
  (tag.attributes.get("CODECS") ?? "").split(",").map((codec) => codec.trim())

const profileFaults = (stream: HlsStream, isBroken: (profile: H264Profile) => boolean): ReadonlyArray<string> =>
  [...stream.variants, ...stream.iFrames].flatMap((line) =>
    declaredCodecs(line)
      .filter((codec) => {
        const profile = h264Profile(codec)
        return profile !== null && isBroken(profile)
      })
      .map((codec) => `"${line.path}" is ${codec}`)
  )

const neededLevel = (stream: HlsStream, rendition: Rendition): string | null => {
  const { video } = stream.plan
  const variant = video?.variants.find(({ name }) => name === rendition.name)
  if (video === null || video === undefined || variant === undefined || rendition.init.size === null) return null
  return lowestH264Level({
    ...rendition.init.size,
    framesPerSecond: toNumber(video.frameRate),
    kilobitsPerSecond: variant.maxKilobitsPerSecond,
    keptPictures: 4
  })
}

const keyFrameMoments = ({ init, segments }: Rendition): ReadonlyArray<number> =>
  segments.flatMap(({ facts }) => facts.keyFrames.map(({ ticks }) => ticks / init.timescale))

const resolutionFaults = (lines: ReadonlyArray<StreamLine>): ReadonlyArray<string> =>
  picturedLines(lines).flatMap(({ path, rendition, tag }) => {
    const truth = `${rendition.init.size?.width}x${rendition.init.size?.height}`
    const said = tag.attributes.get("RESOLUTION")
    return said === truth ? [] : [`"${path}" says RESOLUTION=${said ?? "nothing"}, the header ${truth}`]
  })

const codecFaults = (line: StreamLine, truth: ReadonlyArray<string>): ReadonlyArray<string> => {
  const said = declaredCodecs(line).toSorted().join(",")
  const expected = [...new Set(truth)].toSorted().join(",")
  return said === expected ? [] : [`"${line.path}" says CODECS="${said}", the headers "${expected}"`]
}

const iFrameEntryFaults = ({ path, playlist, rendition }: ReturnType<typeof picturedLines>[number]) => {
  const frames = keyFramesOf(rendition)
  if (playlist.entries.length !== frames.length) {
    return [`"${path}" names ${playlist.entries.length} of ${frames.length} key frames`]
  }
  return frames.flatMap((frame, index) => {
    const entry = playlist.entries[index]
    const same =
      entry !== undefined &&
      entry.uri === frame.uri &&
      entry.range?.offset === frame.offset &&
      entry.range.bytes === frame.bytes
    const said = `${entry?.uri} ${entry?.range?.bytes}@${entry?.range?.offset}`
    return same ? [] : [`"${path}" says ${said} for ${frame.uri} ${frame.bytes}@${frame.offset}`]
  })
}

/** How far the sums of EXTINF, from any segment to any other, are from the truth. */
const durationError = ({ entries }: StreamPlaylist, { init, segments }: Rendition): number => {
  let sum = 0
  let lowest = 0
  let highest = 0
  for (const [index, { facts }] of segments.entries()) {
    sum += (entries[index]?.seconds ?? 0) - facts.ticks / init.timescale
    lowest = Math.min(lowest, sum)
    highest = Math.max(highest, sum)
  }
  return highest - lowest
}

/** The names of tags that are wanted in each of `playlists` with this value. */
const tagFaults = (playlists: ReadonlyArray<StreamPlaylist>, name: string, isGood: (value: string) => boolean) =>
  playlists.flatMap(({ path, text }) => {
    const value = tagValue(text, name)
    return value !== undefined && isGood(value) ? [] : [`"${path}" says ${name}:${value ?? "nothing"}`]
  })

/** From the least to the most, e.g. "5.96 to 6.006 s". */
const span = (values: ReadonlyArray<number>, unit: string): string => {
  if (values.length === 0) return "none"
  const shown = (value: number): string => String(Number(value.toFixed(3)))
  const least = shown(Math.min(...values))
  const most = shown(Math.max(...values))
  return `${least === most ? least : `${least} to ${most}`} ${unit}`
}

const counted = (things: ReadonlyArray<unknown>, name: string): string => `${things.length} ${name}`

/** Each value once, in the order in which they come. */
const listed = (values: ReadonlyArray<string | undefined>): string => {
  const found = [...new Set(values.flatMap((value) => value ?? []))]
  return found.length === 0 ? "none" : found.join("; ")
}

const codecsOf = (renditions: ReadonlyArray<Rendition>): string => listed(renditions.map(({ init }) => init.codec))

/** What the lines of the master playlist say of an attribute. */
const declared = ({ iFrames, variants }: Pick<HlsStream, "iFrames" | "variants">, attribute: string): string =>
  listed([...variants, ...iFrames].map(({ tag }) => tag.attributes.get(attribute)))

const levels = (stream: HlsStream): string =>
  listed(picturesOf(stream).map(({ init, name }) => `${name} ${(h264Profile(init.codec)?.level ?? 0) / 10}`))

const sizes = (stream: HlsStream): string =>
  listed(picturesOf(stream).map(({ init }) => `${init.size?.width}x${init.size?.height}`))

/** How far what an attribute says is from what was measured, e.g. "-0.2 to 1.3 %". */
const deviation = (
  name: string,
  lines: ReadonlyArray<StreamLine>,
  truthOf: (line: StreamLine) => number | undefined
): string =>
  span(
    lines.flatMap((line) => {
      const truth = truthOf(line)
      return truth === undefined ? [] : [(Number(line.tag.attributes.get(name)) / truth - 1) * 100]
    }),
    "% off"
  )

const segmentsOf = (renditions: ReadonlyArray<Rendition>) => renditions.flatMap(({ segments }) => segments)
const segmentSeconds = ({ init, segments }: Rendition): ReadonlyArray<number> =>
  segments.map(({ facts }) => facts.ticks / init.timescale)
const targetsOf = (stream: HlsStream): ReadonlyArray<number> =>
  playable(stream).flatMap(({ targetDuration }) => targetDuration ?? [])

const keyFrameDistances = (rendition: Rendition): ReadonlyArray<number> => {
  const moments = [...keyFrameMoments(rendition), rendition.seconds]
  return moments.map((moment, index) => moment - (moments[index - 1] ?? 0)).slice(1)
}

const iFramePeak = ({ playlist }: StreamLine): number | undefined =>
  playlist === null || !isPicture(playlist.rendition) ? undefined : iFrameRate(playlist.rendition).peak

const rule = (number: string, text: string, measured: HlsRule["measured"], check: HlsRule["check"]): HlsRule => ({
  number,
  text,
  measured,
  check
})

/** Every rule that can be checked from the files of a stream like ours: finished, H.264 and AAC, in fragmented MP4. */
export const hlsRules: ReadonlyArray<HlsRule> = [
  rule(
    "1.1",
    "Video is H.264, HEVC or AV1",
    (stream) => codecsOf(picturesOf(stream)),
    (stream) =>
      picturesOf(stream)
        .filter(({ init }) => !/^(avc[13]|hvc1|hev1|av01)\./.test(init.codec))
        .map(({ init, name }) => `${name} is ${init.codec}`)
  ),
  rule(
    "1.3",
    "H.264 is of the High profile and level 5.2 at most",
    (stream) => declared(stream, "CODECS"),
    (stream) =>
      profileFaults(stream, ({ level, profile }) => profile > highProfile || level > highestLevel)
  ),
  rule(
    "1.4",
    "H.264 is of the High profile rather than a lower one",
    (stream) => declared(stream, "CODECS"),
    (stream) =>
      profileFaults(stream, ({ profile }) => profile < highProfile)
  ),
  rule(
    "1.10",
    "Parameter sets are in the sample descriptions",
    (stream) => declared(stream, "CODECS"),
    (stream) =>
      [...stream.variants, ...stream.iFrames].flatMap((line) =>
        declaredCodecs(line)
          .filter((codec) => /^(avc3|hev1|dvhe)/.test(codec))
          .map((codec) => `"${line.path}" is ${codec}`)
      )
  ),
  rule(
    "1.11",
    "No level is higher than the size and the frame rate need",
    (stream) => levels(stream),
    (stream) =>
      picturesOf(stream).flatMap((rendition) => {
        const needed = neededLevel(stream, rendition)
        const level = h264Profile(rendition.init.codec)?.level ?? 0
        return needed === null || level <= Math.round(Number(needed) * 10)
          ? []
          : [`${rendition.name} is of level ${level / 10}, ${needed} is enough`]
      })
  ),
  rule(
    "1.13",
    "There is a key frame every two seconds",
    (stream) => span(picturesOf(stream).flatMap(keyFrameDistances), "s"),
    (stream) =>
      picturesOf(stream).flatMap((rendition) => {
        const moments = [...keyFrameMoments(rendition), rendition.seconds]
        return moments.flatMap((moment, index) => {
          const distance = moment - (moments[index - 1] ?? 0)
          return distance <= longestKeyFrameDistance + tickSeconds
            ? []
            : [`${rendition.name} has no key frame for ${distance} s before ${moment} s`]
        })
      })
  ),
  rule(
    "1.19",
    "There are at most 60 frames a second",
    (stream) => span(picturesOf(stream).map((rendition) => 1 / frameSeconds(rendition)), "frames a second"),
    (stream) =>
      picturesOf(stream)
        .filter((rendition) => 1 / frameSeconds(rendition) > fastestRate * 1.001)
        .map((rendition) => `${rendition.name} has ${1 / frameSeconds(rendition)}`)
  ),
  rule(
    "1.26",
    "AVERAGE-BANDWIDTH is within 10 % of the measured average",
    (stream) => deviation("AVERAGE-BANDWIDTH", stream.variants, (line) => variantRate(stream, line)?.average),
    (stream) =>
      rateFaults("AVERAGE-BANDWIDTH", stream.variants, (line) => variantRate(stream, line)?.average)
  ),
  rule(
    "1.27",
    "BANDWIDTH is within 10 % of the measured peak",
    (stream) => deviation("BANDWIDTH", stream.variants, (line) => variantRate(stream, line)?.peak),
    (stream) =>
      rateFaults("BANDWIDTH", stream.variants, (line) => variantRate(stream, line)?.peak)
  ),
  rule(
    "1.33",
    "All variants have the same shape",
    (stream) => sizes(stream),
    (stream) => {
      const [first, ...others] = picturesOf(stream)
      const size = first?.init.size
      if (size === null || size === undefined) return []
      return others.flatMap(({ init, name }) => {
        // Sides are rounded to even numbers, which moves either by one pixel.
        const expected = ((init.size?.height ?? 0) * size.width) / size.height
        const off = Math.abs((init.size?.width ?? 0) - expected)
        return off <= 1 + size.width / size.height
          ? []
          : [`${name} is ${init.size?.width}x${init.size?.height}, the first variant ${size.width}x${size.height}`]
      })
    }
  ),
  rule(
    "2.3",
    "There is stereo sound in AAC",
    (stream) => codecsOf(soundsOf(stream)),
    (stream) =>
      soundsOf(stream)
        .filter(({ init }) => init.codec !== "mp4a.40.2" || init.channels !== 2)
        .map(({ init, name }) => `${name} is ${init.codec} of ${init.channels} channels`)
  ),
  rule(
    "2.17",
    "A segment holds one stream alone",
    (stream) => span(renditionsOf(stream).map(({ init }) => init.tracks), "tracks"),
    (stream) =>
      renditionsOf(stream)
        .filter(({ init }) => init.tracks !== 1)
        .map(({ init, name }) => `${name} has ${init.tracks} tracks`)
  ),
  rule(
    "6.1",
    "There are I-frame playlists",
    (stream) => counted(picturedLines(stream.iFrames), "playlists"),
    (stream) =>
      picturesOf(stream).length > 0 && picturedLines(stream.iFrames).length === 0 ? ["there is none"] : []
  ),
  rule(
    "6.6",
    "There are several I-frame playlists of different bit rates",
    (stream) => declared({ ...stream, variants: [] }, "BANDWIDTH"),
    (stream) => {
      const variants = picturesOf(stream).length
      const found = new Set(picturedLines(stream.iFrames).map(({ tag }) => tag.attributes.get("BANDWIDTH"))).size
      return variants > 1 && found < 2 ? [`${found} for ${variants} variants`] : []
    }
  ),
  rule(
    "6.8",
    "I-frame playlists have the tag EXT-X-I-FRAMES-ONLY",
    (stream) => counted(playlistsOf(stream.iFrames), "playlists"),
    (stream) =>
      tagFaults(playlistsOf(stream.iFrames), "EXT-X-I-FRAMES-ONLY", (value) => value === "")
  ),
  rule(
    "6.9",
    "The BANDWIDTH of I-frame playlists is the measured peak",
    (stream) => deviation("BANDWIDTH", stream.iFrames, iFramePeak),
    (stream) =>
      rateFaults("BANDWIDTH", stream.iFrames, iFramePeak)
  ),
  rule(
    "6.10",
    "I-frame segments begin at the head of their fragment and end with the key frame",
    (stream) => counted(playlistsOf(stream.iFrames).flatMap(({ entries }) => entries), "key frames"),
    (stream) =>
      picturedLines(stream.iFrames).flatMap(iFrameEntryFaults)
  ),
  rule(
    "7.3",
    "Each segment begins where the one before it ended",
    (stream) => counted(segmentsOf(renditionsOf(stream)), "segments"),
    (stream) =>
      renditionsOf(stream).flatMap(({ name, segments }) => {
        let expected = 0
        return segments.flatMap(({ facts, uri }) => {
          const off = facts.startTicks - expected
          expected = facts.startTicks + facts.ticks
          return Math.abs(off) <= 1 ? [] : [`${name}: "${uri}" begins ${off} ticks late`]
        })
      })
  ),
  rule(
    "7.4",
    "Video segments begin with a key frame",
    (stream) => counted(segmentsOf(picturesOf(stream)), "segments"),
    (stream) =>
      picturesOf(stream).flatMap(({ name, segments }) =>
        segments.filter(({ facts }) => !facts.startsWithKeyFrame).map(({ uri }) => `${name}: "${uri}" does not`)
      )
  ),
  rule(
    "7.5",
    "The target duration is six seconds",
    (stream) => span(targetsOf(stream), "s"),
    (stream) =>
      playable(stream)
        .filter(({ entries, targetDuration }) =>
          entries.length > 1 ? targetDuration !== 6 : (targetDuration ?? Number.POSITIVE_INFINITY) > 6
        )
        .map(({ path, targetDuration }) => `"${path}" says ${targetDuration}`)
  ),
  rule(
    "7.6",
    "Segments last about six seconds, the last one excepted",
    (stream) => span(playable(stream).flatMap(({ entries }) => entries.slice(0, -1).map(({ seconds }) => seconds)), "s"),
    (stream) =>
      playable(stream).flatMap(({ entries, path }) =>
        entries
          .slice(0, -1)
          .filter(({ seconds }) => !(seconds >= shortestFullSegment && seconds <= longestFullSegment))
          .map(({ seconds, uri }) => `"${path}": "${uri}" lasts ${seconds} s`)
      )
  ),
  rule(
    "7.7",
    "No segment is more than half a second longer than the target duration",
    (stream) => span(renditionsOf(stream).flatMap(segmentSeconds), "s"),
    (stream) =>
      playable(stream).flatMap(({ path, rendition, targetDuration }) =>
        rendition === null
          ? []
          : rendition.segments
              .filter(
                ({ facts }) => facts.ticks / rendition.init.timescale > (targetDuration ?? 0) + 0.5 + tickSeconds
              )
              .map(({ facts, uri }) => `"${path}": "${uri}" lasts ${facts.ticks / rendition.init.timescale} s`)
      )
  ),
  rule(
    "8.1",
    "Sums of EXTINF are within one frame of the truth",
    (stream) => span(playable(stream).flatMap((one) => (one.rendition === null ? [] : durationError(one, one.rendition))), "s"),
    (stream) =>
      playable(stream).flatMap((playlist) => {
        const { entries, path, rendition } = playlist
        if (rendition === null) return []
        if (entries.length !== rendition.segments.length) {
          return [`"${path}" names ${entries.length} of ${rendition.segments.length} segments`]
        }
        const error = durationError(playlist, rendition)
        return error <= frameSeconds(rendition) ? [] : [`"${path}" is off by ${error} s`]
      })
  ),
  rule(
    "8.2",
    "Sound and pictures announce the same target duration",
    (stream) => span(targetsOf(stream), "s"),
    (stream) => {
      const targets = new Set(playable(stream).map(({ targetDuration }) => targetDuration))
      return targets.size <= 1 ? [] : [`targets are ${[...targets].join(", ")}`]
    }
  ),
  rule(
    "8.3",
    "Sound and pictures last as long as each other, or differ as the source does",
    (stream) => span(renditionsOf(stream).map(({ seconds }) => seconds), "s"),
    (stream) => {
      const { audioSeconds, videoSeconds } = stream.plan
      return playable(stream).flatMap(({ entries, path, rendition }) => {
        if (rendition === null) return []
        const source = rendition.init.size === null ? audioSeconds : videoSeconds
        const listed = entries.reduce((sum, { seconds }) => sum + seconds, 0)
        const tolerance = Math.max(0.25, source * 0.001, 3 * frameSeconds(rendition))
        return Math.abs(listed - source) <= tolerance
          ? []
          : [`"${path}" covers ${listed} s of ${source} s`]
      })
    }
  ),
  rule(
    "8.6",
    "Playlists of finished streams are of type VOD",
    (stream) => counted(everyPlaylist(stream), "playlists"),
    (stream) =>
      tagFaults(everyPlaylist(stream), "EXT-X-PLAYLIST-TYPE", (value) => value === "VOD")
  ),
  rule(
    "8.7",
    "All variants cover exactly the same time",
    (stream) => span(picturesOf(stream).map(({ seconds }) => seconds), "s"),
    (stream) => {
      const [first, ...others] = picturesOf(stream)
      return first === undefined
        ? []
        : others
            .filter(({ seconds }) => Math.abs(seconds - first.seconds) > tickSeconds)
            .map(({ name, seconds }) => `${name} covers ${seconds} s, ${first.name} ${first.seconds} s`)
    }
  ),
  rule(
    "8.9",
    "Separate sound is declared by EXT-X-MEDIA with its playlist",
    (stream) => counted(stream.media, "EXT-X-MEDIA"),
    (stream) =>
      stream.plan.video === null || stream.plan.audio === null
        ? []
        : stream.media.some(({ playlist }) => isSound(playlist?.rendition))
          ? []
          : ["no EXT-X-MEDIA names a playlist of sound"]
  ),
  rule(
    "8.10",
    "Every EXT-X-MEDIA has a LANGUAGE",
    (stream) => listed(stream.media.map(({ tag }) => tag.attributes.get("LANGUAGE"))),
    (stream) => missingAttribute(stream.media, "LANGUAGE")
  ),
  rule(
    "8.15",
    "No playlist has a discontinuity: there is one encode",
    (stream) => counted(everyPlaylist(stream), "playlists"),
    (stream) =>
      everyPlaylist(stream)
        .filter(({ text }) => tagValue(text, "EXT-X-DISCONTINUITY") !== undefined)
        .map(({ path }) => `"${path}" has one`)
  ),
  rule(
    "8.20",
    "Playlists of fMP4 have an EXT-X-MAP that is there",
    (stream) => counted(everyPlaylist(stream), "playlists"),
    (stream) =>
      everyPlaylist(stream).flatMap(({ path, rendition, text }) => {
        const uri = text.tags.find(({ name }) => name === "EXT-X-MAP")?.attributes.get("URI")
        return uri !== undefined && (rendition === null || uri === rendition.playlist.initUri)
          ? []
          : [`"${path}" names ${uri ?? "none"} instead of ${rendition?.playlist.initUri ?? "one"}`]
      })
  ),
  rule(
    "9.1",
    "EXT-X-STREAM-INF has the CODECS of the headers",
    (stream) => declared({ ...stream, iFrames: [] }, "CODECS"),
    (stream) =>
      stream.variants.flatMap((line) => {
        const own = line.playlist?.rendition
        if (own === null || own === undefined) return missingAttribute([line], "CODECS")
        const sounds = groupOf(stream, line).flatMap(({ playlist }) => playlist?.rendition?.init.codec ?? [])
        return codecFaults(line, [own.init.codec, ...sounds])
      })
  ),
  rule(
    "9.2",
    "EXT-X-STREAM-INF has the RESOLUTION of the header",
    (stream) => declared({ ...stream, iFrames: [] }, "RESOLUTION"),
    (stream) => resolutionFaults(stream.variants)
  ),
  rule(
    "9.3",
    "EXT-X-I-FRAME-STREAM-INF has the CODECS of the header",
    (stream) => declared({ ...stream, variants: [] }, "CODECS"),
    (stream) =>
      picturedLines(stream.iFrames).flatMap((line) => codecFaults(line, [line.rendition.init.codec]))
  ),
  rule(
    "9.4",
    "EXT-X-I-FRAME-STREAM-INF has the RESOLUTION of the header",
    (stream) => declared({ ...stream, variants: [] }, "RESOLUTION"),
    (stream) =>
      resolutionFaults(stream.iFrames)
  ),
  rule(
    "9.5",
    "Pictures and sound are separate streams",
    (stream) => counted(stream.media, "EXT-X-MEDIA"),
    (stream) =>
      stream.plan.audio === null
        ? []
        : picturedLines(stream.variants)
            .filter(({ tag }) => !tag.attributes.has("AUDIO"))
            .map(({ path }) => `"${path}" names no group of sound`)
  ),
  rule(
    "9.9",
    "There are several bit rates of video",
    (stream) => counted(picturesOf(stream), "variants"),
    (stream) => {
      const pictures = picturesOf(stream)
      const lines = Math.max(
        0,
        ...pictures.map(({ init }) => Math.min(init.size?.height ?? 0, init.size?.width ?? 0))
      )
      return lines >= severalVariantsFrom && pictures.length < 2 ? [`one variant for ${lines} lines`] : []
    }
  ),
  rule(
    "9.11",
    "The master playlist says that segments are independent",
    (stream) => counted(stream.variants, "variants"),
    ({ master }) =>
      tagValue(master, "EXT-X-INDEPENDENT-SEGMENTS") === undefined ? ["it does not"] : []
  ),
  rule(
    "9.13",
    "BANDWIDTH is the largest sum of peaks of what can be played together",
    (stream) => declared({ ...stream, iFrames: [] }, "BANDWIDTH"),
    (stream) =>
      stream.variants.flatMap((line) => {
        const truth = variantRate(stream, line)
        const said = Number(line.tag.attributes.get("BANDWIDTH"))
        return truth === null || said >= truth.peak ? [] : [`"${line.path}" says ${said}, peaks add up to ${truth.peak}`]
      })
  ),
  rule(
    "9.14",
    "EXT-X-STREAM-INF has an AVERAGE-BANDWIDTH",
    (stream) => declared({ ...stream, iFrames: [] }, "AVERAGE-BANDWIDTH"),
    (stream) =>
      missingAttribute(stream.variants, "AVERAGE-BANDWIDTH")
  ),
  rule(
    "9.15",
    "EXT-X-STREAM-INF of video has the FRAME-RATE of its segments",
    (stream) => declared({ ...stream, iFrames: [] }, "FRAME-RATE"),
    (stream) =>
      picturedLines(stream.variants).flatMap(({ path, rendition, tag }) => {
        const said = Number(tag.attributes.get("FRAME-RATE"))
        const truth = 1 / frameSeconds(rendition)
        return Math.abs(said - truth) <= 0.001 + truth * 0.001
          ? []
          : [`"${path}" says FRAME-RATE=${tag.attributes.get("FRAME-RATE") ?? "nothing"}, measured ${truth}`]
      })
  ),
  rule(
    "RFC8216-4.3.1.2",
    "The version allows what the playlist uses",
    (stream) => listed(everyPlaylist(stream).map(({ text }) => tagValue(text, "EXT-X-VERSION"))),
    (stream) =>
      tagFaults(everyPlaylist(stream), "EXT-X-VERSION", (value) => Number(value) >= 6)
  ),
  rule(
    "RFC8216-4.3.3.1",
    "No EXTINF rounds to more than the target duration",
    (stream) => span(everyPlaylist(stream).flatMap(({ entries }) => entries.map(({ seconds }) => seconds)), "s"),
    (stream) =>
      everyPlaylist(stream).flatMap(({ entries, path, targetDuration }) =>
        entries
          .filter(({ seconds }) => !(Math.round(seconds) <= (targetDuration ?? 0)))
          .map(({ seconds, uri }) => `"${path}": "${uri}" lasts ${seconds} s, the target is ${targetDuration} s`)
      )
  ),
  rule(
    "RFC8216-4.3.3.4",
    "Playlists of finished streams end with EXT-X-ENDLIST",
    (stream) => counted(everyPlaylist(stream), "playlists"),
    (stream) =>
      everyPlaylist(stream)
        .filter(({ text }) => text.tags.at(-1)?.name !== "EXT-X-ENDLIST")
        .map(({ path }) => `"${path}" does not`)
  ),
  rule(
    "RFC8216-4.3.4.1",
    "A group of sound has distinct names, and a default that is chosen by itself",
    (stream) => listed(stream.media.map(({ tag }) => tag.attributes.get("NAME"))),
    (stream) => {
      const names = stream.media.map(({ tag }) => `${tag.attributes.get("GROUP-ID")}/${tag.attributes.get("NAME")}`)
      return [
        ...(new Set(names).size === names.length ? [] : [`names are ${names.join(", ")}`]),
        ...stream.media
          .filter(({ tag }) => tag.attributes.get("DEFAULT") === "YES" && tag.attributes.get("AUTOSELECT") !== "YES")
          .map(({ path }) => `"${path}" is a default that is not chosen by itself`)
      ]
    }
  ),
  rule(
    "RFC8216-4.3.4.2",
    "Every playlist and group that the master playlist names is there",
    (stream) => counted([...stream.variants, ...stream.media, ...stream.iFrames], "playlists"),
    (stream) => [
      ...[...stream.variants, ...stream.media, ...stream.iFrames]
        .filter(({ playlist }) => playlist === null || playlist.rendition === null)
        .map(({ path }) => `there is no "${path}"`),
      ...stream.variants
        .filter((line) => line.tag.attributes.has("AUDIO") && groupOf(stream, line).length === 0)
        .map(({ path, tag }) => `"${path}" names a group "${tag.attributes.get("AUDIO")}" that is not there`),
      ...(stream.variants.length === 0 ? ["there is no variant"] : [])
    ]
  ),
  rule(
    "RFC8216-6.2.4",
    "Variants have their key frames, and begin, at the same moments",
    (stream) => counted(picturesOf(stream).flatMap(keyFrameMoments), "key frames"),
    (stream) => {
      const [first, ...others] = picturesOf(stream)
      if (first === undefined) return []
      const moments = keyFrameMoments(first)
      return [
        ...(Math.abs(moments[0] ?? 0) > tickSeconds ? [`${first.name} begins at ${moments[0]} s`] : []),
        ...others.flatMap((other) => {
          const own = keyFrameMoments(other)
          const apart = moments.findIndex((moment, index) => !(Math.abs((own[index] ?? -1) - moment) <= tickSeconds))
          return apart < 0 && own.length === moments.length
            ? []
            : [`${other.name} and ${first.name} part at key frame ${apart < 0 ? moments.length : apart}`]
        })
      ]
    }
  )
]

/** The result of all rules over one stream. */
export interface HlsRulesChecked {
  /** By the numbers of the rules. */
  readonly broken: ReadonlyArray<Fault>
  /** Every rule, in its order. */
  readonly checks: ReadonlyArray<RuleCheck>
}

/** Faults of one rule that are told in full. */
const shownFaults = 3

/** Checks every rule. Pure: `stream` holds all that was read. */
export const checkHlsRules = (stream: HlsStream): HlsRulesChecked => {
  const found = hlsRules.map((one) => ({ ...one, faults: one.check(stream) }))
  return {
    broken: found.flatMap(({ faults, number }) => faults.map((detail) => ({ rule: number, detail }))),
    checks: found.map(({ faults, measured, number, text }) => ({
      number,
      title: text,
      kept: faults.length === 0,
      measured: faults.length === 0 ? measured(stream) : faults.slice(0, shownFaults).join("; ")
    }))
  }
}
