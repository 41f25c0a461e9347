import { Result } from "effect"
import { findHeader, type HeaderMap } from "../../src/import/Header.ts"
import type { SheetCell, SheetRow } from "../../src/import/SheetReader.ts"

/** A cell of text, or one that says more. */
export type GivenCell = string | Partial<SheetCell>

/** A row as a reader gives it: empty texts are cells that are not there. */
export const rowOf = (row: number, cells: ReadonlyArray<GivenCell>): SheetRow => ({
  row,
  hidden: false,
  cells: cells.flatMap((cell, index) => {
    const plain: SheetCell = { column: index + 1, text: "", kind: "text", formula: null, numberFormat: null }
    if (typeof cell !== "string") return [{ ...plain, ...cell }]
    return cell === "" ? [] : [{ ...plain, text: cell }]
  })
})

/** The header of rows that leave no question open, or whose one question is answered by the guardian's column, 1-based. */
export const headerOf = (rows: ReadonlyArray<SheetRow>, guardianColumn: number | null = null): HeaderMap => {
  const header = Result.getOrThrow(findHeader(rows, guardianColumn))
  if ("_tag" in header) throw new Error("Nobody has said whose the numbers are")
  return header
}
