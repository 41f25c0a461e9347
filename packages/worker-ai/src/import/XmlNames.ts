/** A name of which every occurrence is the same object. */
export interface XmlName {
  readonly text: string
  readonly bytes: Uint8Array
}

/** A power of two. */
const slots = 256

/** Whether the bytes from `start` on begin with the name's. */
export const isNameAt = ({ bytes: name }: XmlName, bytes: Uint8Array, start: number): boolean => {
  for (let index = 0; index < name.length; index++) if (bytes[start + index] !== name[index]) return false
  return true
}

/** Names by their bytes: a workbook has a handful, two million times, and decoding each would cost more than the rest. */
export class XmlNames {
  /** Two names that want the same slot drive each other out, so that no file can make this grow. */
  readonly #names = Array.from<XmlName | undefined>({ length: slots })

  at(bytes: Buffer, start: number, end: number): XmlName {
    const length = end - start
    const slot = (length * 37 + (bytes[start] ?? 0) + (bytes[end - 1] ?? 0) * 7) & (slots - 1)
    const known = this.#names[slot]
    if (known !== undefined && known.bytes.length === length && isNameAt(known, bytes, start)) return known
    const name = { text: bytes.toString("utf8", start, end), bytes: Uint8Array.from(bytes.subarray(start, end)) }
    this.#names[slot] = name
    return name
  }
}
