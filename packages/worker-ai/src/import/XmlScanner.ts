import { TextDecoder } from "node:util"
import type { ImportLimits } from "./ImportLimits.ts"
import { brokenWorkbook as broken, rejected } from "./ImportRejected.ts"

/** What a scanner tells. Names are local names: prefixes differ between programs and mean nothing here. */
export interface XmlEvents {
  /** An element begins. `attributes` is the raw text between its name and its end, for `attributeOf`. */
  open(name: string, attributes: string): void
  /** Text, decoded, in as many pieces as the file has it in. Only called while `wantsText` is true. */
  text(text: string): void
  close(name: string): void
  readonly wantsText: boolean
}

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
  if (Number.isNaN(code) || code > 0x10ffff) throw broken("an XML entity is unknown")
  return String.fromCodePoint(code)
}

/** Text with its five named and its numeric entities decoded; any other entity breaks the file. */
export const decodeEntities = (text: string): string => {
  let from = text.indexOf("&")
  if (from < 0) return text
  let decoded = ""
  let done = 0
  while (from >= 0) {
    const end = text.indexOf(";", from)
    if (end < 0) throw broken("an XML entity has no end")
    decoded += text.slice(done, from) + decodeEntity(text.slice(from + 1, end))
    done = end + 1
    from = text.indexOf("&", done)
  }
  return decoded + text.slice(done)
}

const isSpace = (code: number): boolean => code === 32 || code === 10 || code === 13 || code === 9

/** Hears of one attribute by the places of its name and its value in the raw text; true ends the walk. */
export type AttributeVisitor = (nameStart: number, nameEnd: number, valueStart: number, valueEnd: number) => boolean

/** Walks once over the raw text that `open` gives, making no strings. */
export const walkAttributes = (attributes: string, visit: AttributeVisitor): void => {
  let index = 0
  for (;;) {
    while (isSpace(attributes.charCodeAt(index))) index++
    const start = index
    while (index < attributes.length && attributes.charCodeAt(index) !== 61) index++
    if (index >= attributes.length) return
    let nameEnd = index
    while (isSpace(attributes.charCodeAt(nameEnd - 1))) nameEnd--
    index++
    while (isSpace(attributes.charCodeAt(index))) index++
    const quote = attributes.charCodeAt(index)
    const end = quote === 34 || quote === 39 ? attributes.indexOf(quote === 34 ? "\"" : "'", index + 1) : -1
    if (end < 0) throw broken("an attribute has no quotes")
    if (visit(start, nameEnd, index + 1, end)) return
    index = end + 1
  }
}

/**
 * The decoded value of an attribute in the raw text that `open` gives; undefined if it is not there. `name` is compared
 * whole; with a colon at its head (":id") it stands for that name under any prefix.
 */
export const attributeOf = (attributes: string, name: string): string | undefined => {
  let value: string | undefined
  walkAttributes(attributes, (start, nameEnd, valueStart, valueEnd) => {
    const found =
      name.charCodeAt(0) === 58
        ? attributes.slice(start, nameEnd).endsWith(name)
        : nameEnd - start === name.length && attributes.startsWith(name, start)
    if (found) value = decodeEntities(attributes.slice(valueStart, valueEnd))
    return found
  })
  return value
}

/**
 * A push scanner for the XML in workbooks: text goes in in pieces cut anywhere, events come out at once. It holds one
 * unfinished token and the names of the open elements, nothing else. Document types are refused, so that no entity can
 * be declared.
 *
 * Throws `ImportRejected`; whoever drives it turns that into a typed failure.
 */
export class XmlScanner {
  readonly #events: XmlEvents
  readonly #limits: ImportLimits
  readonly #open: Array<string> = []
  #rest = ""

  constructor(events: XmlEvents, limits: ImportLimits) {
    this.#events = events
    this.#limits = limits
  }

  push(chunk: string): void {
    const buffer = this.#rest === "" ? chunk : this.#rest + chunk
    let at = 0
    while (at < buffer.length) {
      const next = buffer.charCodeAt(at) === 60 ? this.#markup(buffer, at) : this.#text(buffer, at)
      if (next < 0) break
      at = next
    }
    this.#rest = at === 0 ? buffer : buffer.slice(at)
    if (this.#rest.length > this.#limits.textUnits) {
      throw rejected(
        "text_too_long",
        "한 셀에 글자가 너무 많습니다. 내용을 줄인 뒤 다시 올려 주세요",
        `One cell holds more than ${this.#limits.textUnits} characters; shorten it and upload the file again`
      )
    }
  }

  /** To be called after the last piece. */
  end(): void {
    if (this.#open.length > 0 || this.#rest.trim() !== "") throw broken("its XML ends too early")
  }

  #text(buffer: string, at: number): number {
    const end = buffer.indexOf("<", at)
    if (end < 0) return -1
    if (this.#events.wantsText) this.#events.text(decodeEntities(buffer.slice(at, end)))
    return end
  }

  #markup(buffer: string, at: number): number {
    const second = buffer.charCodeAt(at + 1)
    if (second === 33) return this.#declaration(buffer, at)
    if (second === 63) {
      const end = buffer.indexOf("?>", at)
      return end < 0 ? -1 : end + 2
    }
    const end = this.#endOfTag(buffer, at)
    if (end < 0) return -1
    if (second === 47) this.#closeTag(buffer, at, end)
    else this.#openTag(buffer, at, end)
    return end + 1
  }

