/**
 * The judgement and the reading of spreadsheet imports: from a local file to rows that are good, rows that are refused
 * with their cells, and the user's own workbook with an error column. It knows no database, queue or object store.
 */
export { type ClassList, type ClassListFile, openClassList } from "./ClassList.ts"
export { type ErrorWorkbookOptions, type ErrorWorkbookSummary, writeErrorWorkbook } from "./ErrorWorkbook.ts"
export { type FileKind, recogniseFile } from "./FileKind.ts"
export type { HeaderMap, ImportNote } from "./Header.ts"
export type { ClassListFault, ImportFault } from "./ImportFault.ts"
export { ImportFileUnreadable } from "./ImportFileUnreadable.ts"
export { defaultImportLimits, type ImportLimits } from "./ImportLimits.ts"
export { ImportRejected, ImportRejectedCode, unstorableRows } from "./ImportRejected.ts"
export { ImportUndecided, PreviewRow, Reading } from "./ImportUndecided.ts"
export { jobResult } from "./jobResult.ts"
export { normalisePhone, type Phone, type PhoneFault } from "./Phone.ts"
export { reviewResult } from "./reviewResult.ts"
export {
  type CellFault,
  type CellRefusal,
  judgeRow,
  naturalKey,
  type RowColumns,
  type RowJudgement,
  type StudentRow
} from "./Row.ts"
export type { Sheet, SheetBatch, SheetCell, SheetReader, SheetRow } from "./SheetReader.ts"
export {
  type BatchOutcome,
  type FailedCell,
  importSpreadsheet,
  type ImportProgress,
  type StudentImportOptions,
  type StudentImportResult,
  type StudentSink
} from "./StudentImport.ts"
