import { Effect, Result, Stream } from "effect"
import type { Scope } from "effect"
import { openCsv } from "./CsvReader.ts"
import { recogniseFile } from "./FileKind.ts"
import { findHeader, headerRowsSearched, type HeaderMap, type ImportNote, type LonePhone } from "./Header.ts"
import type { ImportFault } from "./ImportFault.ts"
import { defaultImportLimits, type ImportLimits } from "./ImportLimits.ts"
import { type ImportRejected, rejected } from "./ImportRejected.ts"
import type { Sheet, SheetReader, SheetRow } from "./SheetReader.ts"
import { openXlsx } from "./XlsxReader.ts"

/** A file and how to read it. */
export interface ClassListFile {
  /** A local path. */
  readonly file: string
  /** The name by which the user knows the file: that of the one sheet of a CSV. Its local name if not given. */
  readonly name?: string
  readonly limits?: ImportLimits
  /**
   * What to do with a list whose only number is a bare "연락처": `refuse` (the default) fails with
   * `phone_column_ambiguous`, `guardian` takes it for the guardian's and says so in the notes. To be set by a person
   * who has seen the file, never by a program.
   */
  readonly lonePhone?: LonePhone
}

/** The sheet of a file that holds the list, and where its columns are. */
export interface ClassList {
  readonly sheet: Sheet
  readonly header: HeaderMap
  readonly notes: ReadonlyArray<ImportNote>
}

const openReader = (source: ClassListFile): Effect.Effect<SheetReader, ImportFault, Scope.Scope> => {
  const limits = source.limits ?? defaultImportLimits
  return Effect.flatMap(recogniseFile(source.file, limits), (kind) =>
    kind === "xlsx" ? openXlsx(source.file, limits) : openCsv(source.file, limits, source.name)
  )
}

/** The rows in which a header may stand; no more of the sheet is read than holds them. */
const headRows = (sheet: Sheet): Effect.Effect<ReadonlyArray<SheetRow>, ImportFault> =>
  sheet.batches.pipe(
    Stream.takeUntil((batch) => batch.rows.some((row) => row.row > headerRowsSearched)),
    Stream.runFold(
      (): ReadonlyArray<SheetRow> => [],
      (rows, batch) => [...rows, ...batch.rows.filter((row) => row.row <= headerRowsSearched)]
    )
  )

const names = (sheets: ReadonlyArray<Sheet>): string => sheets.map((sheet) => `'${sheet.name}'`).join(", ")

const sheetNotes = (
  more: ReadonlyArray<Sheet>,
  hidden: ReadonlyArray<Sheet>,
  read: Sheet
): ReadonlyArray<ImportNote> => [
  ...(more.length === 0 ? [] : [{
    code: "more_lists",
    ko: `시트 ${names(more)}에도 명단이 있지만 '${read.name}' 시트만 읽었습니다`,
    en: `Sheets ${names(more)} hold a list too; only '${read.name}' was read`
  }]),
  ...(hidden.length === 0 ? [] : [{
    code: "hidden_sheets",
    ko: `숨겨진 시트 ${names(hidden)}은(는) 읽지 않았습니다`,
    en: `The hidden sheets ${names(hidden)} were not read`
  }])
]

/**
 * Opens a local file and finds the list in it: the first visible sheet that has a header. The file stays open until the
 * scope ends. Fails with `ImportRejected` for a file that can never be imported, `ImportFileUnreadable` for the disk.
 */
export const openClassList = Effect.fn("ClassList.openClassList")(function* (
  source: ClassListFile
): Effect.fn.Return<ClassList, ImportFault, Scope.Scope> {
  const reader = yield* openReader(source)
  const visible = reader.sheets.filter((sheet) => !sheet.hidden)
  const lists: Array<{ readonly sheet: Sheet; readonly header: HeaderMap }> = []
  const refusals: Array<ImportRejected> = []
  let rows = 0
  for (const sheet of visible) {
    const head = yield* headRows(sheet)
    rows += head.length
    const header = findHeader(head, source.lonePhone)
    if (Result.isSuccess(header)) lists.push({ sheet, header: header.success })
    else refusals.push(header.failure)
  }
  const [list, ...more] = lists
  if (list !== undefined) {
    const hidden = reader.sheets.filter((sheet) => sheet.hidden)
    const notes = sheetNotes(more.map(({ sheet }) => sheet), hidden, list.sheet)
    return { ...list, notes: [...list.header.notes, ...notes] }
  }
  const ambiguous = refusals.find((refusal) => refusal.code === "phone_column_ambiguous")
  if (ambiguous !== undefined || rows > 0) {
    const refusal = ambiguous ?? refusals[0]
    if (refusal !== undefined) return yield* refusal
  }
  return yield* rejected(
    "empty_file",
    "시트가 비어 있습니다. 명단이 들어 있는 파일인지 확인한 뒤 다시 올려 주세요",
    "The file has no row with a value; check that it holds the list and upload it again"
  )
})
