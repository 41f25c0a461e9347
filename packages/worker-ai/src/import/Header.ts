import { Result } from "effect"
import { columnLetters } from "./CellAddress.ts"
import { type ColumnField, readHeaderLabel } from "./HeaderLabel.ts"
import { type ImportRejected, rejected } from "./ImportRejected.ts"
import type { SheetRow } from "./SheetReader.ts"

/** A header is looked for in the rows up to this number. */
export const headerRowsSearched = 50

/** Fields of which a list has one column. */
export type SingleField = "name" | "studentPhone" | "school" | "grade" | "className" | "gender" | "birthDate" | "memo"

/** What is said about the reading of a file as a whole, in both languages. */
export interface ImportNote {
  readonly code: string
  readonly ko: string
  readonly en: string
}

/** Which column, all 1-based, holds what. */
export interface HeaderMap {
  /** The last row of the header; data begins below. */
  readonly row: number
  readonly fields: Readonly<Partial<Record<SingleField, number>>>
  /** In order of preference: a row's number is the first that is not blank. Never empty. */
  readonly guardianPhones: ReadonlyArray<number>
  /** Columns that hold no data of a person: numbering, an error column from an earlier upload. */
  readonly numberColumns: ReadonlyArray<number>
  readonly errorColumn: number | null
  readonly lastColumn: number
  readonly labels: ReadonlyMap<number, string>
  readonly notes: ReadonlyArray<ImportNote>
}

/** How to read a sheet whose only number is a bare "연락처". */
export type LonePhone = "refuse" | "guardian"

interface Candidate {
  readonly row: number
  readonly labels: ReadonlyMap<number, string>
  readonly columns: ReadonlyMap<ColumnField, ReadonlyArray<number>>
  readonly known: number
}

const candidateOf = (row: number, labels: ReadonlyMap<number, string>): Candidate => {
  const columns = new Map<ColumnField, Array<number>>()
  let known = 0
  for (const [column, label] of labels) {
    const field = readHeaderLabel(label)
    if (field === null) continue
    if (field !== "other") known++
    const of = columns.get(field)
    if (of === undefined) columns.set(field, [column])
    else of.push(column)
  }
  return { row, labels, columns, known }
}

const labelsOf = (row: SheetRow): ReadonlyMap<number, string> =>
  new Map(row.cells.filter((cell) => cell.text.trim() !== "").map((cell) => [cell.column, cell.text.trim()]))

/**
 * The labels of a header over two rows: a group ("학부모") spreads over the blank cells to its right, as merged cells
 * do, and stands before the label below it. Null where the upper row is no row of groups.
 */
const joinedLabels = (upper: SheetRow, lower: SheetRow): ReadonlyMap<number, string> | null => {
  const above = labelsOf(upper)
  const below = labelsOf(lower)
  if (lower.row !== upper.row + 1 || above.size < 2 || below.size === 0) return null
  const joined = new Map<number, string>()
  let group = ""
  const columns = [...new Set([...above.keys(), ...below.keys()])].sort((a, b) => a - b)
  for (const column of columns) {
    const own = above.get(column)
    if (own !== undefined) group = own
    const label = below.get(column)
    // An error column of ours stands beside the groups, not under the last of them.
    const alone = label !== undefined && readHeaderLabel(label) === "error"
    joined.set(column, label === undefined ? (own ?? "") : alone ? label : `${group} ${label}`)
  }
  return joined
}

const isComplete = (candidate: Candidate): boolean =>
  candidate.columns.has("name") && (candidate.columns.has("guardianPhone") || candidate.columns.has("phone"))

const singleFields: ReadonlyArray<SingleField> = [
  "name",
  "studentPhone",
  "school",
  "grade",
  "className",
  "gender",
  "birthDate",
  "memo"
]

/**
 * The labels of what may be the header, for a message. A row that hardly looks like one may be a person's, whose name
 * and number have no place in messages: of such a row only the labels that are known are told, and never digits.
 */
const tellable = (candidate: Candidate): ReadonlyArray<string> =>
  [...candidate.labels.values()].filter(
    (label) => !/\d{3}/.test(label) && (candidate.known > 1 || readHeaderLabel(label) !== null)
  )

const quoted = (labels: ReadonlyArray<string>): string =>
  labels.slice(0, 12).map((label) => `"${label.replace(/\s+/g, " ").slice(0, 20)}"`).join(", ")

const ambiguousPhone = (label: string, column: number): ImportRejected =>
  rejected(
    "phone_column_ambiguous",
    `${columnLetters(column)}열 "${label}"이(가) 학부모 번호인지 학생 번호인지 알 수 없습니다. 열 이름을 "학부모 연락처" 또는 "학생 연락처"로 바꾸어 다시 올려 주세요`,
    `Column ${columnLetters(column)} "${label}" may hold the guardian's or the student's number; ` +
      "rename it to \"학부모 연락처\" (guardian phone) or \"학생 연락처\" (student phone) and upload the file again"
  )

const notFound = (best: Candidate | null): ImportRejected => {
  const seen = best === null ? [] : tellable(best)
  const missing = [
    best?.columns.has("name") === true ? null : { ko: "이름", en: "name" },
    best?.columns.has("guardianPhone") === true ? null : { ko: "학부모 연락처", en: "guardian phone" }
  ].filter((field) => field !== null)
  const where = best === null ? "" : ` (${best.row}행: ${quoted(seen)})`
  const whereEn = best === null ? "" : `; row ${best.row} has ${quoted(seen)}`
  return rejected(
    "header_not_found",
    `처음 ${headerRowsSearched}행에서 제목 줄을 찾지 못했습니다. 없는 열: ${missing.map(({ ko }) => ko).join(", ")}${where}. ` +
      "제목 줄에 \"이름\"과 \"학부모 연락처\" 열을 넣어 다시 올려 주세요",
    `No header row with ${missing.map(({ en }) => en).join(" and ")} in the first ${headerRowsSearched} rows` +
      `${whereEn}; add columns named "이름" (name) and "학부모 연락처" (guardian phone)`
  )
}

