import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import * as fc from "fast-check"
import iconv from "iconv-lite"
import { openCsv } from "../../src/import/CsvReader.ts"
import { defaultImportLimits } from "../../src/import/ImportLimits.ts"
import { importSpreadsheet } from "../../src/import/index.ts"
import { exactDecoder } from "../../src/import/TextEncoding.ts"
import { fileOf, rowsOf, textsOf } from "./Files.ts"
import { rememberingSink } from "./Sinks.ts"

const list = "이름,학부모 연락처,비고\r\n뷁믜,010-2345-6789,똠방각하\r\n"
const texts = [["이름", "학부모 연락처", "비고"], ["뷁믜", "010-2345-6789", "똠방각하"]]

/** All 11,172 modern syllables. */
const syllables = Array.from({ length: 11_172 }, (_, index) => String.fromCharCode(0xac00 + index)).join("")

const bigEndian = (text: string): Buffer => Buffer.from(text, "utf16le").swap16()

describe("CsvReader", () => {
  it.effect.each([
    ["UTF-8", Buffer.from(list)],
    ["UTF-8 with its mark", Buffer.from(`\ufeff${list}`)],
    ["UTF-16 with its mark", Buffer.from(`\ufeff${list}`, "utf16le")],
    ["big-endian UTF-16 with its mark", bigEndian(`\ufeff${list}`)],
    ["UTF-16 without a mark", Buffer.from(list, "utf16le")],
    ["big-endian UTF-16 without a mark", bigEndian(list)],
    ["CP949", iconv.encode(list, "cp949")]
  ] as const)("reads %s", ([, bytes]) =>
    Effect.gen(function* () {
      expect(textsOf(yield* rowsOf(yield* fileOf(bytes, "list.csv")))).toEqual(texts)
    }))

  it.effect("reads all 11,172 syllables of CP949, over every cut of its chunks", () =>
    Effect.gen(function* () {
      // 22 KB a line over chunks of 64 KB; the odd line lengths move the cuts through the characters.
      const content = Array.from({ length: 12 }, (_, row) => `${"a".repeat(row)}${syllables}`)
      const rows = yield* rowsOf(yield* fileOf(iconv.encode(content.join("\n"), "cp949"), "list.csv"))
      expect(textsOf(rows).map(([text]) => text)).toEqual(content)
    }))

  it.effect.each([
    ["commas", ","],
    ["tabs", "\t"],
    ["semicolons", ";"],
    ["bars", "|"]
  ] as const)("finds out that values are separated by %s", ([, delimiter]) =>
    Effect.gen(function* () {
      const rows = yield* rowsOf(yield* fileOf(list.replaceAll(",", delimiter).replace("똠방각하", `"a${delimiter}b, ""c"""`)))
      expect(textsOf(rows)).toEqual([texts[0], ["뷁믜", "010-2345-6789", `a${delimiter}b, "c"`]])
    }))

  it.effect("heeds the line in which Excel names the separator, and does not count it", () =>
    Effect.gen(function* () {
      const rows = yield* rowsOf(yield* fileOf(`sep=;\r\n${list.replaceAll(",", ";")}`))
      expect(rows.map((row) => row.row)).toEqual([1, 2])
    }))

  it.effect("numbers rows as a spreadsheet does: blank lines count, line ends inside quotes do not", () =>
    Effect.gen(function* () {
      const rows = yield* rowsOf(yield* fileOf(`제목\n\n"이름","두\n줄"\n,\n김가,나\n`))
      expect(rows.map((row) => [row.row, row.cells.map((cell) => cell.column)])).toEqual([[1, [1]], [3, [1, 2]], [5, [1, 2]]])
    }))

  it.effect.each([
    ["text that is Latin in one encoding and Hangul in the other", "encoding_ambiguous", iconv.encode("짹째,짹째\n", "cp949")],
    ["bytes of no known encoding", "encoding_unknown", Buffer.from([0xc7, 0xd0, 0xff, 0x2c, 0x0a])],
    ["half a character at the end of CP949", "encoding_unknown", iconv.encode("학생", "cp949").subarray(0, 3)],
    ["marked UTF-8 that is none", "encoding_broken", Buffer.concat([Buffer.from("\ufeff"), iconv.encode(list, "cp949")])],
    ["a quote that never ends", "broken_csv", Buffer.from(`이름,학부모 연락처\n"김가,010`)]
  ] as const)("refuses %s", ([, code, bytes]) =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(rowsOf(yield* fileOf(bytes, "list.csv")))
      expect(error).toMatchObject({ _tag: "ImportRejected", code })
    }))

  it.effect.each([
    ["cells", "too_many_cells", { cells: 5 }],
    ["columns", "too_many_columns", { columns: 2 }]
  ] as const)("holds the limit on %s", ([, code, limit]) =>
    Effect.gen(function* () {
      const path = yield* fileOf(list)
      const error = yield* Effect.flip(rowsOf(path, { limits: { ...defaultImportLimits, ...limit } }))
      expect(error).toMatchObject({ code })
    }))

  it.effect("imports a list in CP949 whose zeroes a spreadsheet ate", () =>
    Effect.gen(function* () {
      const { rows, sink } = rememberingSink()
      const path = yield* fileOf(iconv.encode("성명\t보호자 휴대폰\n뷁믜\t1023456789\n", "cp949"), "명단.tsv")
      const result = yield* importSpreadsheet({ file: path, sink })
      expect(result).toMatchObject({ created: 1, total: 1, sheet: "명단" })
      expect(yield* importSpreadsheet({ file: path, name: "3반.csv", sink })).toMatchObject({ sheet: "3반" })
      expect(rows()[0]).toMatchObject({ row: 2, name: "뷁믜", guardianPhone: "010-2345-6789" })
    }))

  it.effect("fails for the disk, not for the file, when the file is gone", () =>
    Effect.gen(function* () {
      const error = yield* Effect.flip(openCsv("/nowhere/list.csv", defaultImportLimits))
      expect(error).toMatchObject({ _tag: "ImportFileUnreadable" })
    }))
})

describe("exactDecoder", () => {
  it("gives the same text however its bytes are cut", () => {
    const encode = (text: string, encoding: "utf-8" | "utf-16le" | "utf-16be" | "cp949"): Buffer =>
      encoding === "utf-16be" ? bigEndian(text) : iconv.encode(text, encoding)
    fc.assert(
      fc.property(
        fc.constantFrom("utf-8", "utf-16le", "utf-16be", "cp949"),
        fc.array(fc.constantFrom(...syllables, "a", ",", "0", "\n"), { minLength: 1, maxLength: 60 }),
        fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1 }),
        (encoding, characters, sizes) => {
          const text = characters.join("")
          const bytes = encode(text, encoding)
          const decoder = exactDecoder(encoding)
          let decoded = ""
          let at = 0
          for (let piece = 0; at < bytes.length; piece++) {
            const size = sizes[piece % sizes.length] ?? 1
            decoded += decoder.push(bytes.subarray(at, at + size))
            at += size
          }
          expect(decoded + decoder.end()).toBe(text)
        }
      )
    )
  })
})
