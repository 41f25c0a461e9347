import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import excel from "exceljs"
import { defaultImportLimits } from "../../src/import/ImportLimits.ts"
import { fileOf, rowsOf, textsOf } from "./Files.ts"
import { textRow, workbookOf, workbookParts } from "./Workbook.ts"
import { zipOf } from "./Zip.ts"

const read = (xml: Parameters<typeof workbookOf>[0]) => Effect.flatMap(fileOf(workbookOf(xml)), (path) => rowsOf(path))

describe("XlsxReader", () => {
  it.effect("reads what exceljs writes: texts, numbers, dates, booleans, errors, formulas and rich text", () =>
    Effect.gen(function* () {
      const workbook = new excel.Workbook()
      const sheet = workbook.addWorksheet("명단")
      sheet.addRow(["김가나", 1012345678, new Date("2010-03-02T00:00:00Z"), true, { error: "#N/A" }])
      sheet.addRow([{ formula: "1+1", result: 2 }, { richText: [{ text: "이" }, { text: "다라", font: { bold: true } }] }])
      const bytes = new Uint8Array(yield* Effect.promise(() => workbook.xlsx.writeBuffer()))
      const rows = yield* rowsOf(yield* fileOf(bytes))
      expect(textsOf(rows)).toEqual([["김가나", "1012345678", "2010-03-02", "TRUE", "#N/A"], ["2", "이다라"]])
      expect(rows[0]?.cells.map((cell) => cell.kind)).toEqual(["text", "number", "date", "boolean", "error"])
      expect(rows[1]?.cells[0]).toMatchObject({ formula: "1+1", kind: "number" })
    }))

  it.effect("reads prefixed XML in a part of any name", () =>
    Effect.gen(function* () {
      const rows = yield* read({
        sheetPart: "/xl/worksheets/blatt.xml",
        sheet:
          `<?xml version="1.0"?><x:worksheet xmlns:x="m"><x:sheetData><x:row r="3"><x:c r="B3" t="inlineStr"><x:is><x:t>가</x:t></x:is></x:c></x:row></x:sheetData></x:worksheet>`
      })
      expect(rows).toEqual([
        {
          row: 3,
          hidden: false,
          cells: [{ column: 2, text: "가", kind: "text", formula: null, numberFormat: null }]
        }
      ])
    }))

  it.effect("counts rows and cells on where they have no address", () =>
    Effect.gen(function* () {
      const rows = yield* read({ sheet: `<row r="7"><c r="C7"><v>1</v></c><c><v>2</v></c></row><row><c><v>3</v></c></row>` })
      expect(rows.map((row) => [row.row, row.cells.map((cell) => [cell.column, cell.text])])).toEqual([
        [7, [[3, "1"], [4, "2"]]],
        [8, [[1, "3"]]]
      ])
    }))

  it.effect("joins all runs of inline and shared rich text and leaves phonetic guides out", () =>
    Effect.gen(function* () {
      const rich = `<r><t>김</t></r><r><rPr><b/></rPr><t xml:space="preserve">가 </t></r><r><t>나</t></r><rPh sb="0" eb="1"><t>후리</t></rPh>`
      const rows = yield* read({
        sharedStrings: `<sst><si>${rich}</si><si><t>a_x000D_b &amp; &#44032;&#xAC01;<![CDATA[<c>]]></t></si></sst>`,
        sheet: `<row><c t="inlineStr"><is>${rich}</is></c><c t="s"><v>0</v></c><c t="s"><v>1</v></c></row>`
      })
      expect(textsOf(rows)).toEqual([["김가 나", "김가 나", "a\rb & 가각<c>"]])
    }))

  it.effect("puts a mark for what no database holds: NUL and half a character", () =>
    Effect.gen(function* () {
      const rows = yield* read({
        sharedStrings: `<sst><si><t>가_x0000_나</t></si></sst>`,
        sheet: `<row><c t="s"><v>0</v></c>${["다_xD83D_", "라&#xD83D;마", "바_xD83D__xDE00_"]
          .map((text) => `<c t="inlineStr"><is><t>${text}</t></is></c>`).join("")}</row>`
      })
      expect(textsOf(rows)).toEqual([["가\uFFFD나", "다\uFFFD", "라\uFFFD마", "바😀"]])
    }))

  it.effect("calls a workbook broken where a date is no day", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read({ sheet: `<row><c t="d"><v>2026-02-30</v></c></row>` }))
      expect(error).toMatchObject({ _tag: "ImportRejected", code: "broken_workbook" })
    }))

  it.effect("reads dates of both epochs, as numbers and as ISO text", () =>
    Effect.gen(function* () {
      const styles =
        `<styleSheet><numFmts><numFmt numFmtId="170" formatCode="yyyy&quot;년&quot; m&quot;월&quot; d&quot;일&quot;"/><numFmt numFmtId="171" formatCode="000\\-0000\\-0000"/></numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="14"/><xf numFmtId="170"/><xf numFmtId="171"/><xf numFmtId="21"/></cellXfs></styleSheet>`
      const sheet =
        `<row><c s="1"><v>40239</v></c><c s="2"><v>40239.375</v></c><c s="3"><v>1012345678</v></c><c s="4"><v>0.5</v></c><c s="0"><v>40239</v></c><c t="d"><v>2010-03-02T00:00:00.000Z</v></c></row>`
      const texts = ["2010-03-02T09:00:00", "1012345678", "12:00:00", "40239", "2010-03-02"]
      const rows = yield* read({ styles, sheet })
      expect(textsOf(rows)).toEqual([["2010-03-02", ...texts]])
      expect(rows[0]?.cells[2]?.numberFormat).toBe("000\\-0000\\-0000")
      const since1904 = yield* read({ styles, sheet, workbookPr: `<workbookPr date1904="1"/>` })
      expect(textsOf(since1904)[0]?.[0]).toBe("2014-03-03")
    }))

  it.effect("knows cached results, and formulas that were saved without one", () =>
    Effect.gen(function* () {
      const rows = yield* read({
        sheet: `<row><c t="str"><f>A2&amp;B2</f><v>김가</v></c><c><f>1+1</f></c><c><f t="shared" si="0"/><v>5</v></c></row>`
      })
      expect(rows[0]?.cells.map(({ formula, text }) => [formula, text])).toEqual([["A2&B2", "김가"], ["1+1", ""], ["", "5"]])
    }))

  it.effect("tells hidden rows and hidden sheets", () =>
    Effect.gen(function* () {
      const rows = yield* read({ sheet: `<row hidden="1"><c><v>1</v></c></row><row hidden="false"><c><v>2</v></c></row>` })
      expect(rows.map((row) => row.hidden)).toEqual([true, false])
    }))

  it.effect("reads numbers as they were typed", () =>
    Effect.gen(function* () {
      const rows = yield* read({ sheet: `<row><c><v>1.012345678E9</v></c><c><v>0.30000000000000004</v></c><c><v>1E21</v></c></row>` })
      expect(textsOf(rows)).toEqual([["1012345678", "0.3", "1000000000000000000000"]])
    }))

  it.effect("reads a sheet whose only cells lie at Excel's edges", () =>
    Effect.gen(function* () {
      const rows = yield* read({ sheet: `<row r="3"><c r="XFD3"><v>1</v></c></row><row r="1048576"><c r="A1048576"><v>2</v></c></row>` })
      expect(rows.map((row) => [row.row, row.cells[0]?.column])).toEqual([[3, 16384], [1048576, 1]])
    }))

  it.effect("breaks no Korean character, wherever the inflated chunks are cut", () =>
    Effect.gen(function* () {
      // Rows of 3-byte characters behind 0, 1 and 2 bytes of padding, over many chunks of 16 KiB: every phase of a cut.
      for (const padding of ["", "a", "ab"]) {
        const name = "가뷁힣똠방각하홍길동".repeat(20)
        const sheet = `<!--${padding}-->` + Array.from({ length: 400 }, (_, row) => textRow([`${name}${row}`])).join("")
        const rows = yield* read({ sheet, sharedStrings: `<sst><!--${padding}-->${`<si><t>${name}</t></si>`.repeat(400)}</sst>` })
        expect(rows).toHaveLength(400)
        expect(rows.every((row, index) => row.cells[0]?.text === `${name}${index}`)).toBe(true)
      }
    }))

  it.effect("reads parts that are not compressed, over many pieces", () =>
    Effect.gen(function* () {
      const texts = Array.from({ length: 20_000 }, (_, index) => `가뷁${index}`)
      const parts = workbookParts({
        sharedStrings: `<sst>${texts.map((text) => `<si><t>${text}</t></si>`).join("")}</sst>`,
        sheet: texts.map((_, index) => `<row><c t="s"><v>${index}</v></c></row>`).join("")
      })
      const rows = yield* rowsOf(yield* fileOf(zipOf(parts.map((part) => ({ ...part, stored: true })))))
      expect(textsOf(rows)).toEqual(texts.map((text) => [text]))
    }))

  it.effect("knows a text by its number however the number is written", () =>
    Effect.gen(function* () {
      const numbers = ["1", "01", " 1 ", "1.0", "1e0", "<!-- -->1", "<![CDATA[]]>1", "&#49;"]
      const rows = yield* read({
        sharedStrings: `<sst><si><t>가</t></si><si><t>나</t></si></sst>`,
        sheet: `<row>${numbers.map((number) => `<c t="s"><v>${number}</v></c>`).join("")}</row>`
      })
      expect(textsOf(rows)).toEqual([numbers.map(() => "나")])
    }))

  it.effect("joins a number that is cut by a comment", () =>
    Effect.gen(function* () {
      const rows = yield* read({
        sheet: `<row><c><v>10<!-- -->12</v></c><c><v>1<!-- -->.5</v></c><c t="str"><v>01<!-- -->0</v></c></row>`
      })
      expect(textsOf(rows)).toEqual([["1012", "1.5", "010"]])
    }))

  it.effect.each([
    ["a document type", "xml_doctype", { sheet: `<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><worksheet/>` }],
    ["an unknown entity", "broken_workbook", { sheet: textRow(["&a;"]) }],
    ["elements nested too deep", "nesting_too_deep", { sheet: `${"<a>".repeat(100)}${"</a>".repeat(100)}` }],
    ["elements that do not match", "broken_workbook", { sheet: "<row></c>" }],
    ["an unfinished sheet", "broken_workbook", { sheet: `<?xml version="1.0"?><worksheet><sheetData>` }],
    ["a text that is not there", "broken_workbook", { sheet: `<row><c t="s"><v>9</v></c></row>` }],
    ["an impossible address", "broken_workbook", { sheet: `<row><c r="ZZZZ1"><v>9</v></c></row>` }],
    ["an impossible row", "broken_workbook", { sheet: `<row r="1048577"><c><v>9</v></c></row>` }]
  ] as const)("refuses a workbook with %s", ([, code, xml]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(read(xml))
      expect(error).toMatchObject({ _tag: "ImportRejected", code })
    }))

  it.effect.each([
    ["cells", "too_many_cells", { cells: 3 }],
    ["columns", "too_many_columns", { columns: 3 }],
    ["sharedStrings", "too_many_shared_strings", { sharedStrings: 1 }],
    ["sharedStringUnits", "too_many_shared_strings", { sharedStringUnits: 3 }],
    ["textUnits", "text_too_long", { textUnits: 1_000 }],
    ["parts", "too_many_parts", { parts: 3 }],
    ["fileBytes", "file_too_large", { fileBytes: 100 }],
    ["inflatedBytes", "bomb_suspected", { inflatedBytes: 1_000 }]
  ] as const)("holds the limit on %s", ([, code, limit]) =>
    Effect.gen(function* () {
      const path = yield* fileOf(
        workbookOf({
          sharedStrings: "<sst><si><t>가나</t></si><si><t>다라</t></si></sst>",
          sheet: textRow(["a", "b", "c", "d"]) + textRow(["가".repeat(40_000)])
        })
      )
      expect(yield* rowsOf(path)).toHaveLength(2)
      const error = yield* Effect.flip(rowsOf(path, { limits: { ...defaultImportLimits, ...limit } }))
      expect(error).toMatchObject({ _tag: "ImportRejected", code })
    }))

  it.effect("refuses bytes that are no Unicode instead of letting out U+FFFD", () =>
    Effect.gen(function* () {
      const parts = workbookParts({ sheet: "" }).map((part) =>
        part.name.endsWith("sheet1.xml")
          ? { ...part, content: Buffer.concat([Buffer.from("<worksheet><sheetData><row><c><v>"), Buffer.from([0xb0, 0xa1]), Buffer.from("</v></c></row></sheetData></worksheet>")]) }
          : part
      )
      const error = yield* Effect.flip(rowsOf(yield* fileOf(zipOf(parts))))
      expect(error).toMatchObject({ code: "broken_workbook" })
    }))

  it.effect("gives a fault of the disk, not of the file, for a path that is not there", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(rowsOf("/nowhere/list.xlsx"))
      expect(error).toMatchObject({ _tag: "ImportFileUnreadable", action: "read", path: "/nowhere/list.xlsx" })
    }))
})
