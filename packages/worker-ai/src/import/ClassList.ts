import type { ReadingId } from "@lectern/domain"
import { Effect, Result, Stream } from "effect"
import type { Scope } from "effect"
import { columnLetters, columnOfAddress } from "./CellAddress.ts"
import { openCsv } from "./CsvReader.ts"
import { recogniseFile } from "./FileKind.ts"
import { findHeader, headerRowsSearched, type HeaderMap, type ImportNote, type PhonesUndecided } from "./Header.ts"
import type { ClassListFault, ImportFault } from "./ImportFault.ts"
import { defaultImportLimits, type ImportLimits } from "./ImportLimits.ts"
import { type ImportRejected, rejected } from "./ImportRejected.ts"
import { ImportUndecided, type PreviewRow, type Reading } from "./ImportUndecided.ts"
import { cleanText } from "./Row.ts"
import type { Sheet, SheetReader, SheetRow } from "./SheetReader.ts"
import type { TextEncoding } from "./TextEncoding.ts"
import { openXlsx } from "./XlsxReader.ts"

/** A file and how to read it. */
export interface ClassListFile {
  /** A local path. */
  readonly file: string
  /** The name by which the user knows the file: that of the one sheet of a CSV. Its local name if not given. */
  readonly name?: string
  readonly limits?: ImportLimits
  /** What a person who has seen the file has said to the questions that it raises; never a program. */
  readonly readings?: ReadonlyArray<ReadingId>
}

/** The sheet of a file that holds the list, and where its columns are. */
export interface ClassList {
  readonly sheet: Sheet
  readonly header: HeaderMap
  readonly notes: ReadonlyArray<ImportNote>
}

/** Rows that a preview shows: enough to know one's own list by. */
const previewRows = 5

/** What a person has said to one kind of question; null where nothing. */
const said = (source: ClassListFile, question: string): string | null =>
  source.readings?.find((id) => id.startsWith(`${question}:`))?.slice(question.length + 1) ?? null

const encodings = ["utf-8", "cp949"] as const satisfies ReadonlyArray<TextEncoding>

const saidEncoding = (source: ClassListFile): TextEncoding | null =>
  encodings.find((encoding) => encoding === said(source, "encoding")) ?? null

/** The first rows that a sheet has below a row of it, as cells of one's own naming. */
const preview = (
  sheet: Sheet,
  below: number,
  cellsOf: (row: SheetRow) => PreviewRow["cells"]
): Effect.Effect<ReadonlyArray<PreviewRow>, ImportFault> =>
  sheet.batches.pipe(
    Stream.flatMap((batch) => Stream.fromIterable(batch.rows)),
    Stream.filter((row) => row.row > below),
    Stream.take(previewRows),
    Stream.map((row) => ({ row: row.row, cells: cellsOf(row) })),
    Stream.runCollect
  )

/** The cells of some columns by their meaning. */
const meant = (columns: ReadonlyArray<readonly [meaning: string, column: number | undefined]>) => (row: SheetRow) =>
  Object.fromEntries(columns.flatMap(([meaning, column]) => {
    const text = cleanText(row.cells.find((cell) => cell.column === column)?.text ?? "")
    return text === "" ? [] : [[meaning, text]]
  }))

const listPreview = (sheet: Sheet, header: HeaderMap) =>
  preview(
    sheet,
    header.row,
    meant([
      ["이름", header.fields.name],
      ["학부모 연락처", header.guardianPhones[0]],
      ["학생 연락처", header.fields.studentPhone]
    ])
  )

/** By letters: which characters these are is the question, so that no label can be trusted. */
const byLetters = (row: SheetRow) =>
  Object.fromEntries(row.cells.map((cell) => [columnLetters(cell.column), cleanText(cell.text)]))

