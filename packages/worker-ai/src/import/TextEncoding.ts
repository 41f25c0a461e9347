import { createReadStream } from "node:fs"
import { TextDecoder } from "node:util"
import iconv from "iconv-lite"
import { ImportRejected, rejected } from "./ImportRejected.ts"

/** The encodings in which Korean offices save delimited text. */
export type TextEncoding = "utf-8" | "utf-16le" | "utf-16be" | "cp949"

/** Turns bytes into text across any cut, exactly; throws `ImportRejected` rather than let out a U+FFFD of its own. */
export interface ExactDecoder {
  readonly push: (bytes: Uint8Array) => string
  readonly end: () => string
}

const broken = (encoding: string) =>
  rejected(
    "encoding_broken",
    `글자 인코딩(${encoding})이 깨진 곳이 있습니다. Excel에서 [CSV UTF-8(쉼표로 분리)]로 다시 저장한 뒤 올려 주세요`,
    `The file has bytes that are no ${encoding} text; save it again as "CSV UTF-8" in Excel`
  )

/**
 * A decoder for `encoding`. CP949 is decoded by iconv-lite, whose table has all 11,172 syllables: the runtime's own
 * `euc-kr` gets 2,349 of them silently wrong.
 */
export const exactDecoder = (encoding: TextEncoding): ExactDecoder => {
  if (encoding === "cp949") {
    const decoder = iconv.getDecoder("cp949")
    const exact = (text: string): string => {
      // No two bytes of CP949 mean U+FFFD, so that one in the text is always a failure.
      if (text.includes("\uFFFD")) throw broken("CP949")
      return text
    }
    return { push: (bytes) => exact(decoder.write(Buffer.from(bytes))), end: () => exact(decoder.end() ?? "") }
  }
  const decoder = new TextDecoder(encoding, { fatal: true })
  const decode = (bytes: Uint8Array, stream: boolean): string => {
    try {
      return decoder.decode(bytes, { stream })
    } catch {
      throw broken(encoding.toUpperCase())
    }
  }
  return { push: (bytes) => decode(bytes, true), end: () => decode(new Uint8Array(0), false) }
}

/** One reading of the whole file: whether it is valid at all, and what kinds of character come out. */
class Reading {
  valid = true
  beyondAscii = false
  hangul = false
  readonly #decoder: ExactDecoder

  constructor(encoding: TextEncoding) {
    this.#decoder = exactDecoder(encoding)
  }

  feed(bytes: Uint8Array | null): void {
    if (!this.valid) return
    try {
      const text = bytes === null ? this.#decoder.end() : this.#decoder.push(bytes)
      this.beyondAscii ||= /[^\0-\x7f]/.test(text)
      this.hangul ||= /[가-힣]/.test(text) || /[\u1100-\u11ff]/.test(text)
    } catch (cause) {
      if (!(cause instanceof ImportRejected)) throw cause
      this.valid = false
    }
  }
}

/**
 * Which half of UTF-16 comes first: by the byte order mark, or by where the zero halves of commas, digits and line ends
 * lie. Null for text without zeroes, which is no UTF-16; "none" for zeroes on both sides, which is no text.
 */
export const byteOrder = (head: Uint8Array): "utf-16le" | "utf-16be" | "none" | null => {
  if (head[0] === 0xff && head[1] === 0xfe) return "utf-16le"
  if (head[0] === 0xfe && head[1] === 0xff) return "utf-16be"
  let even = 0
  let odd = 0
  for (const [index, byte] of head.entries()) {
    if (byte === 0 && index % 2 === 0) even++
    else if (byte === 0) odd++
  }
  if (even === 0 && odd === 0) return null
  // A few zeroes on the other side are syllables such as U+AC00.
  if (Math.min(even, odd) * 2 > Math.max(even, odd)) return "none"
  return odd > even ? "utf-16le" : "utf-16be"
}

const byMark = (head: Uint8Array): TextEncoding | null => {
  if (head[0] === 0xef && head[1] === 0xbb && head[2] === 0xbf) return "utf-8"
  const order = byteOrder(head)
  return order === "none" ? null : order
}

/**
 * Tells the encoding of a text file, having read all of it. A byte order mark decides. Without one, text that is valid
 * UTF-8 and has Hangul in it is UTF-8, for CP949 text does not come out so; what is not valid UTF-8 but valid CP949 is
 * CP949. Text that reads as Latin letters in one and as Hangul in the other is ambiguous: `encoding_ambiguous`. Rejects with
 * `ImportRejected`, or with what the file system throws.
 */
export const detectEncoding = async (path: string): Promise<TextEncoding> => {
  const utf8 = new Reading("utf-8")
  const cp949 = new Reading("cp949")
  const chunks: AsyncIterable<Uint8Array> = createReadStream(path)
  let first = true
  for await (const chunk of chunks) {
    if (first) {
      const marked = byMark(chunk)
      if (marked !== null) return marked
      first = false
    }
    utf8.feed(chunk)
    cp949.feed(chunk)
    if (!utf8.valid && !cp949.valid) break
  }
  utf8.feed(null)
  cp949.feed(null)
  if (utf8.valid && (!utf8.beyondAscii || utf8.hangul || !cp949.valid || !cp949.hangul)) return "utf-8"
  if (utf8.valid) {
    throw rejected(
      "encoding_ambiguous",
      "글자 인코딩을 확실히 알 수 없습니다(UTF-8 또는 CP949). Excel에서 [CSV UTF-8(쉼표로 분리)]로 다시 저장한 뒤 올려 주세요",
      "The text can be read both as UTF-8 and as CP949, with different characters; save it as \"CSV UTF-8\" in Excel"
    )
  }
  if (cp949.valid) return "cp949"
  throw rejected(
    "encoding_unknown",
    "글자 인코딩을 알 수 없습니다. Excel에서 [CSV UTF-8(쉼표로 분리)]로 다시 저장한 뒤 올려 주세요",
    "The text is neither UTF-8, UTF-16 nor CP949; save it as \"CSV UTF-8\" in Excel"
  )
}
