/** A tag of a playlist with what stands behind its colon, as it stands and as attributes. */
export interface PlaylistTag {
  readonly name: string
  readonly value: string
  /** Without their quotes. Empty for tags whose value is no attribute list. */
  readonly attributes: ReadonlyMap<string, string>
}

/** A name of a file, with the tags that stand between it and the one before. */
export interface PlaylistUri {
  readonly uri: string
  readonly tags: ReadonlyArray<PlaylistTag>
}

/** A playlist of any kind, line by line, without any judgement. */
export interface PlaylistText {
  readonly tags: ReadonlyArray<PlaylistTag>
  readonly uris: ReadonlyArray<PlaylistUri>
}

const attributePattern = /([A-Z0-9-]+)=(?:"([^"]*)"|([^",]*))(?:,|$)/g

const readTag = (line: string): PlaylistTag => {
  const colon = line.indexOf(":")
  const name = line.slice(1, colon < 0 ? line.length : colon)
  const value = colon < 0 ? "" : line.slice(colon + 1)
  const attributes = new Map<string, string>()
  for (const [, key, quoted, plain] of value.matchAll(attributePattern)) {
    if (key !== undefined) attributes.set(key, quoted ?? plain ?? "")
  }
  return { name, value, attributes }
}

/** Splits a playlist into its tags and the names of its files; comments are left out. */
export const readPlaylistText = (text: string): PlaylistText => {
  const tags: Array<PlaylistTag> = []
  const uris: Array<PlaylistUri> = []
  let waiting: Array<PlaylistTag> = []
  for (const line of text.split(/\r?\n/)) {
    if (line.startsWith("#EXT")) {
      const tag = readTag(line)
      tags.push(tag)
      waiting.push(tag)
    } else if (line !== "" && !line.startsWith("#")) {
      uris.push({ uri: line, tags: waiting })
      waiting = []
    }
  }
  return { tags, uris }
}
