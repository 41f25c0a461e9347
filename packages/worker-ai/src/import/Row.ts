import { cellAddress, sheetAddress } from "./CellAddress.ts"
import { readBirthDate } from "./BirthDate.ts"
import { isExampleMark, isPlaceholderName } from "./ExampleRow.ts"
import type { HeaderMap, SingleField } from "./Header.ts"
import { normalisePhone, type PhoneFault } from "./Phone.ts"
import type { SheetCell, SheetRow } from "./SheetReader.ts"
import { excerpt } from "./StorableText.ts"

/** One student as a row of the file gives it, normalised. Texts are NFC and trimmed; what is blank is null. */
export interface StudentRow {
  /** 1-based, as the spreadsheet program shows it. */
  readonly row: number
  readonly name: string
  /** As written in Korea, such as `010-1234-5678`. */
  readonly guardianPhone: string
  readonly studentPhone: string | null
  readonly school: string | null
  readonly grade: string | null
  readonly className: string | null
  readonly gender: "male" | "female" | null
  /** `2010-03-02`. */
  readonly birthDate: string | null
  readonly memo: string | null
}

export type CellFault =
  | PhoneFault
  | "name_missing"
  | "name_formula"
  | "name_not_text"
  | "guardian_phone_missing"
  | "cell_error"
  | "formula_without_value"
  | "text_too_long"
  | "text_turned_date"
  | "gender_unknown"
  | "birth_date_unreadable"

/** Why one cell was refused. */
export interface CellRefusal {
  readonly row: number
  /** `C17` */
  readonly cell: string
  /** `'학생명단'!C17` */
  readonly address: string
  /** The label of the column, as the file has it. */
  readonly column: string
  /** What the cell holds, a formula as `=1+1`; at most 100 characters. */
  readonly value: string
  readonly code: CellFault
  readonly reasonKo: string
  readonly reasonEn: string
}

/** A number that was taken, but not as written. */
export interface CellRepair {
  readonly cell: string
}

/** What a row is that is nobody's. */
export type SkipReason = "blank" | "example" | "header" | "summary" | "remark"

export type RowJudgement =
  | { readonly _tag: "Accepted"; readonly student: StudentRow; readonly repairs: ReadonlyArray<CellRepair> }
  | { readonly _tag: "Refused"; readonly row: number; readonly problems: ReadonlyArray<CellRefusal> }
  | { readonly _tag: "Skipped"; readonly row: number; readonly reason: SkipReason }

/** Where the columns are, and in which sheet. */
export interface RowColumns {
  readonly sheet: string
  readonly header: HeaderMap
}

const reasons: Readonly<Record<CellFault, readonly [ko: string, en: string]>> = {
  name_missing: ["이름이 비어 있습니다", "The name is missing"],
  name_formula: ["이름에 수식이 들어 있습니다. 이름을 글자로 입력해 주세요", "The name is a formula; type it as text"],
  name_not_text: ["이름에 글자가 없습니다", "The name has no letter in it"],
  guardian_phone_missing: ["학부모 연락처가 비어 있습니다", "The guardian's phone number is missing"],
  cell_error: ["셀이 오류 값입니다", "The cell holds an error value"],
  formula_without_value: [
    "수식의 계산 결과가 저장되어 있지 않습니다. Excel에서 열어 저장하거나 값을 직접 입력해 주세요",
    "The formula was saved without its result; open and save the file in Excel, or type the value"
  ],
  text_too_long: ["글자 수가 너무 많습니다(최대 200자, 이름은 50자)", "The text is too long (at most 200 characters, 50 for a name)"],
  text_turned_date: [
    "날짜로 바뀌어 있습니다. 셀 서식을 '텍스트'로 바꾸고 3-1처럼 다시 적어 주세요",
    "The spreadsheet has turned this into a date; format the cell as text and type it again, such as 3-1"
  ],
  gender_unknown: ["성별을 알 수 없습니다. '남' 또는 '여'로 적어 주세요", "The gender is not known; write 남 (male) or 여 (female)"],
  birth_date_unreadable: [
    "생년월일을 읽을 수 없습니다. 2010-03-02처럼 적어 주세요",
    "The birth date cannot be read; write it as 2010-03-02"
  ],
  phone_too_short: ["전화번호의 자릿수가 모자랍니다", "The phone number has too few digits"],
  phone_too_long: ["전화번호의 자릿수가 너무 많습니다", "The phone number has too many digits"],
  phone_not_a_number: ["전화번호가 아닙니다. 숫자로 적어 주세요", "This is no phone number; write it in digits"],
  phone_several: ["한 셀에 번호가 여럿입니다. 하나만 적어 주세요", "The cell holds several numbers; leave one"],
  phone_foreign: ["한국 전화번호가 아닙니다", "The phone number is not a Korean one"],
  phone_placeholder: ["예시로 적힌 번호입니다. 실제 번호를 적어 주세요", "The phone number is a placeholder; write the real one"],
  phone_unknown: ["없는 전화번호 형식입니다", "No such phone number exists in Korea"]
}

