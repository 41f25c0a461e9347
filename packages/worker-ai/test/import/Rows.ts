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