interface SettledPhones {
  readonly guardian: ReadonlyArray<number>
  readonly student: ReadonlyArray<number>
  readonly notes: ReadonlyArray<ImportNote>
}

/**
 * Whose the bare numbers ("연락처") are. Beside a guardian's column such a number is the student's. Alone, or beside
 * the student's only, it may be anybody's: a message about a child must not reach the child, so that this is no guess
 * to make.
 */
const settlePhones = (candidate: Candidate, lonePhone: LonePhone): Result.Result<SettledPhones, ImportRejected> => {
  const guardian = candidate.columns.get("guardianPhone") ?? []
  const student = candidate.columns.get("studentPhone") ?? []
  const bare = candidate.columns.get("phone") ?? []
  const first = bare[0]
  if (first === undefined) return Result.succeed({ guardian, student, notes: [] })
  const label = candidate.labels.get(first) ?? ""
  const letters = columnLetters(first)
  if (guardian.length === 0) {
    if (lonePhone === "refuse" || bare.length > 1) return Result.fail(ambiguousPhone(label, first))
    return Result.succeed({
      guardian: bare,
      student,
      notes: [{
        code: "lone_phone_is_guardian",
        ko: `${letters}열 "${label}"을(를) 학부모 번호로 읽었습니다`,
        en: `Column ${letters} "${label}" was read as the guardian's number, as asked`
      }]
    })
  }
  if (student.length > 0 || bare.length > 1) {
    return Result.succeed({
      guardian,
      student,
      notes: [{
        code: "phone_column_ignored",
        ko: `${bare.map(columnLetters).join(", ")}열 "${label}"은(는) 누구의 번호인지 알 수 없어 읽지 않았습니다`,
        en: `Column ${bare.map(columnLetters).join(", ")} "${label}" was not read: whose number it holds is not said`
      }]
    })
  }
  return Result.succeed({
    guardian,
    student: bare,
    notes: [{
      code: "phone_is_student",
      ko: `학부모 번호 열이 따로 있어 ${letters}열 "${label}"을(를) 학생 번호로 읽었습니다`,
      en: `Column ${letters} "${label}" was read as the student's number, as the guardian's has a column of its own`
    }]
  })
}

const mapOf = (candidate: Candidate, lonePhone: LonePhone): Result.Result<HeaderMap, ImportRejected> =>
  Result.map(settlePhones(candidate, lonePhone), ({ guardian, notes, student }) => {
    const fields: Partial<Record<SingleField, number>> = {}
    const more: Array<ImportNote> = [...notes]
    for (const field of singleFields) {
      const columns = field === "studentPhone" ? student : (candidate.columns.get(field) ?? [])
      const [first, ...rest] = columns
      if (first === undefined) continue
      fields[field] = first
      if (rest.length > 0) {
        more.push({
          code: "column_repeated",
          ko: `같은 뜻의 열이 여럿이라 ${columnLetters(first)}열만 읽고 ${rest.map(columnLetters).join(", ")}열은 읽지 않았습니다`,
          en: `Columns ${columns.map(columnLetters).join(", ")} mean the same; only ${columnLetters(first)} was read`
        })
      }
    }
    if (guardian.length > 1) {
      more.push({
        code: "guardian_phones",
        ko: `학부모 번호 열이 여럿이라 ${guardian.map(columnLetters).join(", ")}열 순서로 처음 적힌 번호를 읽었습니다`,
        en: `The guardian's number is the first that is filled in of columns ${guardian.map(columnLetters).join(", ")}`
      })
    }
    return {
      row: candidate.row,
      fields,
      guardianPhones: guardian,
      numberColumns: candidate.columns.get("number") ?? [],
      errorColumn: candidate.columns.get("error")?.[0] ?? null,
      lastColumn: Math.max(...candidate.labels.keys()),
      labels: candidate.labels,
      notes: more
    }
  })

/**
 * Finds the header among the first rows of a sheet, under any title rows, in one row or over two. Of several complete
 * ones the one that names the most fields wins, the upper one of two alike. Fails with `header_not_found`, saying what
 * was found instead, or `phone_column_ambiguous`.
 */
export const findHeader = (
  rows: ReadonlyArray<SheetRow>,
  lonePhone: LonePhone = "refuse"
): Result.Result<HeaderMap, ImportRejected> => {
  let best: Candidate | null = null
  const consider = (candidate: Candidate): void => {
    if (candidate.known === 0) return
    if (best === null) best = candidate
    else if (isComplete(candidate) !== isComplete(best)) best = isComplete(candidate) ? candidate : best
    else if (candidate.known > best.known) best = candidate
  }
  const searched = rows.filter((row) => row.row <= headerRowsSearched)
  for (const [index, row] of searched.entries()) {
    consider(candidateOf(row.row, labelsOf(row)))
    const lower = searched[index + 1]
    const joined = lower === undefined ? null : joinedLabels(row, lower)
    if (lower !== undefined && joined !== null) consider(candidateOf(lower.row, joined))
  }
  const found: Candidate | null = best
  return found === null || !isComplete(found) ? Result.fail(notFound(found)) : mapOf(found, lonePhone)
}