const invisible = /[\u200b-\u200f\u202a-\u202e\u2060\ufeff]/g

/** NFC, without invisible characters, inner blanks as one space, trimmed. */
export const cleanText = (text: string): string =>
  text
    .normalize("NFC")
    .replace(invisible, "")
    .replace(/[\s\p{Cc}]+/gu, " ")
    .trim()
    // The mark by which a spreadsheet (and our own error workbook) keeps text from being taken for a formula.
    .replace(/^'(?=[=+@-])/, "")

/** What people write where there is nothing to write. */
const isNothing = (text: string): boolean => /^(-+|–|—|x|X|\.|없음|무|해당\s*없음|n\/?a|none)$/i.test(text)

const isFormula = (cell: SheetCell, text: string): boolean =>
  cell.formula !== null || /^[=@]|^[+-](?=[A-Za-z(])/.test(text)

const genders: ReadonlyMap<string, "male" | "female"> = new Map([
  ...["남", "남자", "남성", "남학생", "m", "male", "boy", "man", "♂"].map((text) => [text, "male"] as const),
  ...["여", "여자", "여성", "여학생", "f", "female", "girl", "woman", "♀"].map((text) => [text, "female"] as const)
])

/** The number that templates are filled with where they do not use zeroes; a real one only under a real name. */
const templatePhone = "010-1234-5678"

/** An error value, also where a program wrote it out as text. */
const isErrorValue = (cell: SheetCell): boolean =>
  cell.kind === "error" || /^#(N\/A|REF!|VALUE!|DIV\/0!|NAME\?|NULL!|NUM!|SPILL!|CALC!|FIELD!)$/.test(cell.text.trim())

const letters = /\p{L}/u

/** Reads the cells of one row and gathers what is wrong with them. */
class RowReading {
  readonly problems: Array<CellRefusal> = []
  readonly repairs: Array<CellRepair> = []
  readonly #row: SheetRow
  readonly #columns: RowColumns

  constructor(row: SheetRow, columns: RowColumns) {
    this.#row = row
    this.#columns = columns
  }

  cell(column: number | undefined): SheetCell | undefined {
    return column === undefined ? undefined : this.#row.cells.find((cell) => cell.column === column)
  }

  text(column: number | undefined): string {
    return cleanText(this.cell(column)?.text ?? "")
  }

  refuse(column: number, code: CellFault): null {
    const cell = this.cell(column)
    const formula = cell?.formula ?? ""
    const value = formula === "" ? (cell?.text ?? "") : `=${formula}`
    const [reasonKo, reasonEn] = reasons[code]
    this.problems.push({
      row: this.#row.row,
      cell: cellAddress(column, this.#row.row),
      address: sheetAddress(this.#columns.sheet, column, this.#row.row),
      column: this.#columns.header.labels.get(column) ?? "",
      value: excerpt(value, 100),
      code,
      reasonKo,
      reasonEn
    })
    return null
  }

  /** The text of an optional cell; null if it is blank or refused. */
  optional(field: SingleField, most = 200): string | null {
    const column = this.#columns.header.fields[field]
    const cell = this.cell(column)
    if (column === undefined || cell === undefined) return null
    if (isErrorValue(cell)) return this.refuse(column, "cell_error")
    const text = cleanText(cell.text)
    if (text.length > most) return this.refuse(column, "text_too_long")
    return text === "" ? null : text
  }

  /** What no date can be: a class "3-1", which spreadsheets take for the first of March. */
  undated(field: SingleField): string | null {
    const column = this.#columns.header.fields[field]
    const kind = this.cell(column)?.kind
    return column !== undefined && (kind === "date" || kind === "time")
      ? this.refuse(column, "text_turned_date")
      : this.optional(field)
  }

  name(): string | null {
    const column = this.#columns.header.fields.name
    if (column === undefined) return null
    const cell = this.cell(column)
    if (cell === undefined) return this.refuse(column, "name_missing")
    const text = cleanText(cell.text)
    if (isFormula(cell, text)) return this.refuse(column, "name_formula")
    if (isErrorValue(cell)) return this.refuse(column, "cell_error")
    if (text === "") return this.refuse(column, "name_missing")
    if (cell.kind !== "text" || !letters.test(text)) return this.refuse(column, "name_not_text")
    return text.length > 50 ? this.refuse(column, "text_too_long") : text
  }

  /** A number from one column; null if it is refused. To be called for a cell that is not blank. */
  phone(column: number, cell: SheetCell): string | null {
    if (isErrorValue(cell)) return this.refuse(column, "cell_error")
    if (cell.formula !== null && cell.text === "") return this.refuse(column, "formula_without_value")
    if (cell.kind === "date" || cell.kind === "time") return this.refuse(column, "phone_not_a_number")
    const phone = normalisePhone(cell.text)
    if (phone._tag === "Failure") return this.refuse(column, phone.failure)
    if (phone.success.repaired) this.repairs.push({ cell: cellAddress(column, this.#row.row) })
    return phone.success.phone
  }

  studentPhone(): string | null {
    const column = this.#columns.header.fields.studentPhone
    const cell = this.cell(column)
    if (column === undefined || cell === undefined || this.#blank(cell)) return null
    return this.phone(column, cell)
  }

  guardianPhone(): string | null {
    const { guardianPhones } = this.#columns.header
    for (const column of guardianPhones) {
      const cell = this.cell(column)
      if (cell !== undefined && !this.#blank(cell)) return this.phone(column, cell)
    }
    const [first] = guardianPhones
    return first === undefined ? null : this.refuse(first, "guardian_phone_missing")
  }

  gender(): "male" | "female" | null {
    const text = this.optional("gender")
    const column = this.#columns.header.fields.gender
    if (text === null || column === undefined || isNothing(text)) return null
    return genders.get(text.normalize("NFKC").toLowerCase()) ?? this.refuse(column, "gender_unknown")
  }

  birthDate(): string | null {
    const text = this.optional("birthDate")
    const column = this.#columns.header.fields.birthDate
    if (text === null || column === undefined || isNothing(text)) return null
    return readBirthDate(text) ?? this.refuse(column, "birth_date_unreadable")
  }

  #blank(cell: SheetCell): boolean {
    const text = cleanText(cell.text)
    return (text === "" && cell.formula === null) || isNothing(text)
  }
}

const sums = /^(합계|총계|소계|계|인원|total|subtotal|sum|총\s*인원|총원)$|^총\s*\d+\s*명|^(합계|총원|총\s*인원)\s*[:：]/i

/** Why a row is none of a student; null if it is to be judged. */
const skipReason = (row: SheetRow, reading: RowReading, { fields, ...header }: HeaderMap): SkipReason | null => {
  const ignored = new Set([...header.numberColumns, ...(header.errorColumn === null ? [] : [header.errorColumn])])
  const filled = row.cells.filter((cell) => cleanText(cell.text) !== "" || cell.formula !== null)
  const repeated = filled.filter((cell) => header.labels.get(cell.column) === cell.text.trim()).length
  if (repeated >= 2 && repeated * 2 > filled.length) return "header"
  const name = reading.text(fields.name)
  const phones = header.guardianPhones.map((column) => reading.text(column))
  const isMarked = filled.some((cell) =>
    isExampleMark(cleanText(cell.text), header.numberColumns.includes(cell.column) || cell.column === fields.name)
  )
  const isPlaceholder = phones.some((phone) => {
    const read = normalisePhone(phone)
    return read._tag === "Failure" ? read.failure === "phone_placeholder" : read.success.phone === templatePhone
  })
  if (isMarked || (isPlaceholderName(name) && isPlaceholder)) return "example"
  const unreachable = phones.every((phone) => phone === "") && reading.text(fields.studentPhone) === ""
  const first = cleanText(filled[0]?.text ?? "")
  if (unreachable && sums.test(first)) return "summary"
  if (filled.length === 1 && /^[※*■▶☞]|^(주의|참고|비고|안내)\s*[:：]/.test(first)) return "remark"
  // A template's numbering goes on below the last student.
  return filled.every((cell) => ignored.has(cell.column)) ? "blank" : null
}

/**
 * Judges one row below the header: a student, a refusal that names each cell that is wrong, or a row that is nobody's
 * (blank, a template's example, a repeated header, a sum, a remark). Pure: the same row is always judged alike.
 */
export const judgeRow = (row: SheetRow, columns: RowColumns): RowJudgement => {
  const reading = new RowReading(row, columns)
  const reason = skipReason(row, reading, columns.header)
  if (reason !== null) return { _tag: "Skipped", row: row.row, reason }
  const name = reading.name()
  const guardianPhone = reading.guardianPhone()
  const rest = {
    studentPhone: reading.studentPhone(),
    school: reading.undated("school"),
    grade: reading.undated("grade"),
    className: reading.undated("className"),
    gender: reading.gender(),
    birthDate: reading.birthDate(),
    memo: reading.optional("memo", 2_000)
  }
  if (name === null || guardianPhone === null || reading.problems.length > 0) {
    return { _tag: "Refused", row: row.row, problems: reading.problems }
  }
  return { _tag: "Accepted", student: { row: row.row, name, guardianPhone, ...rest }, repairs: reading.repairs }
}

/** Two rows of a file are the same student if name and guardian's number are the same. */
export const naturalKey = (student: Pick<StudentRow, "name" | "guardianPhone">): string =>
  `${student.name.replace(/\s/g, "")}|${student.guardianPhone}`
