import type { EncodePlan } from "./EncodePlan.ts"
import { type PlaylistTag, type PlaylistText, readPlaylistText } from "./PlaylistText.ts"
import type { Rendition } from "./Rendition.ts"

/** A piece of a media playlist: a segment, or a range of one. */
export interface StreamEntry {
  readonly uri: string
  readonly seconds: number
  readonly range: { readonly offset: number; readonly bytes: number } | null
}

/** A media playlist as it was written, with what was measured of the files in its folder. */
export interface StreamPlaylist {
  /** From the master playlist. */
  readonly path: string
  readonly text: PlaylistText
  readonly entries: ReadonlyArray<StreamEntry>
  readonly targetDuration: number | null
  readonly rendition: Rendition | null
}

/** A line of the master playlist and the playlist that it names, `null` where there is none. */
export interface StreamLine {
  readonly tag: PlaylistTag
  readonly path: string
  readonly playlist: StreamPlaylist | null
}

/** A whole stream as a player meets it: what the playlists say beside what the files are. */
export interface HlsStream {
  readonly plan: EncodePlan
  readonly master: PlaylistText
  readonly variants: ReadonlyArray<StreamLine>
  readonly iFrames: ReadonlyArray<StreamLine>
  readonly media: ReadonlyArray<StreamLine>
}

/** Value of the only tag of this name, `undefined` where there is none. */
export const tagValue = (text: PlaylistText, name: string): string | undefined =>
  text.tags.find((tag) => tag.name === name)?.value

const readRange = (value: string | undefined): StreamEntry["range"] => {
  const match = /^(\d+)@(\d+)$/.exec(value ?? "")
  return match === null ? null : { bytes: Number(match[1]), offset: Number(match[2]) }
}

const readEntries = (text: PlaylistText): ReadonlyArray<StreamEntry> =>
  text.uris.map(({ tags, uri }) => ({
    uri,
    seconds: Number.parseFloat(tags.find(({ name }) => name === "EXTINF")?.value ?? ""),
    range: readRange(tags.find(({ name }) => name === "EXT-X-BYTERANGE")?.value)
  }))

/** The paths of all playlists that a master playlist names, in its order. */
export const playlistPaths = (master: string): ReadonlyArray<string> => {
  const { tags, uris } = readPlaylistText(master)
  const inTags = tags
    .filter(({ name }) => name === "EXT-X-MEDIA" || name === "EXT-X-I-FRAME-STREAM-INF")
    .flatMap(({ attributes }) => attributes.get("URI") ?? [])
  return [...uris.map(({ uri }) => uri), ...inTags]
}

/** Puts together what `master` and the playlists (by their paths) say and what the renditions are. */
export const hlsStream = (
  plan: EncodePlan,
  renditions: ReadonlyArray<Rendition>,
  masterText: string,
  playlists: ReadonlyMap<string, string>
): HlsStream => {
  const master = readPlaylistText(masterText)
  const line = (tag: PlaylistTag, path: string): StreamLine => {
    const written = playlists.get(path)
    if (written === undefined) return { tag, path, playlist: null }
    const text = readPlaylistText(written)
    const target = tagValue(text, "EXT-X-TARGETDURATION")
    return {
      tag,
      path,
      playlist: {
        path,
        text,
        entries: readEntries(text),
        targetDuration: target !== undefined && /^\d+$/.test(target) ? Number(target) : null,
        rendition: renditions.find(({ name }) => path.startsWith(`${name}/`)) ?? null
      }
    }
  }
  const named = (name: string) =>
    master.tags.filter((tag) => tag.name === name).map((tag) => line(tag, tag.attributes.get("URI") ?? ""))
  return {
    plan,
    master,
    variants: master.uris.flatMap(({ tags, uri }) =>
      tags.filter(({ name }) => name === "EXT-X-STREAM-INF").map((tag) => line(tag, uri))
    ),
    iFrames: named("EXT-X-I-FRAME-STREAM-INF"),
    media: named("EXT-X-MEDIA")
  }
}
