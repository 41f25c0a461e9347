import { createWriteStream } from "node:fs"
import { open } from "node:fs/promises"
import { Effect, Stream } from "effect"
import type { CellErrorValue, CellValue, Row as ExcelRow, stream as ExcelStream } from "exceljs"
import { lastColumn } from "./CellAddress.ts"
import { type ClassList, type ClassListFile, openClassList } from "./ClassList.ts"
import { errorColumnLabel } from "./HeaderLabel.ts"
import type { ClassListFault, ImportFault } from "./ImportFault.ts"
import { ImportFileUnreadable } from "./ImportFileUnreadable.ts"
import { type CellRefusal, judgeRow } from "./Row.ts"
import type { SheetCell, SheetRow } from "./SheetReader.ts"

export interface ErrorWorkbookOptions extends ClassListFile {
  /** The local path of the workbook to write; what is there is overwritten. */
  readonly output: string
}

export interface ErrorWorkbookSummary {
  /** Rows written, title rows and header included. */
  readonly rows: number
  /** Rows whose error column is filled in. */
  readonly refused: number
}

const fill = (argb: string) => ({ type: "pattern", pattern: "solid", fgColor: { argb } }) as const
const refusedFill = fill("FFFFC7CE")
const headerFill = fill("FFD9D9D9")

/** Blank rows that are kept, so that rows keep their numbers; longer gaps are closed. */
const gapAtMost = 1_000

/** Columns farther right than this beyond the header do not push the error column out of sight. */
const straysAtMost = 50

/**
 * Text that no spreadsheet program takes for a formula, also once it is saved as CSV. Numbers such as +82 10-1234-5678
 * stay as they are.
 */
export const harmlessText = (text: string): string =>
  /^\s*[=+\-@]/.test(text) && !/^[+-]?[\d\s().-]+$/.test(text) ? `'${text.trimStart()}` : text

const errorValues = ["#N/A", "#REF!", "#NAME?", "#DIV/0!", "#NULL!", "#VALUE!", "#NUM!"] as const

const valueOf = (cell: SheetCell, refused: boolean): CellValue => {
  // A refused formula is shown as what it was: its result alone would pass the next time.
  if (refused && cell.formula !== null && cell.formula !== "") return `'=${cell.formula}`
  const error = errorValues.find((value) => value === cell.text)
  if (error !== undefined) return { error } satisfies CellErrorValue
  switch (cell.kind) {
    case "number":
      return Number(cell.text)
    case "boolean":
      return cell.text === "TRUE"
    case "date":
      return new Date(cell.text.includes("T") ? `${cell.text}Z` : `${cell.text}T00:00:00Z`)
    case "text":
    case "time":
    case "error":
      return harmlessText(cell.text)
  }
}

const formatOf = (cell: SheetCell): string | null => {
  if (cell.kind === "number") return cell.numberFormat
  if (cell.kind === "date") return cell.text.includes("T") ? "yyyy-mm-dd hh:mm:ss" : "yyyy-mm-dd"
  // As text, a number that is typed over keeps its leading zero.
  return cell.kind === "text" ? "@" : null
}

/** A name that Excel takes for a sheet. */
const sheetName = (name: string): string =>
  name.replace(/[*?:\\/[\]]/g, " ").slice(0, 31).replace(/^['\s]+|['\s]+$/g, "") || "Sheet1"

/** The first column right of the header that no row uses, or the error column of an earlier upload. */
const errorColumnOf = (list: ClassList): Effect.Effect<number, ImportFault> => {
  if (list.header.errorColumn !== null) return Effect.succeed(list.header.errorColumn)
  const used = new Set<number>()
  return list.sheet.batches.pipe(
    Stream.runForEach((batch) =>
      Effect.sync(() => {
        for (const row of batch.rows) for (const cell of row.cells) used.add(cell.column)
      })
    ),
    Effect.map(() => {
      const near = [...used].filter((column) => column <= list.header.lastColumn + straysAtMost)
      const beside = Math.max(list.header.lastColumn, ...near) + 1
      if (beside <= lastColumn) return beside
      // The header goes to the sheet's own edge.
      let free = 1
      while (used.has(free) && free < lastColumn) free++
      return free
    })
  )
}

