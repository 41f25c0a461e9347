/** One segment as a media playlist names it. */
export interface ListedSegment {
  readonly uri: string
  readonly seconds: number
}

/** The parts of a media playlist that we rely on. */
export interface MediaPlaylist {
  readonly version: number
  readonly targetDuration: number
  readonly initUri: string
  readonly segments: ReadonlyArray<ListedSegment>
}

/** Why a text is no complete playlist of a finished stream. */
export interface PlaylistFault {
  readonly fault: string
}

const attribute = (line: string, name: string): string | undefined =>
  new RegExp(`(?:^|[:,])${name}="([^"]*)"`).exec(line)?.[1]

const integerAfter = (lines: ReadonlyArray<string>, tag: string): number | null => {
  const line = lines.find((candidate) => candidate.startsWith(`${tag}:`))
  const value = line?.slice(tag.length + 1)
  return value !== undefined && /^\d+$/.test(value) ? Number(value) : null
}

/** Reads the media playlist of a finished (VOD) fMP4 rendition. Refuses one that was cut off. */
export const parseMediaPlaylist = (text: string): MediaPlaylist | PlaylistFault => {
  const lines = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "")
  if (lines[0] !== "#EXTM3U") return { fault: "it does not start with #EXTM3U" }
  if (lines.at(-1) !== "#EXT-X-ENDLIST") return { fault: "it does not end with #EXT-X-ENDLIST" }
  if (!lines.includes("#EXT-X-PLAYLIST-TYPE:VOD")) return { fault: "it is not of type VOD" }
  const version = integerAfter(lines, "#EXT-X-VERSION")
  const targetDuration = integerAfter(lines, "#EXT-X-TARGETDURATION")
  if (version === null || targetDuration === null) return { fault: "it lacks a version or a target duration" }
  const map = lines.find((line) => line.startsWith("#EXT-X-MAP:"))
  const initUri = map === undefined ? undefined : attribute(map, "URI")
  if (initUri === undefined) return { fault: "it names no init file" }

  const segments: Array<ListedSegment> = []
  let seconds: number | null = null
  for (const line of lines) {
    const duration = /^#EXTINF:(\d+(?:\.\d+)?),/.exec(line)?.[1]
    if (duration !== undefined) {
      if (seconds !== null) return { fault: "a duration is followed by no segment" }
      seconds = Number(duration)
    } else if (!line.startsWith("#")) {
      if (seconds === null) return { fault: `segment "${line}" has no duration` }
      segments.push({ uri: line, seconds })
      seconds = null
    }
  }
  if (seconds !== null) return { fault: "the last duration is followed by no segment" }
  return segments.length === 0 ? { fault: "it names no segment" } : { version, targetDuration, initUri, segments }
}

/** The target duration that fits all of `seconds`: the longest, rounded, and at least 1. */
export const targetDurationFor = (seconds: ReadonlyArray<number>): number =>
  seconds.reduce((longest, one) => Math.max(longest, Math.round(one)), 1)

/**
 * Writes the media playlist of a finished rendition. ffmpeg's own is not published: it announces a target of 0 s for a
 * clip under half a second, and another target for each rendition of the same stream.
 */
export const mediaPlaylist = (
  targetDuration: number,
  initUri: string,
  segments: ReadonlyArray<ListedSegment>
): string =>
  [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    `#EXT-X-TARGETDURATION:${targetDuration}`,
    "#EXT-X-MEDIA-SEQUENCE:0",
    "#EXT-X-PLAYLIST-TYPE:VOD",
    "#EXT-X-INDEPENDENT-SEGMENTS",
    `#EXT-X-MAP:URI="${initUri}"`,
    ...segments.flatMap(({ seconds, uri }) => [`#EXTINF:${seconds.toFixed(6)},`, uri]),
    "#EXT-X-ENDLIST",
    ""
  ].join("\n")
