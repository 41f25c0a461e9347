export interface ImageSize {
  readonly kind: "png" | "jpeg"
  /** Pixels. */
  readonly width: number
  readonly height: number
}

const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]

const startsWith = (bytes: Uint8Array, start: ReadonlyArray<number>): boolean =>
  start.every((byte, index) => bytes[index] === byte)

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The first chunk of a PNG is its header: length, `IHDR`, width, height. */
const pngSize = (bytes: Uint8Array): ImageSize | null => {
  if (bytes.length < 24) return null
  const view = viewOf(bytes)
  return view.getUint32(12) === 0x49484452
    ? { kind: "png", width: view.getUint32(16), height: view.getUint32(20) }
    : null
}

/** Frame headers, which have the size; the three in between are tables. */
const isFrameHeader = (marker: number): boolean =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc

/** A JPEG is a row of segments, `FF` marker length, up to the frame header. */
const jpegSize = (bytes: Uint8Array): ImageSize | null => {
  const view = viewOf(bytes)
  let at = 2
  while (at + 9 <= bytes.length) {
    if (bytes[at] !== 0xff) return null
    const marker = view.getUint8(at + 1)
    if (marker === 0xff) {
      at += 1
      continue
    }
    if (isFrameHeader(marker)) return { kind: "jpeg", height: view.getUint16(at + 5), width: view.getUint16(at + 7) }
    const length = view.getUint16(at + 2)
    if (length < 2) return null
    at += 2 + length
  }
  return null
}

/**
 * The size that a PNG or JPEG says it has, by its header alone: nothing is decoded. `null` for anything else, and for
 * a header that is broken.
 */
export const imageSize = (bytes: Uint8Array): ImageSize | null =>
  startsWith(bytes, pngSignature) ? pngSize(bytes) : startsWith(bytes, [0xff, 0xd8]) ? jpegSize(bytes) : null
