import { dateOfIsoText, dateOfSerial } from "./CellDate.ts"
import { cellAddress, columnOfRange, lastColumn, lastRow } from "./CellAddress.ts"
import type { ImportLimits } from "./ImportLimits.ts"
import { brokenWorkbook, rejected } from "./ImportRejected.ts"
import { decodeXstring } from "./SharedStrings.ts"
import type { TextTable } from "./TextTable.ts"
import type { SheetCell, SheetRow } from "./SheetReader.ts"
import type { WorkbookStyles } from "./WorkbookStyles.ts"
import type { AttributeVisitor, XmlAttributes } from "./XmlAttributes.ts"
import { XmlNames } from "./XmlNames.ts"
import type { XmlRange } from "./XmlRange.ts"
import type { XmlEvents } from "./XmlScanner.ts"

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

/**
 * A class, and not a literal: of a place with literals V8 looks whether the first hundred objects live on, and if so it
 * puts the two million that follow among the old ones at once, where they lie until the whole heap is gone through. One
 * reading in ten took 100 MiB more for it.
 */
class Cell implements SheetCell {
  readonly column: number
  readonly text: string
  readonly kind: SheetCell["kind"]
  readonly formula: string | null
  readonly numberFormat: string | null

  constructor(
    column: number,
    text: string,
    kind: SheetCell["kind"],
    formula: string | null,
    numberFormat: string | null
  ) {
    this.column = column
    this.text = text
    this.kind = kind
    this.formula = formula
    this.numberFormat = numberFormat
  }
}

class Row implements SheetRow {
  readonly row: number
  readonly hidden: boolean
  readonly cells: ReadonlyArray<SheetCell>

  constructor(row: number, hidden: boolean, cells: ReadonlyArray<SheetCell>) {
    this.row = row
    this.hidden = hidden
    this.cells = cells
  }
}

const dateCell = (column: number, text: string, formula: string | null): SheetCell =>
  new Cell(column, text, text.length === 8 ? "time" : "date", formula, null)

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
  /** The cells of the row at hand are its first so many. */
  readonly #cells: Array<SheetCell> = []
  #filled = 0
  #cellCount = 0
  #column = 0
  #inCell = false
  #type = "n"
  #style = 0
  #value = ""
  /** The value where digits alone spell it, as most numbers and all shared strings are: no text is made of it. */
  #number = -1
  #hasValue = false
  #formula: string | null = null
  #inFormula = false
  #phonetic = false
  readonly #types = new XmlNames()

  /** One walk and one function for the three attributes of a cell: this is the hottest place of a reading. */
  readonly #cellAttribute: AttributeVisitor = (name, value) => {
    if (name.end - name.start !== 1) return false
    const letter = name.bytes[name.start]
    if (letter === 114) this.#column = columnOfRange(value)
    else if (letter === 116) this.#type = this.#types.at(value.bytes, value.start, value.end).text
    else if (letter === 115) this.#style = value.toNumber()
    return false
  }

  readonly #rowAttribute: AttributeVisitor = (name, value) => {
    if (name.is("r")) this.#row = value.toNumber()
    else if (name.is("hidden")) this.#hidden = value.is("1") || value.is("true")
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

  open(name: string, attributes: XmlAttributes): void {
    if (this.#inCell) this.#openInCell(name)
    else if (name === "c" && this.#inRow) this.#openCell(attributes)
    else if (name === "row") this.#openRow(attributes)
    else if (name === "mergeCell") this.#addMerge(attributes.get("ref") ?? "")
  }

  text(text: XmlRange): void {
    if (this.#inFormula) this.#formula = (this.#formula ?? "") + text.toString()
    else if (!this.#takeNumber(text)) {
      this.#value = (this.#number < 0 ? this.#value : String(this.#number)) + text.toString()
      this.#number = -1
    }
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

  #openRow(attributes: XmlAttributes): void {
    this.#row++
    this.#hidden = false
    attributes.walk(this.#rowAttribute)
    if (!Number.isInteger(this.#row) || this.#row < 1 || this.#row > lastRow) {
      throw brokenWorkbook("a row has an impossible number")
    }
    this.#inRow = true
    this.#column = 0
    this.#filled = 0
  }

  #closeRow(): void {
    this.#inRow = false
    if (this.#filled > 0) this.#rows.push(new Row(this.#row, this.#hidden, this.#cells.slice(0, this.#filled)))
  }

  #openCell(attributes: XmlAttributes): void {
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
    attributes.walk(this.#cellAttribute)
    if (this.#column < 1 || this.#column > lastColumn) throw brokenWorkbook("a cell has an impossible address")
    this.#value = ""
    this.#number = -1
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
    this.#cells[this.#filled++] = cell
    const { limits } = this.#context
    if (this.#filled > limits.columns) {
      throw rejected(
        "too_many_columns",
        `${this.#row}행에 값이 있는 셀이 ${limits.columns.toLocaleString("en")}개를 넘습니다. 필요한 열만 남기고 다시 올려 주세요`,
        `Row ${this.#row} has more than ${limits.columns} cells with a value; keep the columns that you need`
      )
    }
  }

  /** Takes the first piece of a value that is a number; false if it is none. */
  #takeNumber(text: XmlRange): boolean {
    if (this.#type !== "s" && this.#type !== "n") return false
    if (this.#value !== "" || this.#number >= 0) return false
    this.#number = text.wholeNumber()
    return this.#number >= 0
  }

  #cell(): SheetCell | null {
    const column = this.#column
    const formula = this.#formula
    const value = this.#value
    const number = this.#number >= 0 ? this.#number : Number(value)
    if (!this.#hasValue || (value === "" && this.#number < 0)) {
      return formula === null ? null : new Cell(column, "", "text", formula, null)
    }
    switch (this.#type) {
      case "s": {
        const text = this.#context.sharedStrings.get(number)
        if (text === undefined) throw this.#brokenCell("points at a text that is not there")
        return text === "" ? null : new Cell(column, text, "text", formula, null)
      }
      case "inlineStr":
      case "str":
        return new Cell(column, decodeXstring(value), "text", formula, null)
      case "b":
        return new Cell(column, value.trim() === "1" ? "TRUE" : "FALSE", "boolean", formula, null)
      case "e":
        return new Cell(column, value, "error", formula, null)
      case "d": {
        const text = dateOfIsoText(value)
        if (text === null) throw this.#brokenCell("holds no date")
        return dateCell(column, text, formula)
      }
      case "n":
        return this.#numberCell(column, number, formula)
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
    return new Cell(column, numberText(value), "number", formula, styles.numberFormat(this.#style))
  }

  #brokenCell(why: string) {
    return brokenWorkbook(`cell ${cellAddress(this.#column, this.#row)} ${why}`)
  }
}
