import { describe, expect, it } from "@effect/vitest"
import iconv from "iconv-lite"
import { Effect, Schema } from "effect"
import type { ImportRejected } from "../../src/import/ImportRejected.ts"
import { importSpreadsheet, type StudentSink } from "../../src/import/index.ts"
import { fileOf } from "./Files.ts"
import { recordedProgress, rememberingSink } from "./Sinks.ts"
import { textRow, workbookOf, workbookParts } from "./Workbook.ts"
import { zipOf } from "./Zip.ts"

const phoneOf = (index: number): string => `010-${String(1000 + Math.floor(index / 10_000))}-${String(index % 10_000).padStart(4, "0")}`

const csvOf = (rows: number): string =>
  ["이름,학부모 연락처", ...Array.from({ length: rows }, (_, index) => `김가나,${phoneOf(index)}`)].join("\n")

class SinkDown extends Schema.TaggedError<SinkDown>()("SinkDown", {}) {}

describe("importSpreadsheet", () => {
  it.effect("hands good rows to the sink in batches, in the order of the file", () =>
    Effect.gen(function* () {
      const { batches, rows, sink } = rememberingSink()
      const result = yield* importSpreadsheet({ file: yield* fileOf(csvOf(450)), sink, batchSize: 200 })
      expect(batches).toEqual([200, 200, 50])
      expect(rows().map((row) => row.row)).toEqual(Array.from({ length: 450 }, (_, index) => index + 2))
      expect(result).toMatchObject({ created: 450, duplicates: 0, failed: [], total: 450 })
    }))

  it.effect("reports the reading of all rows, then their creation, never backwards", () =>
    Effect.gen(function* () {
      const { onProgress, reports } = recordedProgress()
      const file = yield* fileOf(`${csvOf(45)}\n,010`)
      yield* importSpreadsheet({ file, sink: rememberingSink().sink, onProgress, batchSize: 20 })
      expect(reports.filter((report) => report.step === "parsing").at(-1)).toEqual({ step: "parsing", rowsDone: 46, rowsTotal: 46, fraction: 1 })
      expect(reports.filter((report) => report.step === "creating").map((report) => [report.rowsDone, report.rowsTotal])).toEqual([
        [20, 46],
        [40, 46],
        [46, 46],
        [46, 46]
      ])
      const places = reports.map((report) => (report.step === "parsing" ? 0 : 1) + report.fraction)
      expect(places).toEqual([...places].sort((a, b) => a - b))
    }))

  it.effect("counts a student who comes twice in the file once, and hands only the first to the sink", () =>
    Effect.gen(function* () {
      const { rows, sink } = rememberingSink()
      const file = yield* fileOf("이름,학부모 연락처,학생 연락처\n김 가,010-1111-2222,\n김가,1011112222,010-5555-6666\n김가,010-1111-3333,\n이가,010-1111-2222,")
      const result = yield* importSpreadsheet({ file, sink, batchSize: 1 })
      expect(result).toMatchObject({ total: 4, created: 3, duplicates: 1 })
      expect(rows().map((row) => row.row)).toEqual([2, 4, 5])
      expect(result.notes.find((note) => note.code === "repeated_in_file")?.en).toContain("3 (= 2)")
    }))

  it.effect("says in a dry run what the run would say, and writes nothing", () =>
    Effect.gen(function* () {
      const { batches, sink } = rememberingSink()
      yield* importSpreadsheet({ file: yield* fileOf(csvOf(10)), sink })
      const file = yield* fileOf(`${csvOf(25)}\n김가나,${phoneOf(3)}\n,010`)
      const preview = yield* importSpreadsheet({ file, sink, dryRun: true })
      expect(batches).toEqual([10])
      expect(preview).toMatchObject({ total: 27, created: 15, duplicates: 11, failed_rows: 1, dry_run: true })
      expect(yield* importSpreadsheet({ file, sink })).toEqual({ ...preview, dry_run: false })
    }))

  it.effect("does a dry run without a preview on the file alone", () =>
    Effect.gen(function* () {
      const sink: StudentSink<SinkDown> = { insertBatch: () => Effect.fail(new SinkDown()) }
      const result = yield* importSpreadsheet({ file: yield* fileOf(csvOf(3)), sink, dryRun: true })
      expect(result).toMatchObject({ created: 3, duplicates: 0 })
    }))

  it.effect("fails as the sink fails", () =>
    Effect.gen(function* () {
      const sink: StudentSink<SinkDown> = { insertBatch: () => Effect.fail(new SinkDown()) }
      expect((yield* Effect.flip(importSpreadsheet({ file: yield* fileOf(csvOf(3)), sink })))._tag).toBe("SinkDown")
    }))

  it.effect("dies when the sink does not answer for each row of a batch", () =>
    Effect.gen(function* () {
      const sink: StudentSink<never> = { insertBatch: () => Effect.succeed({ created: [2], duplicates: [] }) }
      const exit = yield* Effect.exit(importSpreadsheet({ file: yield* fileOf(csvOf(3)), sink }))
      expect(String(exit)).toContain("Cannot count a batch of 3 rows")
    }))

  it.effect("writes nothing of a file that turns out to be broken after its first thousand rows", () =>
    Effect.gen(function* () {
      const { batches, sink } = rememberingSink()
      const good = Array.from({ length: 1_000 }, (_, index) => textRow(["김가나", phoneOf(index)])).join("")
      const file = yield* fileOf(workbookOf({ sheet: `${textRow(["이름", "학부모 연락처"])}${good}<row></c>` }))
      const error = yield* Effect.flip(importSpreadsheet({ file, sink }))
      expect(error satisfies ImportRejected | { readonly _tag: string }).toMatchObject({ code: "broken_workbook" })
      expect(batches).toEqual([])
    }))

  it.effect("lists as many refused cells as it was told and counts the others", () =>
    Effect.gen(function* () {
      const file = yield* fileOf(`이름,학부모 연락처\n${",\n가,\n".repeat(5)}`)
      const result = yield* importSpreadsheet({ file, sink: rememberingSink().sink, failedAtMost: 3 })
      expect(result).toMatchObject({ total: 5, created: 0, failed_rows: 5, failed_omitted: 2 })
      expect(result.failed.map((failure) => failure.cell)).toEqual(["B3", "B5", "B7"])
    }))

  it.effect("asks whose a list's only number is, with a preview of both readings, and reads it once a person has said", () =>
    Effect.gen(function* () {
      const { sink } = rememberingSink()
      const file = yield* fileOf("이름,연락처\n김가,01011112222\n이나,")
      expect(yield* Effect.flip(importSpreadsheet({ file, sink }))).toMatchObject({
        _tag: "ImportUndecided",
        question: "phone",
        readings: [
          {
            id: "guardian:B",
            importable: true,
            preview: [{ row: 2, cells: { 이름: "김가", "학부모 연락처": "01011112222" } }, { row: 3, cells: { 이름: "이나" } }]
          },
          { id: "student:B", importable: false, preview: [{ row: 2, cells: { 이름: "김가", "학생 연락처": "01011112222" } }, { row: 3 }] }
        ]
      })
      const result = yield* importSpreadsheet({ file, sink, readings: ["guardian:B"] })
      expect(result).toMatchObject({ created: 1, failed_rows: 1 })
      expect(result.notes.map((note) => note.code)).toContain("phone_is_guardian")
      expect(yield* Effect.flip(importSpreadsheet({ file, sink, readings: ["student:B"] }))).toMatchObject({
        _tag: "ImportRejected",
        code: "header_not_found"
      })
    }))

  it.effect("says which cells are merged over rows, for their value is read for the first row alone", () =>
    Effect.gen(function* () {
      const data = [["이름", "학부모 연락처", "반"], ["김가", "010-1111-2222", "1반"], ["이나", "010-1111-2223"]].map(textRow)
      const sheet = `<?xml version="1.0"?><worksheet><sheetData>${data.join("")}</sheetData>` +
        `<mergeCells><mergeCell ref="C2:C3"/><mergeCell ref="A3:B3"/><mergeCell ref="D2:D3"/></mergeCells></worksheet>`
      const file = yield* fileOf(workbookOf({ sheet }))
      const { created, notes } = yield* importSpreadsheet({ file, sink: rememberingSink().sink })
      expect(created).toBe(2)
      expect(notes).toMatchObject([{ code: "merged_over_rows", ko: expect.stringMatching(/: C2:C3$/) }])
    }))

  it.effect("asks again where what was said answers another question", () =>
    Effect.gen(function* () {
      const file = yield* fileOf("이름,연락처\n김가,010-1111-2222")
      for (const reading of ["guardian:A", "student:C", "sheet:1", "encoding:utf-8"]) {
        const error = yield* Effect.flip(importSpreadsheet({ file, sink: rememberingSink().sink, readings: [reading] }))
        expect(error).toMatchObject({ _tag: "ImportUndecided", question: "phone" })
      }
    }))

  it.effect("asks which characters bytes are that are text in two encodings, and shows both", () =>
    Effect.gen(function* () {
      const { rows, sink } = rememberingSink()
      const file = yield* fileOf(iconv.encode("name,parent phone\n짹째,010-1111-2222\n", "cp949"), "list.csv")
      const asked = yield* Effect.flip(importSpreadsheet({ file, sink }))
      expect(asked).toMatchObject({ _tag: "ImportUndecided", question: "encoding" })
      if (asked._tag !== "ImportUndecided") return
      expect(asked.readings.map(({ id, preview }) => [id, preview[1]?.cells["A"]])).toEqual([
        ["encoding:utf-8", iconv.encode("짹째", "cp949").toString("utf8")],
        ["encoding:cp949", "짹째"]
      ])
      yield* importSpreadsheet({ file, sink, readings: ["encoding:cp949"] })
      expect(rows().map(({ name }) => name)).toEqual(["짹째"])
    }))

  it.effect("asks which of several lists is meant, and says which it left out and what was hidden", () =>
    Effect.gen(function* () {
      const sheets = [
        { name: "숨김", state: "veryHidden", rows: [["이름", "학부모 연락처"], ["숨은이", "010-1111-1111"]] },
        { name: "안내", state: "visible", rows: [["명단을 적어 주세요"]] },
        { name: "1반", state: "visible", rows: [["이름", "학부모 연락처"], ["김가", "010-1111-2222"]] },
        { name: "2반", state: "visible", rows: [["이름", "학부모 연락처"], ["이나", "010-1111-3333"]] }
      ]
      const { rows, sink } = rememberingSink()
      const file = yield* fileOf(severalSheets(sheets))
      const asked = yield* Effect.flip(importSpreadsheet({ file, sink }))
      expect(asked).toMatchObject({
        question: "sheet",
        readings: [
          { id: "sheet:2", preview: [{ row: 2, cells: { 이름: "김가" } }] },
          { id: "sheet:3", preview: [{ row: 2, cells: { 이름: "이나" } }] }
        ]
      })
      const result = yield* importSpreadsheet({ file, sink, readings: ["sheet:3"] })
      expect(result.sheet).toBe("2반")
      expect(rows().map((row) => row.name)).toEqual(["이나"])
      expect(result.notes.map((note) => [note.code, note.en])).toEqual([
        ["more_lists", "Sheets '1반' hold a list too; only '2반' was read, as asked"],
        ["hidden_sheets", "The hidden sheets '숨김' were not read"]
      ])
    }))

  it.effect("reads hidden rows and says so", () =>
    Effect.gen(function* () {
      const hidden = textRow(["김가", "010-1111-2222"]).replace("<row>", `<row hidden="1">`)
      const file = yield* fileOf(workbookOf({ sheet: textRow(["이름", "학부모 연락처"]) + hidden }))
      const result = yield* importSpreadsheet({ file, sink: rememberingSink().sink })
      expect(result.created).toBe(1)
      expect(result.notes.map((note) => note.en)).toEqual(["Hidden rows that were read: 2"])
    }))

  it.effect.each([
    ["a workbook without a header", workbookOf({ sheet: textRow(["가", "나"]) }), "header_not_found"],
    ["a workbook without any row", workbookOf({ sheet: "" }), "empty_file"]
  ] as const)("refuses %s", ([, bytes, code]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(importSpreadsheet({ file: yield* fileOf(bytes), sink: rememberingSink().sink }))
      expect(error).toMatchObject({ _tag: "ImportRejected", code })
    }))
})

