import { describe, expect, it } from "vitest"
import * as fc from "fast-check"
import { TextTable } from "../../src/import/TextTable.ts"

const tableOf = (texts: ReadonlyArray<string>): TextTable => {
  const table = new TextTable()
  for (const text of texts) table.add(text)
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
    const mebi = 1024 * 1024
    const texts = ["가".repeat(mebi), "나".repeat(mebi), "", "다".repeat(mebi - 1), "", "라".repeat(2), "", "마".repeat(mebi), "끝"]
    expect(allOf(tableOf(texts))).toEqual(texts)
  })

  it("has nothing before its first text and beyond its last", () => {
    const table = tableOf(["가"])
    expect([-1, 1, 0.5, Number.NaN, 5_000].map((index) => table.get(index))).toEqual(Array(5).fill(undefined))
    expect(tableOf([]).get(0)).toBe(undefined)
  })
})
