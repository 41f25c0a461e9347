import { Schema } from "effect"

/** Every way in which a file as a whole is refused. A refused file stays refused: no retry can help. */
export const ImportRejectedCode = Schema.Literals([
  "empty_file",
  "file_too_large",
  "not_a_spreadsheet",
  "legacy_xls",
  "encrypted_workbook",
  "html_as_xls",
  "xml_spreadsheet_2003",
  "binary_xlsb",
  "open_document",
  "macro_workbook",
  "zip_without_workbook",
  "broken_workbook",
  "xml_doctype",
  "bomb_suspected",
  "too_many_parts",
  "too_many_cells",
  "too_many_columns",
  "too_many_shared_strings",
  "nesting_too_deep",
  "text_too_long",
  "encoding_unknown",
  "encoding_ambiguous",
  "encoding_broken",
  "broken_csv",
  "header_not_found",
  "unstorable_value"
])
export type ImportRejectedCode = typeof ImportRejectedCode.Type

/**
 * The file as a whole cannot be imported, and the same file never will be. `messageKo` and `messageEn` say what to do
 * and hold no cell of a person, so that both may be shown and logged.
 */
export class ImportRejected extends Schema.TaggedError<ImportRejected>()("ImportRejected", {
  code: ImportRejectedCode,
  messageKo: Schema.String,
  messageEn: Schema.String
}) {
  override get message(): string {
    return `Cannot import the file (${this.code}): ${this.messageEn}`
  }
}

/** Shorthand for the one shape in which files are refused. */
export const rejected = (code: ImportRejectedCode, messageKo: string, messageEn: string): ImportRejected =>
  new ImportRejected({ code, messageKo, messageEn })

/** The database keeps none of these rows, for a value in one of them; those before them are written. */
export const unstorableRows = (first: number, last: number): ImportRejected =>
  rejected(
    "unstorable_value",
    `${first}행부터 ${last}행 사이에 저장할 수 없는 값이 있어 멈췄습니다. 그 앞의 행은 등록되었습니다`,
    `Rows ${first} to ${last} hold a value that the database cannot keep; the rows before them are written`
  )

/** A workbook that no reader could read to its end. `why` completes "The workbook is damaged (...)". */
export const brokenWorkbook = (why: string): ImportRejected =>
  rejected(
    "broken_workbook",
    "파일이 손상되어 읽을 수 없습니다. Excel에서 열어 새 이름의 .xlsx로 다시 저장한 뒤 올려 주세요",
    `The workbook is damaged (${why}); open it in Excel, save it under a new name as .xlsx and upload that`
  )
