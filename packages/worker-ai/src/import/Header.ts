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

/** Whose number it is cannot be told from the labels: a message about a child must not reach the child. */
export interface PhonesUndecided {
  readonly _tag: "PhonesUndecided"
  /** Each column of which it is not said, and the list read as if it had the guardians' numbers. */
  readonly choices: ReadonlyArray<{ readonly column: number; readonly label: string; readonly asGuardian: HeaderMap }>
}

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
 * The labels of what may be the header, for a message. A form's title row has people among them ("담임 | 김영희 | 연락처"),
 * who have no place in messages: only the labels that are known are told, and never digits.
 */
const tellable = (candidate: Candidate): ReadonlyArray<string> =>
  [...candidate.labels.values()].filter((label) => {
    const field = readHeaderLabel(label)
    return field !== null && field !== "other" && !/\d{3}/.test(label)
  })

const quoted = (labels: ReadonlyArray<string>): string =>
  labels.slice(0, 12).map((label) => `"${label.replace(/\s+/g, " ").slice(0, 20)}"`).join(", ")

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
 * Whose the bare numbers ("연락처") are. Beside a guardian's column such a number is the student's; otherwise it is the one
 * in `chosen` where a person has said so. Null where nobody has.
 */
const settlePhones = (candidate: Candidate, chosen: number | null): SettledPhones | null => {
  const guardian = candidate.columns.get("guardianPhone") ?? []
  const student = candidate.columns.get("studentPhone") ?? []
  const bare = candidate.columns.get("phone") ?? []
  const [first] = bare
  if (first === undefined) return { guardian, student, notes: [] }
  const labelOf = (column: number): string => candidate.labels.get(column) ?? ""
  if (guardian.length === 0) {
    if (chosen === null || !bare.includes(chosen)) return null
    return {
      guardian: [chosen],
      // Beside the number that a person calls the guardian's, another bare one is the student's.
      student: student.length > 0 ? student : bare.filter((column) => column !== chosen),
      notes: [{
        code: "phone_is_guardian",
        ko: `말씀하신 대로 ${columnLetters(chosen)}열 "${labelOf(chosen)}"을(를) 학부모 번호로 읽었습니다`,
        en: `Column ${columnLetters(chosen)} "${labelOf(chosen)}" was read as the guardian's number, as asked`
      }]
    }
  }
  if (student.length > 0 || bare.length > 1) {
    return {
      guardian,
      student,
      notes: [{
        code: "phone_column_ignored",
        ko: `${bare.map(columnLetters).join(", ")}열 "${labelOf(first)}"은(는) 누구의 번호인지 알 수 없어 읽지 않았습니다`,
        en: `Column ${bare.map(columnLetters).join(", ")} "${labelOf(first)}" was not read: whose number it holds is not said`
      }]
    }
  }
  return {
    guardian,
    student: bare,
    notes: [{
      code: "phone_is_student",
      ko: `학부모 번호 열이 따로 있어 ${columnLetters(first)}열 "${labelOf(first)}"을(를) 학생 번호로 읽었습니다`,
      en: `Column ${columnLetters(first)} "${labelOf(first)}" was read as the student's number, as the guardian's has a column of its own`
    }]
  }
}

const mapOf = (candidate: Candidate, { guardian, notes, student }: SettledPhones): HeaderMap => {
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
}

const headerOf = (candidate: Candidate, chosen: number | null): HeaderMap | PhonesUndecided => {
  const settled = settlePhones(candidate, chosen)
  if (settled !== null) return mapOf(candidate, settled)
  const bare = candidate.columns.get("phone") ?? []
  return {
    _tag: "PhonesUndecided",
    choices: bare.flatMap((column) => {
      const phones = settlePhones(candidate, column)
      return phones === null
        ? []
        : [{ column, label: candidate.labels.get(column) ?? "", asGuardian: mapOf(candidate, phones) }]
    })
  }
}

/**
 * Finds the header among the first rows of a sheet, under any title rows, in one row or over two. Of several complete
 * ones the one that names the most fields wins, the upper one of two alike. Whose a bare "연락처" is, is asked where
 * `guardianColumn`, 1-based, does not say it. Fails with `header_not_found`, saying what was found instead.
 */
export const findHeader = (
  rows: ReadonlyArray<SheetRow>,
  guardianColumn: number | null = null
): Result.Result<HeaderMap | PhonesUndecided, ImportRejected> => {
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
  return found === null || !isComplete(found)
    ? Result.fail(notFound(found))
    : Result.succeed(headerOf(found, guardianColumn))
}
