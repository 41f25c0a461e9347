import { isUtf8 } from "node:buffer"
import { TextDecoder } from "node:util"
import { brokenWorkbook } from "./ImportRejected.ts"

interface Encoding {
  /** What may be given on of a piece, in UTF-8. */
  push(bytes: Uint8Array): Uint8Array
  end(): Uint8Array
}

const notUnicode = () => brokenWorkbook("its text is not valid Unicode")

const isContinuation = (byte: number | undefined): boolean => byte !== undefined && (byte & 0xc0) === 0x80

/** How many bytes at the end are the beginning of a character and not the whole of it: 0 to 3. */
const unfinishedBytes = (bytes: Uint8Array): number => {
  let back = 1
  while (back < 4 && isContinuation(bytes[bytes.length - back])) back++
  const first = bytes[bytes.length - back] ?? 0
  return back < (first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc0 ? 2 : 1) ? back : 0
}

/** Gives every piece on as it is, with its last character perhaps half, after a look at all that is whole. */
class Utf8 implements Encoding {
  /** The half character. */
  #half: Uint8Array = new Uint8Array(0)

  push(bytes: Uint8Array): Uint8Array {
    let from = 0
    if (this.#half.length > 0) {
      while (from < 3 && isContinuation(bytes[from])) from++
      const joined = Buffer.concat([this.#half, bytes.subarray(0, from)])
      const isHalf = from === bytes.length && unfinishedBytes(joined) === joined.length
      this.#half = isHalf ? joined : new Uint8Array(0)
      if (isHalf) return bytes
      if (!isUtf8(joined)) throw notUnicode()
    }
    const rest = bytes.subarray(from)
    const end = rest.length - unfinishedBytes(rest)
    if (!isUtf8(rest.subarray(0, end))) throw notUnicode()
    this.#half = Uint8Array.from(rest.subarray(end))
    return bytes
  }

  end(): Uint8Array {
    if (this.#half.length > 0) throw notUnicode()
    return this.#half
  }
}

class Utf16 implements Encoding {
  readonly #decoder: TextDecoder

  constructor(byteOrder: "utf-16le" | "utf-16be") {
    this.#decoder = new TextDecoder(byteOrder, { fatal: true })
  }

  push(bytes: Uint8Array): Uint8Array {
    return this.#decode(bytes, true)
  }

  end(): Uint8Array {
    return this.#decode(new Uint8Array(0), false)
  }

  #decode(bytes: Uint8Array, stream: boolean): Uint8Array {
    try {
      return Buffer.from(this.#decoder.decode(bytes, { stream }))
    } catch {
      throw notUnicode()
    }
  }
}

const encodingOf = ([first, second]: Uint8Array): Encoding => {
  if ((first === 0xff && second === 0xfe) || (first === 0x3c && second === 0)) return new Utf16("utf-16le")
  if ((first === 0xfe && second === 0xff) || (first === 0 && second === 0x3c)) return new Utf16("utf-16be")
  return new Utf8()
}

/** Bytes in which an XML declaration has ended, if there is one. */
const declarationBytes = 1_024

/**
 * The bytes of an XML part in UTF-8, whatever its encoding and wherever they are cut. Bytes that are no character break
 * the file instead of becoming U+FFFD.
 */
export class XmlBytes {
  #encoding: Encoding | null = null
  #head: Uint8Array = new Uint8Array(0)

  /** What of it can be read by now. Its end may lie within a character, of which the next piece has the rest. */
  push(bytes: Uint8Array): Uint8Array {
    if (this.#encoding !== null) return this.#encoding.push(bytes)
    this.#head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes])
    return this.#head.length < 4 ? new Uint8Array(0) : this.#begin()
  }

  /** The rest; fails if a character was left half. */
  end(): Uint8Array {
    if (this.#encoding !== null) return this.#encoding.end()
    return Buffer.concat([this.#begin(), this.end()])
  }

  #begin(): Uint8Array {
    this.#encoding = encodingOf(this.#head)
    const bytes = this.#encoding.push(this.#head)
    const text = Buffer.from(bytes.subarray(0, declarationBytes)).toString("utf8")
    const declared = /^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.-]+)["']/.exec(text)?.[1]?.toLowerCase()
    if (declared !== undefined && !/^(utf-?8|utf-?16(le|be)?|us-ascii)$/.test(declared)) {
      throw brokenWorkbook(`its XML is encoded as ${declared.slice(0, 20)}`)
    }
    return bytes
  }
}
