import { isDateFormat } from "./CellDate.ts"
import type { XmlAttributes } from "./XmlAttributes.ts"
import type { XmlEvents } from "./XmlScanner.ts"

/** What a cell's style says about its number: all that an import needs of a workbook's looks. */
export interface WorkbookStyles {
  readonly isDate: (style: number) => boolean
  /** The workbook's own format code; null for a built-in format. */
  readonly numberFormat: (style: number) => string | null
}

/** Gathers number formats from the styles part: cell formats only, not those of named styles. */
export class StylesScanner implements XmlEvents, WorkbookStyles {
  readonly wantsText = false
  readonly #codes = new Map<number, string>()
  readonly #formats: Array<number> = []
  readonly #dates = new Map<number, boolean>()
  #inCellFormats = false

  open(name: string, attributes: XmlAttributes): void {
    if (name === "cellXfs") this.#inCellFormats = true
    else if (name === "numFmt") {
      const code = attributes.get("formatCode")
      if (code !== undefined) this.#codes.set(Number(attributes.get("numFmtId")), code)
    } else if (name === "xf" && this.#inCellFormats) {
      this.#formats.push(Number(attributes.get("numFmtId") ?? 0))
    }
  }

  text(): void {}

  close(name: string): void {
    if (name === "cellXfs") this.#inCellFormats = false
  }

  isDate(style: number): boolean {
    const known = this.#dates.get(style)
    if (known !== undefined) return known
    const id = this.#formats[style] ?? 0
    const isDate = isDateFormat(id, this.#codes.get(id))
    this.#dates.set(style, isDate)
    return isDate
  }

  numberFormat(style: number): string | null {
    const code = this.#codes.get(this.#formats[style] ?? 0)
    return code === undefined || /^general$/i.test(code) ? null : code
  }
}
