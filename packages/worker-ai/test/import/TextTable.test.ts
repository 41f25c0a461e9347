import { describe, expect, it } from "vitest"
import * as fc from "fast-check"
import { TextTable } from "../../src/import/TextTable.ts"
import { XmlRange } from "../../src/import/XmlRange.ts"

const append = (table: TextTable, text: string): void => {
  const range = new XmlRange()
  const bytes = Buffer.from(`<${text}>`)
  range.move(bytes, 1, bytes.length - 1)
  table.append(range)
}

const tableOf = (texts: ReadonlyArray<string>): TextTable => {
  const table = new TextTable()
  for (const text of texts) {
    append(table, text)
    table.complete()
  }
  return table
}

const allOf = (table: TextTable) => Array.from({ length: table.count }, (_, index) => table.get(index))

describe("TextTable", () => {
  it("gives back every text as it was, whatever its characters", () => {
    fc.assert(fc.property(fc.array(fc.string({ unit: "binary" })), (texts) => {
      expect(allOf(tableOf(texts))).toEqual(texts)
    }))
  })

  it("gives back texts that fill its pieces to the end, and empty ones between them", () => {
    const half = 128 * 1024
    // Latin letters, of which each takes one byte: room is made by bytes, so that only these fill a piece to its end.
    const texts = ["a".repeat(half), "b".repeat(half), "", "c".repeat(2 * half - 1), "", "가", "d".repeat(half), "끝"]
    expect(allOf(tableOf(texts))).toEqual(texts)
  })

  it("gives back texts that are longer than its pieces, and those behind them", () => {
    const text = "가😀".repeat(128 * 1024)
    expect(allOf(tableOf(["나", text, "", "다", text, "라"]))).toEqual(["나", text, "", "다", text, "라"])
  })

  it("gives back every one of very many", () => {
    const texts = Array.from({ length: 140_000 }, (_, index) => String(index))
    expect(allOf(tableOf(texts))).toEqual(texts)
  })

  it("joins what is appended before a text is complete, and counts its units with those of the others", () => {
    const table = tableOf(["가나"])
    for (const part of ["다", "", "😀", "abc"]) append(table, part)
    expect([table.count, table.units]).toEqual([1, 8])
    table.change((text) => text.slice(1))
    table.complete()
    expect([table.count, table.units, table.get(1)]).toEqual([2, 7, "😀abc"])
  })

  it("has nothing before its first text and beyond its last", () => {
    const table = tableOf(["가"])
    expect([-1, 1, 0.5, Number.NaN, 5_000].map((index) => table.get(index))).toEqual(Array(5).fill(undefined))
    expect(tableOf([]).get(0)).toBe(undefined)
  })
})