/** A workbook of several sheets, each a part of its own. */
const severalSheets = (
  sheets: ReadonlyArray<{ readonly name: string; readonly state: string; readonly rows: ReadonlyArray<ReadonlyArray<string>> }>
): Buffer => {
  const type = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/worksheet"
  const parts = workbookParts({ sheet: "" }).filter((part) => part.name !== "xl/worksheets/sheet1.xml")
  return zipOf([
    ...parts.map((part) => {
      if (part.name === "xl/workbook.xml") {
        const tags = sheets.map(({ name, state }, index) => `<sheet name="${name}" sheetId="${index + 1}" r:id="t${index}" state="${state}"/>`)
        return { ...part, content: `<workbook><sheets>${tags.join("")}</sheets></workbook>` }
      }
      if (part.name !== "xl/_rels/workbook.xml.rels") return part
      const tags = sheets.map((_, index) => `<Relationship Id="t${index}" Type="${type}" Target="worksheets/part${index}.xml"/>`)
      return { ...part, content: `<Relationships>${tags.join("")}</Relationships>` }
    }),
    ...sheets.map(({ rows }, index) => ({
      name: `xl/worksheets/part${index}.xml`,
      content: `<worksheet><sheetData>${rows.map(textRow).join("")}</sheetData></worksheet>`
    }))
  ])
}
