import type { ImportLimits } from "./ImportLimits.ts"
import { brokenWorkbook as broken, rejected } from "./ImportRejected.ts"
import { isXmlSpace, XmlAttributes } from "./XmlAttributes.ts"
import { decodeEntities } from "./XmlEntities.ts"
import { isNameAt, type XmlName, XmlNames } from "./XmlNames.ts"
import { XmlRange } from "./XmlRange.ts"

/** What a scanner tells. Names are local names: prefixes differ between programs and mean nothing here. */
export interface XmlEvents {
  /** An element begins. Its attributes are there during this call. */
  open(name: string, attributes: XmlAttributes): void
  /** Text, decoded, in as many pieces as the file has it in, each there during its call; only while `wantsText`. */
  text(text: XmlRange): void
  close(name: string): void
  readonly wantsText: boolean
}

/** Whether a closing tag's content is the name behind any prefix and before any space. */
const isLocalName = (name: XmlName, bytes: Uint8Array, from: number, to: number): boolean => {
  let end = to
  while (isXmlSpace(bytes[end - 1])) end--
  const colon = bytes.indexOf(58, from)
  const start = colon < 0 || colon > end ? from : colon + 1
  return name.bytes.length === end - start && isNameAt(name, bytes, start)
}

/**
 * A push scanner for the XML in workbooks: UTF-8 goes in in pieces cut anywhere, events come out at once. It holds one
 * unfinished token and the names of the open elements, nothing else. Document types are refused, so that no entity can
 * be declared.
 *
 * Throws `ImportRejected`; whoever drives it turns that into a typed failure.
 */
export class XmlScanner {
  readonly #events: XmlEvents
  readonly #limits: ImportLimits
  readonly #names = new XmlNames()
  readonly #open: Array<XmlName> = []
  readonly #attributes = new XmlAttributes()
  readonly #text = new XmlRange()
  /** The unfinished token of the pieces before, and behind it the piece at hand. */
  #buffer = Buffer.alloc(0)
  #length = 0

  constructor(events: XmlEvents, limits: ImportLimits) {
    this.#events = events
    this.#limits = limits
  }

  push(piece: Uint8Array): void {
    this.#append(piece)
    let at = 0
    while (at < this.#length) {
      const next = this.#buffer[at] === 60 ? this.#markup(at) : this.#textAt(at)
      if (next < 0) break
      at = next
    }
    this.#buffer.copyWithin(0, at, this.#length)
    this.#length -= at
    this.#checkLength(0, this.#length)
  }

  /** To be called after the last piece. */
  end(): void {
    const rest = this.#buffer.toString("utf8", 0, this.#length)
    if (this.#open.length > 0 || rest.trim() !== "") throw broken("its XML ends too early")
  }

  #append(piece: Uint8Array): void {
    const length = this.#length + piece.length
    if (length > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(length * 2)
      this.#buffer.copy(larger, 0, 0, this.#length)
      this.#buffer = larger
    }
    this.#buffer.set(piece, this.#length)
    this.#length = length
  }

  #checkLength(start: number, end: number): void {
    const { textUnits } = this.#limits
    // A byte is a unit at most, so that short ones need no counting.
    if (end - start <= textUnits || this.#buffer.toString("utf8", start, end).length <= textUnits) return
    throw rejected(
      "text_too_long",
      "한 셀에 글자가 너무 많습니다. 내용을 줄인 뒤 다시 올려 주세요",
      `One cell holds more than ${textUnits} characters; shorten it and upload the file again`
    )
  }

  #textAt(at: number): number {
    const buffer = this.#buffer
    const length = this.#length
    let end = at
    let escaped = false
    for (; end < length; end++) {
      const code = buffer[end]
      if (code === 60) break
      if (code === 38) escaped = true
    }
    if (end === length) return -1
    if (this.#events.wantsText) this.#tellText(at, end, escaped)
    return end
  }

