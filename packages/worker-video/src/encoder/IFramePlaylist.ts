import { targetDurationFor } from "./MediaPlaylist.ts"
import type { Rendition } from "./Rendition.ts"

/** Name of the I-frame playlist in the folder of each variant. */
export const iFramePlaylistName = "iframes.m3u8"

/** One key frame as the I-frame playlist names it. */
export interface ListedKeyFrame {
  readonly uri: string
  readonly offset: number
  readonly bytes: number
  /** Until the next one, or the end. */
  readonly seconds: number
}

/** The key frames of a variant that a range of bytes can be given for, in their order. */
export const keyFramesOf = ({ init, segments }: Pick<Rendition, "init" | "segments">): ReadonlyArray<ListedKeyFrame> => {
  const frames = segments.flatMap(({ facts, uri }) =>
    facts.keyFrames.flatMap(({ range, ticks }) => (range === null ? [] : [{ uri, ticks, ...range }]))
  )
  const last = segments.at(-1)?.facts
  const end = last === undefined ? 0 : last.startTicks + last.ticks
  return frames.map(({ bytes, offset, ticks, uri }, index) => ({
    uri,
    offset,
    bytes,
    seconds: ((frames[index + 1]?.ticks ?? end) - ticks) / init.timescale
  }))
}

/** Writes a playlist of key frames alone, by which players show pictures while somebody winds. */
export const iFramePlaylist = (initUri: string, frames: ReadonlyArray<ListedKeyFrame>): string =>
  [
    "#EXTM3U",
    "#EXT-X-VERSION:7",
    `#EXT-X-TARGETDURATION:${targetDurationFor(frames.map(({ seconds }) => seconds))}`,
    "#EXT-X-MEDIA-SEQUENCE:0",
    "#EXT-X-PLAYLIST-TYPE:VOD",
    "#EXT-X-I-FRAMES-ONLY",
    `#EXT-X-MAP:URI="${initUri}"`,
    ...frames.flatMap(({ bytes, offset, seconds, uri }) => [
      `#EXTINF:${seconds.toFixed(6)},`,
      `#EXT-X-BYTERANGE:${bytes}@${offset}`,
      uri
    ]),
    "#EXT-X-ENDLIST",
    ""
  ].join("\n")