const askEncoding = Effect.fnUntraced(function*(source: ClassListFile, limits: ImportLimits) {
  const readings = yield* Effect.forEach(encodings, (encoding) =>
    Effect.gen(function*() {
      const { sheets: [sheet] } = yield* openCsv(source.file, limits, source.name, encoding)
      return {
        id: `encoding:${encoding}`,
        ko: `글자를 ${encoding.toUpperCase()}(으)로 읽음`,
        en: `The text is ${encoding.toUpperCase()}`,
        importable: true,
        preview: sheet === undefined ? [] : yield* preview(sheet, 0, byLetters)
      } satisfies Reading
    }))
  return yield* new ImportUndecided({
    question: "encoding",
    messageKo: "글자 인코딩이 UTF-8인지 CP949인지 알 수 없습니다. 미리 보기에서 글자가 바르게 보이는 쪽을 골라 주세요",
    messageEn: "The text can be read both as UTF-8 and as CP949; choose the one whose preview reads right",
    readings
  })
})

const openReader = (source: ClassListFile): Effect.Effect<SheetReader, ClassListFault, Scope.Scope> => {
  const limits = source.limits ?? defaultImportLimits
  return Effect.flatMap(recogniseFile(source.file, limits), (kind) =>
    kind === "xlsx"
      ? openXlsx(source.file, limits)
      : openCsv(source.file, limits, source.name, saidEncoding(source)).pipe(
        Effect.catchIf(
          (fault) => fault._tag === "ImportRejected" && fault.code === "encoding_ambiguous",
          () => askEncoding(source, limits)
        )
      ))
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

const askPhone = Effect.fnUntraced(function*(sheet: Sheet, { choices }: PhonesUndecided) {
  const asGuardian = yield* Effect.forEach(choices, ({ asGuardian, column, label }) =>
    Effect.map(listPreview(sheet, asGuardian), (preview): Reading => ({
      id: `guardian:${columnLetters(column)}`,
      ko: `${columnLetters(column)}열 "${label}"은(는) 학부모 번호`,
      en: `Column ${columnLetters(column)} "${label}" has the guardians' numbers`,
      importable: true,
      preview
    })))
  const asStudent = yield* Effect.forEach(choices.length === 1 ? choices : [], ({ asGuardian, column, label }) =>
    Effect.map(
      preview(sheet, asGuardian.row, meant([["이름", asGuardian.fields.name], ["학생 연락처", column]])),
      (preview): Reading => ({
        id: `student:${columnLetters(column)}`,
        ko: `${columnLetters(column)}열 "${label}"은(는) 학생 번호 (학부모 번호가 없어 등록할 수 없음)`,
        en: `Column ${columnLetters(column)} "${label}" has the students' own numbers; without the guardians' nothing can be imported`,
        importable: false,
        preview
      })
    ))
  const columns = choices.map(({ column, label }) => `${columnLetters(column)}열 "${label}"`).join(", ")
  const columnsEn = choices.map(({ column, label }) => `${columnLetters(column)} "${label}"`).join(", ")
  return yield* new ImportUndecided({
    question: "phone",
    messageKo: `${columns}이(가) 학부모 번호인지 학생 번호인지 알 수 없습니다. 어느 쪽인지 고르거나, 열 이름을 "학부모 연락처" 또는 "학생 연락처"로 바꾸어 다시 올려 주세요`,
    messageEn: `Column ${columnsEn} may hold the guardian's or the student's number; choose a reading, or rename it to ` +
      "\"학부모 연락처\" (guardian phone) or \"학생 연락처\" (student phone)",
    readings: [...asGuardian, ...asStudent]
  })
})

/** What a person calls the students' own number leaves the list without a guardian's. */
const withoutGuardian = (column: string): ImportRejected =>
  rejected(
    "header_not_found",
    `${column}열이 학생 번호이면 학부모 연락처 열이 없습니다. "학부모 연락처" 열을 넣어 다시 올려 주세요`,
    `With the students' own numbers in column ${column} the list has no guardian's number; add a column named "학부모 연락처"`
  )

interface FoundList {
  readonly sheet: Sheet
  /** Of the visible sheets, 1-based. */
  readonly ordinal: number
  readonly header: HeaderMap
}

const askSheet = Effect.fnUntraced(function*(lists: ReadonlyArray<FoundList>) {
  const readings = yield* Effect.forEach(lists, ({ header, ordinal, sheet }) =>
    Effect.map(listPreview(sheet, header), (preview): Reading => ({
      id: `sheet:${ordinal}`,
      ko: `'${sheet.name}' 시트의 명단`,
      en: `The list in the sheet '${sheet.name}'`,
      importable: true,
      preview
    })))
  return yield* new ImportUndecided({
    question: "sheet",
    messageKo: `시트 ${names(lists.map(({ sheet }) => sheet))}에 각각 명단이 있습니다. 어느 시트를 등록할지 골라 주세요`,
    messageEn: `The sheets ${names(lists.map(({ sheet }) => sheet))} hold a list each; choose the one to import`,
    readings
  })
})

const names = (sheets: ReadonlyArray<Sheet>): string => sheets.map((sheet) => `'${sheet.name}'`).join(", ")

const sheetNotes = (
  more: ReadonlyArray<Sheet>,
  hidden: ReadonlyArray<Sheet>,
  read: Sheet
): ReadonlyArray<ImportNote> => [
  ...(more.length === 0 ? [] : [{
    code: "more_lists",
    ko: `시트 ${names(more)}에도 명단이 있지만 말씀하신 '${read.name}' 시트만 읽었습니다`,
    en: `Sheets ${names(more)} hold a list too; only '${read.name}' was read, as asked`
  }]),
  ...(hidden.length === 0 ? [] : [{
    code: "hidden_sheets",
    ko: `숨겨진 시트 ${names(hidden)}은(는) 읽지 않았습니다`,
    en: `The hidden sheets ${names(hidden)} were not read`
  }])
]

const guardianColumn = (source: ClassListFile): number | null => {
  const column = said(source, "guardian")
  return column === null ? null : columnOfAddress(column)
}

/**
 * Opens a local file and finds the list in it: the visible sheet that has a header. The file stays open until the scope
 * ends. Fails with `ImportRejected` for a file that can never be imported, `ImportUndecided` for one that can be read in
 * several ways of which nobody has chosen one, `ImportFileUnreadable` for the disk.
 */
export const openClassList = Effect.fn("ClassList.openClassList")(function* (
  source: ClassListFile
): Effect.fn.Return<ClassList, ClassListFault, Scope.Scope> {
  const reader = yield* openReader(source)
  const visible = reader.sheets.filter((sheet) => !sheet.hidden)
  const lists: Array<FoundList> = []
  const refusals: Array<ImportRejected> = []
  const questions: Array<{ readonly sheet: Sheet; readonly phones: PhonesUndecided }> = []
  let rows = 0
  for (const [index, sheet] of visible.entries()) {
    const head = yield* headRows(sheet)
    rows += head.length
    const header = findHeader(head, guardianColumn(source))
    if (Result.isFailure(header)) refusals.push(header.failure)
    else if ("_tag" in header.success) questions.push({ sheet, phones: header.success })
    else lists.push({ sheet, ordinal: index + 1, header: header.success })
  }
  const chosen = said(source, "sheet")
  const list = lists.length === 1 ? lists[0] : lists.find(({ ordinal }) => String(ordinal) === chosen)
  if (list !== undefined) {
    const hidden = reader.sheets.filter((sheet) => sheet.hidden)
    const more = lists.filter((other) => other !== list).map(({ sheet }) => sheet)
    return { sheet: list.sheet, header: list.header, notes: [...list.header.notes, ...sheetNotes(more, hidden, list.sheet)] }
  }
  if (lists.length > 0) return yield* askSheet(lists)
  const [question] = questions
  if (question !== undefined) {
    const student = said(source, "student")
    const isAnswered = question.phones.choices.some(({ column }) => columnLetters(column) === student)
    return yield* student !== null && isAnswered ? withoutGuardian(student) : askPhone(question.sheet, question.phones)
  }
  const [refusal] = refusals
  if (rows > 0 && refusal !== undefined) return yield* refusal
  return yield* rejected(
    "empty_file",
    "시트가 비어 있습니다. 명단이 들어 있는 파일인지 확인한 뒤 다시 올려 주세요",
    "The file has no row with a value; check that it holds the list and upload it again"
  )
})
