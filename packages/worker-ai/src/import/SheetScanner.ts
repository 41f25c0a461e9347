import { dateOfIsoText, dateOfSerial } from "./CellDate.ts"
import { cellAddress, columnOfAddress, lastColumn, lastRow } from "./CellAddress.ts"
import type { ImportLimits } from "./ImportLimits.ts"
import { brokenWorkbook, rejected } from "./ImportRejected.ts"
import { decodeXstring } from "./SharedStrings.ts"
import type { TextTable } from "./TextTable.ts"
import type { SheetCell, SheetRow } from "./SheetReader.ts"
import type { WorkbookStyles } from "./WorkbookStyles.ts"
import { attributeOf, type AttributeVisitor, decodeEntities, walkAttributes, type XmlEvents } from "./XmlScanner.ts"

/** What the cells of a sheet refer to. */
export interface SheetContext {
  readonly sharedStrings: TextTable
  readonly styles: WorkbookStyles
  readonly date1904: boolean
  readonly limits: ImportLimits
}

/** A number as its user typed it: at most 15 digits, as Excel keeps, and no exponent. */
const numberText = (value: number): string => {
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value)
  const rounded = Number(value.toPrecision(15))
  const text = String(rounded)
  return text.includes("e") ? rounded.toLocaleString("en", { useGrouping: false, maximumFractionDigits: 20 }) : text
}

const dateCell = (column: number, text: string, formula: string | null): SheetCell => ({
  column,
  text,
  kind: text.length === 8 ? "time" : "date",
  formula,
  numberFormat: null
})

/** Merged ranges that are kept: one a class or a family is usual, and a hostile workbook may name millions. */
const mergesAtMost = 1_000

/** Turns the events of a sheet part into rows. Rows that are complete wait in `rows` until `take`. */
export class SheetScanner implements XmlEvents {
  wantsText = false
  /** The first ranges such as `C2:C4`. */
  readonly mergedOverRows: Array<string> = []
  readonly #context: SheetContext
  #rows: Array<SheetRow> = []
  #row = 0
  #hidden = false
  #inRow = false
  #cells: Array<SheetCell> = []
  #cellCount = 0
  #column = 0
  #inCell = false
  #type = "n"
  #style = 0
  #value = ""
  #hasValue = false
  #formula: string | null = null
  #inFormula = false
  #phonetic = false
  #attributes = ""

  /** One walk and one function for the three attributes of a cell: this is the hottest place of a reading. */
  readonly #cellAttribute: AttributeVisitor = (start, nameEnd, valueStart, valueEnd) => {
    if (nameEnd - start !== 1) return false
    const name = this.#attributes.charCodeAt(start)
    const value = decodeEntities(this.#attributes.slice(valueStart, valueEnd))
    if (name === 114) this.#column = columnOfAddress(value)
    else if (name === 116) this.#type = value
    else if (name === 115) this.#style = Number(value)
    return false
  }

  constructor(context: SheetContext) {
    this.#context = context
  }

  /** The rows that were completed since the last call. */
  take(): ReadonlyArray<SheetRow> {
    const rows = this.#rows
    this.#rows = []
    return rows
  }