  /** The ">" that ends the tag: one inside a quoted attribute does not. */
  #endOfTag(buffer: string, at: number): number {
    for (let index = at + 1; index < buffer.length; index++) {
      const code = buffer.charCodeAt(index)
      if (code === 62) return index
      if (code === 34 || code === 39) {
        index = buffer.indexOf(code === 34 ? "\"" : "'", index + 1)
        if (index < 0) return -1
      }
    }
    return -1
  }

  #openTag(buffer: string, at: number, end: number): void {
    const empty = buffer.charCodeAt(end - 1) === 47
    const bound = empty ? end - 1 : end
    let start = at + 1
    let index = start
    for (; index < bound; index++) {
      const code = buffer.charCodeAt(index)
      if (code === 58) start = index + 1
      else if (isSpace(code)) break
    }
    if (index === start) throw broken("an element has no name")
    const name = buffer.slice(start, index)
    this.#events.open(name, index === bound ? "" : buffer.slice(index, bound))
    if (empty) {
      this.#events.close(name)
      return
    }
    this.#open.push(name)
    if (this.#open.length > this.#limits.nesting) {
      throw rejected(
        "nesting_too_deep",
        "파일의 구조가 비정상적으로 깊어 열지 않았습니다. Excel에서 새 이름의 .xlsx로 다시 저장한 뒤 올려 주세요",
        `The workbook's XML is nested deeper than ${this.#limits.nesting} levels; save it again in Excel as .xlsx`
      )
    }
  }

  #closeTag(buffer: string, at: number, end: number): void {
    let bound = end
    while (isSpace(buffer.charCodeAt(bound - 1))) bound--
    const qualified = buffer.slice(at + 2, bound)
    const name = qualified.slice(qualified.indexOf(":") + 1)
    if (this.#open.pop() !== name) throw broken("its XML elements do not match")
    this.#events.close(name)
  }

  #declaration(buffer: string, at: number): number {
    const head = buffer.slice(at, at + 9)
    if (head.startsWith("<!--")) {
      const end = buffer.indexOf("-->", at + 4)
      return end < 0 ? -1 : end + 3
    }
    if (head === "<![CDATA[") {
      const end = buffer.indexOf("]]>", at)
      if (end < 0) return -1
      if (this.#events.wantsText) this.#events.text(buffer.slice(at + 9, end))
      return end + 3
    }
    if (head.length < 9 && ("<!--".startsWith(head) || "<![CDATA[".startsWith(head))) return -1
    throw rejected(
      "xml_doctype",
      "파일에 허용되지 않는 선언(DTD)이 들어 있어 열지 않았습니다. Excel에서 새 이름의 .xlsx로 다시 저장한 뒤 올려 주세요",
      "The workbook's XML declares a document type, as no spreadsheet program does; save it again in Excel as .xlsx"
    )
  }
}

/**
 * Turns the bytes of an XML part into text across any cut of the bytes, exactly: a character that lies on a cut is kept
 * until it is whole, and bytes that are no character break the file instead of becoming U+FFFD.
 */
export class XmlText {
  #decoder: TextDecoder | null = null
  #head: Uint8Array = new Uint8Array(0)

  /** The text that is whole by now. */
  push(bytes: Uint8Array): string {
    if (this.#decoder !== null) return this.#decode(this.#decoder, bytes, true)
    this.#head = this.#head.length === 0 ? bytes : Buffer.concat([this.#head, bytes])
    return this.#head.length < 4 ? "" : this.#begin(true)
  }

  /** The rest; fails if a character was left half. */
  end(): string {
    if (this.#decoder === null) return this.#begin(false)
    return this.#decode(this.#decoder, new Uint8Array(0), false)
  }

  #begin(stream: boolean): string {
    const [first, second] = this.#head
    const encoding =
      (first === 0xff && second === 0xfe) || (first === 0x3c && second === 0)
        ? "utf-16le"
        : (first === 0xfe && second === 0xff) || (first === 0 && second === 0x3c)
          ? "utf-16be"
          : "utf-8"
    this.#decoder = new TextDecoder(encoding, { fatal: true })
    const text = this.#decode(this.#decoder, this.#head, stream)
    const declared = /^\s*<\?xml[^>]*?encoding\s*=\s*["']([\w.-]+)["']/.exec(text)?.[1]?.toLowerCase()
    if (declared !== undefined && !/^(utf-?8|utf-?16(le|be)?|us-ascii)$/.test(declared)) {
      throw broken(`its XML is encoded as ${declared.slice(0, 20)}`)
    }
    return text
  }

  #decode(decoder: TextDecoder, bytes: Uint8Array, stream: boolean): string {
    try {
      return decoder.decode(bytes, { stream })
    } catch {
      throw broken("its text is not valid Unicode")
    }
  }
}
