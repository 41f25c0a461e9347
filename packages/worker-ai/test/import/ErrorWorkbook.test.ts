import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import excel from "exceljs"
import { dirname, join } from "node:path"
import { harmlessText } from "../../src/import/ErrorWorkbook.ts"
import { importSpreadsheet, writeErrorWorkbook } from "../../src/import/index.ts"
import { fileOf, rosterFile, rowsOf, textsOf } from "./Files.ts"
import { rememberingSink } from "./Sinks.ts"
import { textRow, workbookOf } from "./Workbook.ts"

/** The error workbook of a file, and what was said of it. */
const errorsOf = (file: string) =>
  Effect.gen(function* () {
    const output = join(dirname(yield* fileOf("")), "errors.xlsx")
    const summary = yield* writeErrorWorkbook({ file, output })
    return { output, summary }
  })

const opened = (path: string) =>
  Effect.promise(async () => {
    const workbook = new excel.Workbook()
    await workbook.xlsx.readFile(path)
    const [sheet] = workbook.worksheets
    if (sheet === undefined) throw new Error("Cannot find a sheet in the error workbook")
    return sheet
  })

describe("writeErrorWorkbook", () => {
  it.effect("gives the user's own rows back, all where they were, with the errors beside the refused ones", () =>
    Effect.gen(function* () {
      const { output, summary } = yield* errorsOf(rosterFile)
      expect(summary).toEqual({ rows: 244, refused: 4 })
      const before = yield* rowsOf(rosterFile)
      const after = yield* rowsOf(output, { sheet: "roster" })
      expect(after.map((row) => row.row)).toEqual(before.map((row) => row.row))
      const errors = after.flatMap((row) => row.cells.filter((cell) => cell.column === 10).map((cell) => [row.row, cell.text]))
      expect(errors).toEqual([
        [4, "오류"],
        [47, "C47: 전화번호의 자릿수가 모자랍니다"],
        [66, "B66: 이름이 비어 있습니다"],
        [81, "C81: 학부모 연락처가 비어 있습니다"],
        [126, "B126: 이름에 수식이 들어 있습니다. 이름을 글자로 입력해 주세요"]
      ])
      const own = after.map((row) => row.cells.filter((cell) => cell.column < 10).map((cell) => cell.text))
      const formula = before.findIndex((row) => row.row === 126)
      expect(own.with(formula, [])).toEqual(textsOf(before).with(formula, []))
      expect(own[formula]).toEqual(["121", "'=1+1", "010-3979-3668", "다솜중", "1", "여", "심화"])
    }).pipe(Effect.scoped))

  it.effect("puts the errors into a free column where the header reaches the sheet's edge", () =>
    Effect.gen(function* () {
      const cell = (address: string, text: string) => `<c r="${address}" t="inlineStr"><is><t>${text}</t></is></c>`
      const header = `<row r="1">${cell("A1", "이름")}${cell("C1", "학부모 연락처")}${cell("XFD1", "비고")}</row>`
      const row = `<row r="2">${cell("A2", "김가")}</row>`
      const { output } = yield* errorsOf(yield* fileOf(workbookOf({ sheet: header + row })))
      const sheet = yield* opened(output)
      expect([sheet.getCell("B1").value, sheet.getCell("B2").value]).toEqual(["오류", "C2: 학부모 연락처가 비어 있습니다"])
    }).pipe(Effect.scoped))

  it.effect("colours the refused cells and can be filtered by the errors", () =>
    Effect.gen(function* () {
      const { output } = yield* errorsOf(rosterFile)
      const sheet = yield* opened(output)
      expect(sheet.autoFilter).toBe("A4:J245")
      const coloured = (address: string) => sheet.getCell(address).fill
      expect(coloured("C47")).toMatchObject({ fgColor: { argb: "FFFFC7CE" } })
      expect(coloured("J47")).toEqual(coloured("C47"))
      expect(coloured("C48")).not.toEqual(coloured("C47"))
      expect(sheet.views).toMatchObject([{ state: "frozen", ySplit: 4 }])
    }).pipe(Effect.scoped))

  it.effect("is read with the same columns when it comes back, and imports what was corrected", () =>
    Effect.gen(function* () {
      const { rows, sink } = rememberingSink()
      const first = yield* importSpreadsheet({ file: rosterFile, sink })
      const { output } = yield* errorsOf(rosterFile)
      const again = yield* importSpreadsheet({ file: output, sink })
      expect(again.failed.map(({ cell, code }) => [cell, code])).toEqual(first.failed.map(({ cell, code }) => [cell, code]))
      expect(again).toMatchObject({ total: 240, created: 0 })

      const sheet = yield* opened(output)
      sheet.getCell("C47").value = "010-1212-3434"
      sheet.getCell("B66").value = "김새롬"
      const corrected = new Uint8Array(yield* Effect.promise(() => sheet.workbook.xlsx.writeBuffer()))
      const result = yield* importSpreadsheet({ file: yield* fileOf(corrected), sink })
      expect(result).toMatchObject({ total: 240, created: 2, failed_rows: 2 })
      expect(rows().slice(-2).map((row) => [row.row, row.name])).toEqual([[47, "민서윤"], [66, "김새롬"]])
    }).pipe(Effect.scoped))

  it.effect("uses the error column that it once added again, and clears what has been corrected", () =>
    Effect.gen(function* () {
      const file = yield* fileOf("이름,학부모 연락처,오류\n김가,010-1111-2222,B2: 지난 오류\n이나,119,", "list.csv")
      const { output } = yield* errorsOf(file)
      expect(textsOf(yield* rowsOf(output))).toEqual([
        ["이름", "학부모 연락처", "오류"],
        ["김가", "010-1111-2222"],
        ["이나", "119", "B3: 전화번호의 자릿수가 모자랍니다"]
      ])
    }).pipe(Effect.scoped))

  it.effect("keeps numbers, dates, number formats and hidden rows as they were", () =>
    Effect.gen(function* () {
      const styles = `<styleSheet><numFmts><numFmt numFmtId="170" formatCode="000-0000-0000"/></numFmts><cellXfs><xf/><xf numFmtId="14"/><xf numFmtId="170"/></cellXfs></styleSheet>`
      const row = `<row hidden="1"><c t="inlineStr"><is><t>김가</t></is></c><c s="2"><v>1011112222</v></c><c s="1"><v>40239</v></c></row>`
      const file = yield* fileOf(workbookOf({ styles, sheet: textRow(["이름", "학부모 연락처", "생년월일"]) + row, sheetName: "3반 '가'" }))
      const { output } = yield* errorsOf(file)
      const sheet = yield* opened(output)
      expect(sheet.name).toBe("3반 '가")
      expect(sheet.getRow(2).hidden).toBe(true)
      expect(sheet.getCell("B2")).toMatchObject({ value: 1011112222, numFmt: "000-0000-0000" })
      expect(sheet.getCell("C2").value).toEqual(new Date("2010-03-02T00:00:00Z"))
    }).pipe(Effect.scoped))

  it.effect("closes a gap of a million rows instead of writing it", () =>
    Effect.gen(function* () {
      const sheet = `${textRow(["이름", "학부모 연락처"])}<row r="1048576"><c r="A1048576" t="inlineStr"><is><t>김가</t></is></c><c r="XFD1048576"><v>1</v></c></row>`
      const { output, summary } = yield* errorsOf(yield* fileOf(workbookOf({ sheet })))
      expect(summary).toEqual({ rows: 2, refused: 1 })
      const rows = yield* rowsOf(output)
      expect(rows.map((row) => row.row)).toEqual([1, 2])
      expect(rows[1]?.cells.map((cell) => cell.column)).toEqual([1, 3, 16384])
    }).pipe(Effect.scoped))

  it.effect("fails for the disk when the output cannot be written", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(writeErrorWorkbook({ file: rosterFile, output: "/nowhere/errors.xlsx" }))
      expect(error).toMatchObject({ _tag: "ImportFileUnreadable", action: "write", path: "/nowhere/errors.xlsx" })
    }))
})

describe("harmlessText", () => {
  it.each([
    ["=1+1", "'=1+1"],
    ["+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"],
    ["-2+3+cmd", "'-2+3+cmd"],
    ["@SUM(A1)", "'@SUM(A1)"],
    ["\t=1", "'=1"],
    ["+82 10-1234-5678", "+82 10-1234-5678"],
    ["-", "-"],
    ["김가=나", "김가=나"]
  ])("writes %j as %j", (text, harmless) => {
    expect(harmlessText(text)).toBe(harmless)
  })
})
