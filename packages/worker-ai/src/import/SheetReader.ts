import type { Stream } from "effect"
import type { ImportFileUnreadable } from "./ImportFileUnreadable.ts"
import type { ImportRejected } from "./ImportRejected.ts"

/** One cell with a value, as its user meant it. Empty cells are not given. */
export interface SheetCell {
  /** 1-based, from the cell's address. */
  readonly column: number
  /**
   * The value as text: numbers with at most 15 digits and no exponent, dates as `2026-03-02` or
   * `2026-03-02T09:00:00`, times as `09:00:00`, booleans as `TRUE` and `FALSE`, errors as `#N/A` and the like. Empty
   * only for a formula that holds no computed value.
   */
  readonly text: string
  readonly kind: "text" | "number" | "date" | "time" | "boolean" | "error"
  /** The formula behind the value without its "="; empty where only another cell knows it; null for a plain value. */
  readonly formula: string | null
  /** A number's own format code, such as `000-0000-0000`; null for built-in formats and for all but numbers. */
  readonly numberFormat: string | null
}

/** One row that has a value in at least one cell. */
export interface SheetRow {
  /** 1-based, exactly as the spreadsheet program shows it. */
  readonly row: number
  readonly hidden: boolean
  /** In the order of the file, which is that of the columns in every known program. */
  readonly cells: ReadonlyArray<SheetCell>
}

/** Rows that were read together. */
export interface SheetBatch {
  readonly rows: ReadonlyArray<SheetRow>
  /**
   * Cells that are merged over rows, as `C2:C4`: the first alone has a value, whatever is shown beside the others. A
   * workbook names them behind its last row.
   */
  readonly mergedOverRows?: ReadonlyArray<string>
  /** How much of the sheet has been read, 0 to 1. */
  readonly fraction: number
}

export interface Sheet {
  readonly name: string
  readonly hidden: boolean
  /**
   * The rows from the first on; may be run any number of times, each run reads the file anew in constant memory.
   * Fails with `ImportRejected` for what is wrong with the file, `ImportFileUnreadable` for the disk.
   */
  readonly batches: Stream.Stream<SheetBatch, ImportRejected | ImportFileUnreadable>
}

/** An open spreadsheet, whatever its format. It holds what all sheets share, and no rows. */
export interface SheetReader {
  readonly format: "xlsx" | "csv"
  /** In the order of the tabs. */
  readonly sheets: ReadonlyArray<Sheet>
}
