import type { MediaRejectedCode } from "./MediaRejected.ts"

/** How many bytes from the start of a file `containerSignature` wants to see. */
export const signatureBytes = 4096

/**
 * What a file's first bytes say it is: the only ffmpeg demuxers that may open it, or the reason why none may.
 *
 * The file is handed to ffmpeg with these demuxers as its whole whitelist, so that a playlist (which makes ffmpeg open
 * whatever it names) is never interpreted, whatever its name or its later bytes claim.
 */
export type ContainerSignature =
  | { readonly _tag: "Container"; readonly demuxers: string; readonly family: "isobmff" | "other" }
  | { readonly _tag: "Refused"; readonly code: MediaRejectedCode; readonly detail: string }

const container = (demuxers: string, family: "isobmff" | "other" = "other"): ContainerSignature => ({
  _tag: "Container",
  demuxers,
  family
})

const refused = (code: MediaRejectedCode, detail: string): ContainerSignature => ({ _tag: "Refused", code, detail })

const ascii = (bytes: Uint8Array, start: number, length: number): string =>
  String.fromCharCode(...bytes.subarray(start, start + length))

const startsWith = (bytes: Uint8Array, ...prefix: ReadonlyArray<number>): boolean =>
  bytes.length >= prefix.length && prefix.every((byte, index) => bytes[index] === byte)

const stillPictureBrands = new Set(["heic", "heix", "heim", "heis", "mif1", "msf1", "avif", "avis", "crx "])

const isoBoxes = new Set(["ftyp", "moov", "mdat", "free", "skip", "wide", "pnot", "styp"])

const transportStreamSync = (bytes: Uint8Array): boolean =>
  [
    [0, 188],
    [4, 192],
    [0, 204]
  ].some(
    ([offset = 0, packet = 188]) =>
      bytes.length > offset + packet * 2 && [0, 1, 2].every((index) => bytes[offset + packet * index] === 0x47)
  )

const looksLikeText = (bytes: Uint8Array): boolean =>
  bytes.every((byte) => byte >= 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d || byte === 0x0c)

const playlistMarks = ["#extm3u", "ffconcat", "<mpd", "<smil", "<asx", "[playlist]", "<smoothstreamingmedia"]

/** Tells a container by the first bytes of a file, at most `signatureBytes` of them. */
export const containerSignature = (bytes: Uint8Array): ContainerSignature => {
  if (bytes.length === 0) return refused("empty", "0 bytes")

  const box = ascii(bytes, 4, 4)
  if (isoBoxes.has(box)) {
    const brand = ascii(bytes, 8, 4)
    return box === "ftyp" && stillPictureBrands.has(brand)
      ? refused("image", `still picture of brand "${brand}"`)
      : container("mov", "isobmff")
  }
  if (startsWith(bytes, 0x1a, 0x45, 0xdf, 0xa3)) return container("matroska,webm")
  const riff = ascii(bytes, 0, 4)
  if (riff === "RIFF" || riff === "RF64") {
    const form = ascii(bytes, 8, 4)
    if (form === "AVI ") return container("avi")
    if (form === "WAVE") return container("wav")
    return refused(form === "WEBP" ? "image" : "not_media", `RIFF of form "${form}"`)
  }
  if (riff === "OggS") return container("ogg")
  if (riff === "fLaC") return container("flac")
  if (startsWith(bytes, 0x46, 0x4c, 0x56, 0x01)) return container("flv")
  if (startsWith(bytes, 0x30, 0x26, 0xb2, 0x75, 0x8e, 0x66, 0xcf, 0x11)) return container("asf")
  if (startsWith(bytes, 0x06, 0x0e, 0x2b, 0x34)) return container("mxf")
  if (startsWith(bytes, 0x00, 0x00, 0x01, 0xba)) return container("mpeg")
  if (ascii(bytes, 0, 3) === "ID3") return container("mp3,aac,flac")
  if (transportStreamSync(bytes)) return container("mpegts")

  if (startsWith(bytes, 0xff, 0xd8, 0xff)) return refused("image", "JPEG picture")
  if (startsWith(bytes, 0x89, 0x50, 0x4e, 0x47)) return refused("image", "PNG picture")
  if (ascii(bytes, 0, 4) === "GIF8") return refused("image", "GIF picture")
  if (ascii(bytes, 0, 2) === "BM") return refused("image", "BMP picture")
  if (startsWith(bytes, 0x49, 0x49, 0x2a, 0x00) || startsWith(bytes, 0x4d, 0x4d, 0x00, 0x2a)) {
    return refused("image", "TIFF picture")
  }
  if (ascii(bytes, 0, 2) === "PK") return refused("not_media", "ZIP archive")
  if (ascii(bytes, 0, 4) === "%PDF") return refused("not_media", "PDF document")

  const head = new TextDecoder()
    .decode(bytes)
    .replace(/^\uFEFF/, "")
    .trimStart()
    .toLowerCase()
  const mark =
    playlistMarks.find((candidate) => head.startsWith(candidate)) ??
    (head.startsWith("<") ? playlistMarks.find((candidate) => head.includes(candidate)) : undefined)
  if (mark !== undefined) return refused("playlist", `playlist starting with "${mark}"`)
  if (head.startsWith("<") && head.includes("<svg")) return refused("image", "SVG picture")
  if (looksLikeText(bytes)) return refused("not_media", "text")

  const [first = 0, second = 0] = bytes
  if (first === 0xff && (second & 0xf6) === 0xf0) return container("aac")
  if (first === 0xff && (second & 0xe0) === 0xe0 && (second & 0x06) !== 0) return container("mp3")

  return refused("not_media", "no known container in the first bytes")
}
