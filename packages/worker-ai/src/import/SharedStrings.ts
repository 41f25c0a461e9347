import type { ImportLimits } from "./ImportLimits.ts"
import { rejected } from "./ImportRejected.ts"
import { storableText } from "./StorableText.ts"
import { TextTable } from "./TextTable.ts"
import type { XmlEvents } from "./XmlScanner.ts"

/** `_x000D_` stands for a character that XML cannot hold, `_x005F_` for the underscore that would begin such a mark. */
export const decodeXstring = (text: string): string =>
  storableText(
    text.includes("_x")
      ? text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
      : text
  )

/**
 * Gathers the table of shared strings: all runs of a rich text joined, its phonetic guides left out. The table is the
 * one thing that a workbook makes a reader hold, so its number and its size are limited.
 */
export class SharedStrings implements XmlEvents {
  readonly texts = new TextTable()
  wantsText = false
  readonly #limits: ImportLimits
  #text = ""
  #units = 0
  #phonetic = false

  constructor(limits: ImportLimits) {
    this.#limits = limits
  }

  open(name: string): void {
    if (name === "si") this.#text = ""
    else if (name === "rPh") this.#phonetic = true
    else if (name === "t") this.wantsText = !this.#phonetic
  }

  text(text: string): void {
    this.#text += text
  }

  close(name: string): void {
    if (name === "t") this.wantsText = false
    else if (name === "rPh") this.#phonetic = false
    else if (name === "si") this.#add(decodeXstring(this.#text))
  }

  #add(text: string): void {
    this.#units += text.length
    if (this.texts.count >= this.#limits.sharedStrings || this.#units > this.#limits.sharedStringUnits) {
      throw rejected(
        "too_many_shared_strings",
        "파일에 글자가 너무 많아 한 번에 읽을 수 없습니다. 여러 파일로 나누어 올려 주세요",
        `The workbook holds more than ${this.#limits.sharedStrings} texts or ` +
          `${this.#limits.sharedStringUnits} characters; split it into several files`
      )
    }
    this.texts.add(text)
  }
}