  #tellText(start: number, end: number, escaped: boolean): void {
    this.#checkLength(start, end)
    this.#text.move(this.#buffer, start, end)
    if (escaped) decodeEntities(this.#text)
    this.#events.text(this.#text)
  }

  #markup(at: number): number {
    const second = this.#buffer[at + 1]
    if (second === 47) return this.#closeTag(at)
    if (second === 33) return this.#declaration(at)
    if (second === 63) return this.#behind("?>", at)
    return this.#openTag(at)
  }

  /** The place behind the next such text; -1 if it is not there yet. */
  #behind(text: string, from: number): number {
    const found = this.#buffer.subarray(0, this.#length).indexOf(text, from)
    return found < 0 ? -1 : found + text.length
  }

  /** The ">" that ends the tag: one inside a quoted attribute does not. */
  #endOfTag(from: number): number {
    const buffer = this.#buffer
    const length = this.#length
    let quote = 0
    for (let index = from; index < length; index++) {
      const code = buffer[index]
      if (quote !== 0) {
        if (code === quote) quote = 0
      } else if (code === 62) return index
      else if (code === 34 || code === 39) quote = code
    }
    return -1
  }

  #openTag(at: number): number {
    const buffer = this.#buffer
    const length = this.#length
    let start = at + 1
    let index = start
    for (; index < length; index++) {
      const code = buffer[index]
      if (code === 58) start = index + 1
      else if (code === 62 || code === 47 || isXmlSpace(code)) break
    }
    const end = this.#endOfTag(index)
    if (end < 0) return -1
    if (index === start) throw broken("an element has no name")
    const empty = buffer[end - 1] === 47
    const name = this.#names.at(buffer, start, index)
    this.#attributes.move(buffer, index, empty ? end - 1 : end)
    this.#events.open(name.text, this.#attributes)
    if (empty) this.#events.close(name.text)
    else this.#enter(name)
    return end + 1
  }

  #enter(name: XmlName): void {
    this.#open.push(name)
    if (this.#open.length <= this.#limits.nesting) return
    throw rejected(
      "nesting_too_deep",
      "파일의 구조가 비정상적으로 깊어 열지 않았습니다. Excel에서 새 이름의 .xlsx로 다시 저장한 뒤 올려 주세요",
      `The workbook's XML is nested deeper than ${this.#limits.nesting} levels; save it again in Excel as .xlsx`
    )
  }

  #closeTag(at: number): number {
    const buffer = this.#buffer
    const start = at + 2
    const name = this.#open.pop()
    if (name === undefined) throw broken("its XML elements do not match")
    const plainEnd = start + name.bytes.length
    // Nearly all are written so, without a prefix or a space.
    const isPlain = plainEnd < this.#length && buffer[plainEnd] === 62 && isNameAt(name, buffer, start)
    const end = isPlain ? plainEnd : this.#endOfTag(start)
    if (end < 0) {
      this.#open.push(name)
      return -1
    }
    if (!isPlain && !isLocalName(name, buffer, start, end)) throw broken("its XML elements do not match")
    this.#events.close(name.text)
    return end + 1
  }

  #declaration(at: number): number {
    const head = this.#buffer.toString("latin1", at, Math.min(at + 9, this.#length))
    if (head.startsWith("<!--")) return this.#behind("-->", at + 4)
    if (head === "<![CDATA[") {
      const next = this.#behind("]]>", at)
      if (next >= 0 && this.#events.wantsText) this.#tellText(at + 9, next - 3, false)
      return next
    }
    if (head.length < 9 && ("<!--".startsWith(head) || "<![CDATA[".startsWith(head))) return -1
    throw rejected(
      "xml_doctype",
      "파일에 허용되지 않는 선언(DTD)이 들어 있어 열지 않았습니다. Excel에서 새 이름의 .xlsx로 다시 저장한 뒤 올려 주세요",
      "The workbook's XML declares a document type, as no spreadsheet program does; save it again in Excel as .xlsx"
    )
  }
}
