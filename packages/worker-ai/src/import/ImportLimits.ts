/** What one file may cost. Each limit is checked while reading, before anything grows with it. */
export interface ImportLimits {
  /** Bytes of the file on disk. */
  readonly fileBytes: number
  /** Parts in the zip, counted before any is opened. */
  readonly parts: number
  /** Inflated bytes per compressed byte, measured on what comes out; honest workbooks stay under 21. */
  readonly ratio: number
  /** Inflated bytes of a part below which its ratio is not judged: small parts of honest files compress well. */
  readonly ratioFreeBytes: number
  /** Inflated bytes of any one part, whatever its ratio. */
  readonly inflatedBytes: number
  /** Cells of one sheet, empty ones included. */
  readonly cells: number
  /** Cells with a value in one row. Their addresses may be anything: nothing is allocated by address. */
  readonly columns: number
  readonly sharedStrings: number
  /** UTF-16 units of all shared strings together. */
  readonly sharedStringUnits: number
  /** Open XML elements at one time. */
  readonly nesting: number
  /** UTF-16 units of one XML token or one text; Excel's own limit for a cell is 32,767. */
  readonly textUnits: number
  /** Sheets of one workbook. */
  readonly sheets: number
}

const mebi = 1024 * 1024

export const defaultImportLimits: ImportLimits = {
  fileBytes: 100 * mebi,
  parts: 5_000,
  ratio: 100,
  ratioFreeBytes: mebi,
  inflatedBytes: 1024 * mebi,
  cells: 20_000_000,
  columns: 1_000,
  sharedStrings: 3_000_000,
  sharedStringUnits: 64 * mebi,
  nesting: 64,
  textUnits: mebi,
  sheets: 255
}
