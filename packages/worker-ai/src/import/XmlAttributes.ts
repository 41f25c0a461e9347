import { brokenWorkbook } from "./ImportRejected.ts"
import { decodeEntities } from "./XmlEntities.ts"
import { XmlRange } from "./XmlRange.ts"

export const isXmlSpace = (code: number | undefined): boolean => code === 32 || code === 10 || code === 13 || code === 9

/** Hears of one attribute, its value decoded; true ends the walk. */
export type AttributeVisitor = (name: XmlRange, value: XmlRange) => boolean

/** The attributes of the element that a scanner has just opened: the raw bytes between its name and its end. */
export class XmlAttributes {
  readonly #raw = new XmlRange()
  readonly #name = new XmlRange()
  readonly #value = new XmlRange()

  /** Puts them elsewhere, as the scanner goes on. */
  move(bytes: Buffer, start: number, end: number): void {
    this.#raw.move(bytes, start, end)
  }

  walk(visit: AttributeVisitor): void {
    const { bytes, end } = this.#raw
    let index = this.#raw.start
    for (;;) {
      while (index < end && isXmlSpace(bytes[index])) index++
      const start = index
      while (index < end && bytes[index] !== 61) index++
      if (index >= end) return
      let nameEnd = index
      while (nameEnd > start && isXmlSpace(bytes[nameEnd - 1])) nameEnd--
      index++
      while (index < end && isXmlSpace(bytes[index])) index++
      index = this.#takeValue(bytes, index, end)
      this.#name.move(bytes, start, nameEnd)
      if (visit(this.#name, this.#value)) return
    }
  }

  /**
   * The decoded value of an attribute; undefined if it is not there. `name` is compared whole; with a colon at its head
   * (":id") it stands for that name under any prefix.
   */
  get(name: string): string | undefined {
    let found: string | undefined
    this.walk((given, value) => {
      const isIt = name.startsWith(":") ? given.endsWith(name) : given.is(name)
      if (isIt) found = value.toString()
      return isIt
    })
    return found
  }

  toString(): string {
    return this.#raw.toString()
  }

  /** Takes the value in the quotes at `from` and tells where the next attribute may begin. */
  #takeValue(bytes: Buffer, from: number, end: number): number {
    const quote = bytes[from]
    let index = from + 1
    let escaped = false
    for (; index < end && bytes[index] !== quote; index++) escaped ||= bytes[index] === 38
    if (index >= end || (quote !== 34 && quote !== 39)) throw brokenWorkbook("an attribute has no quotes")
    this.#value.move(bytes, from + 1, index)
    if (escaped) decodeEntities(this.#value)
    return index + 1
  }
}
