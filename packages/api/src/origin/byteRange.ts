/** Bytes `start` to `end`, both included. */
export interface ByteRange {
  readonly start: number
  readonly end: number
}

export type RangeAnswer =
  /** No range, or one that is not understood, which RFC 9110 lets a server ignore: the whole. */
  | { readonly _tag: "Whole" }
  | { readonly _tag: "Part"; readonly range: ByteRange }
  | { readonly _tag: "Unsatisfiable" }

const whole: RangeAnswer = { _tag: "Whole" }
const unsatisfiable: RangeAnswer = { _tag: "Unsatisfiable" }

/** What a `Range` header asks of an object of `size` bytes. Several ranges at once are answered with the whole. */
export const byteRange = (header: string | undefined, size: number): RangeAnswer => {
  const match = header === undefined ? null : /^bytes=(\d{0,16})-(\d{0,16})$/.exec(header.trim())
  if (match === null) return whole
  const [, first = "", last = ""] = match
  if (first === "" && last === "") return whole
  if (first === "") {
    const length = Number(last)
    return length === 0 || size === 0
      ? unsatisfiable
      : { _tag: "Part", range: { start: Math.max(0, size - length), end: size - 1 } }
  }
  const start = Number(first)
  const end = last === "" ? size - 1 : Math.min(Number(last), size - 1)
  if (last !== "" && Number(last) < start) return whole
  return start >= size ? unsatisfiable : { _tag: "Part", range: { start, end } }
}
