import type { ImportLimits } from "./ImportLimits.ts"
import { rejected } from "./ImportRejected.ts"
import { storableText } from "./StorableText.ts"
import { TextTable } from "./TextTable.ts"
import type { XmlRange } from "./XmlRange.ts"
import type { XmlEvents } from "./XmlScanner.ts"

/** `_x000D_` stands for a character that XML cannot hold, `_x005F_` for the underscore that would begin such a mark. */
export const decodeXstring = (text: string): string =>
  storableText(
    text.includes("_x")
      ? text.replace(/_x([0-9A-Fa-f]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
      : text
  )

/** Whether `decodeXstring` may change it: UTF-8 itself holds no half of a surrogate pair. */
const isPlain = ({ bytes, end, start }: XmlRange): boolean => {
  for (let index = start; index < end; index++) {
    const byte = bytes[index]
    if (byte === 95 || byte === 0) return false
  }
  return true
}

/**
 * Gathers the table of shared strings: all runs of a rich text joined, its phonetic guides left out. The table is the
 * one thing that a workbook makes a reader hold, so its number and its size are limited.
 */
export class SharedStrings implements XmlEvents {
  readonly texts = new TextTable()
  wantsText = false
  readonly #limits: ImportLimits
  #plain = true
  #phonetic = false

  constructor(limits: ImportLimits) {
    this.#limits = limits
  }

  open(name: string): void {
    if (name === "t") this.wantsText = !this.#phonetic
    else if (name === "rPh") this.#phonetic = true
  }

  text(text: XmlRange): void {
    this.#plain &&= isPlain(text)
    this.texts.append(text)
    this.#checkSize()
  }

  close(name: string): void {
    if (name === "t") this.wantsText = false
    else if (name === "rPh") this.#phonetic = false
    else if (name === "si") this.#complete()
  }

  #complete(): void {
    if (!this.#plain) this.texts.change(decodeXstring)
    this.#plain = true
    this.texts.complete()
    this.#checkSize()
  }

  #checkSize(): void {
    const { sharedStrings, sharedStringUnits } = this.#limits
    if (this.texts.count <= sharedStrings && this.texts.units <= sharedStringUnits) return
    throw rejected(
      "too_many_shared_strings",
      "파일에 글자가 너무 많아 한 번에 읽을 수 없습니다. 여러 파일로 나누어 올려 주세요",
      `The workbook holds more than ${sharedStrings} texts or ${sharedStringUnits} characters; split it into several files`
    )
  }
}
