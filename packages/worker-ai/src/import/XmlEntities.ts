import { brokenWorkbook } from "./ImportRejected.ts"
import type { XmlRange } from "./XmlRange.ts"

const namedEntities: ReadonlyMap<string, string> = new Map([
  ["amp", "&"],
  ["lt", "<"],
  ["gt", ">"],
  ["quot", "\""],
  ["apos", "'"]
])

const decodeEntity = (entity: string): string => {
  const named = namedEntities.get(entity)
  if (named !== undefined) return named
  const numeric = /^#(?:x([0-9a-fA-F]{1,6})|([0-9]{1,7}))$/.exec(entity)
  const code = numeric === null ? Number.NaN : Number(numeric[1] === undefined ? numeric[2] : `0x${numeric[1]}`)
  if (Number.isNaN(code) || code > 0x10ffff) throw brokenWorkbook("an XML entity is unknown")
  return String.fromCodePoint(code)
}

const decoded = (text: string): string => {
  let whole = ""
  let done = 0
  for (let from = text.indexOf("&"); from >= 0; from = text.indexOf("&", done)) {
    const end = text.indexOf(";", from)
    if (end < 0) throw brokenWorkbook("an XML entity has no end")
    whole += text.slice(done, from) + decodeEntity(text.slice(from + 1, end))
    done = end + 1
  }
  return whole + text.slice(done)
}

/**
 * Puts a range to bytes that hold its text with the five named and the numeric entities decoded, half a surrogate pair
 * as U+FFFD. Any other entity breaks the file.
 */
export const decodeEntities = (range: XmlRange): void => {
  const bytes = Buffer.from(decoded(range.toString()))
  range.move(bytes, 0, bytes.length)
}
