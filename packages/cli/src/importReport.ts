import { Schema } from "effect"
import { displayWidth, pad, printable } from "./ProgressBoard.ts"

/** What a person reads of an import's result, whether it came from the API or from the file at hand. */
export const ImportResult = Schema.Struct({
  created: Schema.Int,
  duplicates: Schema.Int,
  total: Schema.Int,
  failed: Schema.Array(Schema.Struct({
    row: Schema.Int,
    cell: Schema.String,
    value: Schema.String,
    reason: Schema.String
  })),
  failed_rows: Schema.Int,
  failed_omitted: Schema.Int,
  notes: Schema.Array(Schema.Struct({ code: Schema.String, ko: Schema.String })),
  download_url: Schema.NullOr(Schema.String)
})
export type ImportResult = typeof ImportResult.Type

/** Rows that were good enough, in the words of a report about students in the record, or about a file alone. */
const goodRows = { registered: "등록", judged: "등록 가능" } as const

/** The counts, then each refused cell with its row, value and reason, then the notes. */
export const importReport = (result: ImportResult, outcome: keyof typeof goodRows): string => {
  const rows = result.failed.map((cell) => ({ ...cell, value: printable(cell.value) }))
  const width = Math.max(4, ...rows.map((cell) => cell.cell.length))
  const valueWidth = Math.min(24, Math.max(4, ...rows.map((cell) => displayWidth(cell.value))))
  return [
    `  ${result.total}명 중 ${result.created}명 ${goodRows[outcome]}, 중복 ${result.duplicates}명, 거부 ${result.failed_rows}명`,
    ...rows.map((cell) => `  ${pad(cell.cell, width)}  ${pad(cell.value, valueWidth)}  ${printable(cell.reason)}`),
    ...(result.failed_omitted > 0 ? [`  … 그 밖에 ${result.failed_omitted}개 셀`] : []),
    ...result.notes.map((note) => `  · ${printable(note.ko)}`)
  ].join("\n")
}