  open(name: string, attributes: string): void {
    if (this.#inCell) this.#openInCell(name)
    else if (name === "c" && this.#inRow) this.#openCell(attributes)
    else if (name === "row") this.#openRow(attributes)
    else if (name === "mergeCell") this.#addMerge(attributeOf(attributes, "ref") ?? "")
  }

  text(text: string): void {
    if (this.#inFormula) this.#formula = (this.#formula ?? "") + text
    else this.#value += text
  }

  close(name: string): void {
    if (this.#inCell) {
      if (name === "c") this.#closeCell()
      else if (name === "rPh") this.#phonetic = false
      else this.wantsText = false
      if (name === "f") this.#inFormula = false
    } else if (name === "row") this.#closeRow()
  }

  #addMerge(range: string): void {
    const rows = /^[A-Z]+(\d+):[A-Z]+(\d+)$/.exec(range)
    if (rows === null || rows[1] === rows[2] || this.mergedOverRows.length >= mergesAtMost) return
    this.mergedOverRows.push(range)
  }

  #openRow(attributes: string): void {
    const given = attributeOf(attributes, "r")
    this.#row = given === undefined ? this.#row + 1 : Number(given)
    if (!Number.isInteger(this.#row) || this.#row < 1 || this.#row > lastRow) {
      throw brokenWorkbook("a row has an impossible number")
    }
    const hidden = attributeOf(attributes, "hidden")
    this.#hidden = hidden === "1" || hidden === "true"
    this.#inRow = true
    this.#column = 0
    this.#cells = []
  }

  #closeRow(): void {
    this.#inRow = false
    if (this.#cells.length > 0) this.#rows.push({ row: this.#row, hidden: this.#hidden, cells: this.#cells })
  }

  #openCell(attributes: string): void {
    const { limits } = this.#context
    if (++this.#cellCount > limits.cells) {
      throw rejected(
        "too_many_cells",
        `셀이 ${limits.cells.toLocaleString("en")}개를 넘어 읽을 수 없습니다. 여러 파일로 나누어 올려 주세요`,
        `The sheet has more than ${limits.cells} cells; split it into several files`
      )
    }
    this.#column++
    this.#type = "n"
    this.#style = 0
    this.#attributes = attributes
    walkAttributes(attributes, this.#cellAttribute)
    if (this.#column < 1 || this.#column > lastColumn) throw brokenWorkbook("a cell has an impossible address")
    this.#value = ""
    this.#hasValue = false
    this.#formula = null
    this.#phonetic = false
    this.#inCell = true
  }

  #openInCell(name: string): void {
    if (name === "v") {
      this.#hasValue = true
      this.wantsText = true
    } else if (name === "t") {
      this.#hasValue = true
      this.wantsText = !this.#phonetic
    } else if (name === "f") {
      this.#formula = ""
      this.#inFormula = true
      this.wantsText = true
    } else if (name === "rPh") this.#phonetic = true
  }

  #closeCell(): void {
    this.#inCell = false
    this.wantsText = false
    const cell = this.#cell()
    if (cell === null) return
    this.#cells.push(cell)
    const { limits } = this.#context
    if (this.#cells.length > limits.columns) {
      throw rejected(
        "too_many_columns",
        `${this.#row}행에 값이 있는 셀이 ${limits.columns.toLocaleString("en")}개를 넘습니다. 필요한 열만 남기고 다시 올려 주세요`,
        `Row ${this.#row} has more than ${limits.columns} cells with a value; keep the columns that you need`
      )
    }
  }

  #cell(): SheetCell | null {
    const column = this.#column
    const formula = this.#formula
    const value = this.#value
    if (!this.#hasValue || value === "") {
      return formula === null ? null : { column, text: "", kind: "text", formula, numberFormat: null }
    }
    switch (this.#type) {
      case "s": {
        const text = this.#context.sharedStrings.get(Number(value))
        if (text === undefined) throw this.#brokenCell("points at a text that is not there")
        return text === "" ? null : { column, text, kind: "text", formula, numberFormat: null }
      }
      case "inlineStr":
      case "str":
        return { column, text: decodeXstring(value), kind: "text", formula, numberFormat: null }
      case "b":
        return { column, text: value.trim() === "1" ? "TRUE" : "FALSE", kind: "boolean", formula, numberFormat: null }
      case "e":
        return { column, text: value, kind: "error", formula, numberFormat: null }
      case "d": {
        const text = dateOfIsoText(value)
        if (text === null) throw this.#brokenCell("holds no date")
        return dateCell(column, text, formula)
      }
      case "n":
        return this.#numberCell(column, Number(value), formula)
      default:
        throw this.#brokenCell("has an unknown type")
    }
  }

  #numberCell(column: number, value: number, formula: string | null): SheetCell {
    if (!Number.isFinite(value)) throw this.#brokenCell("holds no number")
    const { date1904, styles } = this.#context
    if (styles.isDate(this.#style)) {
      const date = dateOfSerial(value, date1904)
      if (date !== null) return dateCell(column, date, formula)
    }
    return { column, text: numberText(value), kind: "number", formula, numberFormat: styles.numberFormat(this.#style) }
  }

  #brokenCell(why: string) {
    return brokenWorkbook(`cell ${cellAddress(this.#column, this.#row)} ${why}`)
  }
}