const writeRow = (
  target: ExcelRow,
  row: SheetRow,
  refusals: ReadonlyArray<CellRefusal>,
  errorColumn: number
): void => {
  const refusedCells = new Set(refusals.map((refusal) => refusal.cell))
  for (const cell of row.cells) {
    if (cell.column === errorColumn) continue
    const written = target.getCell(cell.column)
    written.value = valueOf(cell, refusedCells.has(written.address))
    const format = formatOf(cell)
    if (format !== null) written.numFmt = format
  }
  if (refusals.length > 0) {
    for (const refusal of refusals) target.getCell(refusal.cell.replace(/\d+$/, "")).fill = refusedFill
    const error = target.getCell(errorColumn)
    error.value = refusals.map((refusal) => `${refusal.cell}: ${refusal.reasonKo}`).join("\n")
    error.fill = refusedFill
    error.alignment = { wrapText: true, vertical: "top" }
  }
  if (row.hidden) target.hidden = true
}

const unwritable = (path: string) => (cause: unknown) => new ImportFileUnreadable({ action: "write", path, cause })

/** A writer to a file that is known to open: the library would throw an error event at nobody. */
const openWriter = (output: string) =>
  Effect.acquireRelease(
    Effect.tryPromise({
      try: async () => {
        const handle = await open(output, "w")
        await handle.close()
        // Loaded on use: the library costs 40 MB, which an import without refusals never needs.
        const { default: excel } = await import("exceljs")
        const stream = createWriteStream(output)
        const failed = new Promise<never>((_, reject) => {
          stream.once("error", reject)
        })
        // Whoever writes on races with it; before and after that nobody listens.
        failed.catch(() => {})
        const workbook = new excel.stream.xlsx.WorkbookWriter({ stream, useStyles: true, useSharedStrings: false })
        return { workbook, stream, failed }
      },
      catch: unwritable(output)
    }),
    ({ stream }) => Effect.sync(() => stream.destroy())
  )

const layOut = (workbook: ExcelStream.xlsx.WorkbookWriter, list: ClassList, errorColumn: number) => {
  const { fields, guardianPhones, row } = list.header
  const sheet = workbook.addWorksheet(sheetName(list.sheet.name), { views: [{ state: "frozen", ySplit: row }] })
  sheet.getColumn(errorColumn).width = 48
  for (const column of [...guardianPhones, fields.studentPhone]) {
    if (column !== undefined) {
      sheet.getColumn(column).width = 18
      sheet.getColumn(column).numFmt = "@"
    }
  }
  return sheet
}

const write = Effect.fn("ErrorWorkbook.write")(function* (options: ErrorWorkbookOptions) {
  const list = yield* openClassList(options)
  const errorColumn = yield* errorColumnOf(list)
  const { failed, workbook } = yield* openWriter(options.output)
  const sheet = layOut(workbook, list, errorColumn)
  let last = 0
  let refused = 0
  let rows = 0
  let writtenLast = 0
  yield* Stream.runForEach(list.sheet.batches, (batch) =>
    Effect.sync(() => {
      for (const row of batch.rows) {
        const gap = Math.max(0, row.row - last - 1)
        if (gap <= gapAtMost) for (let blank = 0; blank < gap; blank++) sheet.addRow([]).commit()
        last = row.row
        const judgement =
          row.row > list.header.row ? judgeRow(row, { sheet: list.sheet.name, header: list.header }) : null
        const refusals = judgement?._tag === "Refused" ? judgement.problems : []
        const target = sheet.addRow([])
        writeRow(target, row, refusals, errorColumn)
        if (row.row === list.header.row) {
          target.getCell(errorColumn).value = errorColumnLabel
          target.eachCell((cell) => {
            cell.fill = headerFill
            cell.font = { bold: true }
          })
        }
        writtenLast = target.number
        target.commit()
        rows++
        if (refusals.length > 0) refused++
      }
    })
  )
  sheet.autoFilter = {
    from: { row: list.header.row, column: 1 },
    to: { row: Math.max(writtenLast, list.header.row), column: errorColumn }
  }
  yield* Effect.tryPromise({
    try: () => Promise.race([workbook.commit(), failed]),
    catch: unwritable(options.output)
  })
  return { rows, refused }
})

/**
 * Writes the user's own rows into a new workbook with an error column (`오류`) filled in where a row is refused:
 * coloured, filterable, with rows and columns where they were, so that it can be corrected and uploaded again. Formulas
 * become their values, and text that looks like a formula is made harmless. A CSV becomes a workbook too.
 *
 * Fails as reading the file does, and with `ImportFileUnreadable` when the output cannot be written.
 */
export const writeErrorWorkbook = (options: ErrorWorkbookOptions): Effect.Effect<ErrorWorkbookSummary, ClassListFault> =>
  Effect.scoped(write(options))
