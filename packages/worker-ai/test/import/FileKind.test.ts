import { describe, expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { readFile, stat } from "node:fs/promises"
import { defaultImportLimits } from "../../src/import/ImportLimits.ts"
import { importSpreadsheet, recogniseFile } from "../../src/import/index.ts"
import { openZipArchive } from "../../src/import/ZipArchive.ts"
import { fileOf, rosterFile } from "./Files.ts"
import { rememberingSink } from "./Sinks.ts"
import { textRow, workbookOf, workbookParts } from "./Workbook.ts"
import { type ZipPart, zipOf } from "./Zip.ts"

/** A compound file of 512-byte sectors whose directory, in the sectors given, holds these names. */
const compoundFile = (names: ReadonlyArray<string>): Buffer => {
  const header = Buffer.alloc(512)
  Buffer.from([0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1]).copy(header)
  header.writeUInt16LE(9, 0x1e)
  // Sector 0 is the allocation table; the directory lies in sectors 2, 4, 6 and so on.
  header.writeUInt32LE(2, 0x30)
  header.writeUInt32LE(0, 0x4c)
  const sectors = Math.ceil(names.length / 4)
  const table = Buffer.alloc(512, 0xff)
  const body = Buffer.alloc(512 * (2 * sectors + 1))
  for (const [index, name] of names.entries()) {
    const sector = 2 + 2 * Math.floor(index / 4)
    const offset = (sector - 1) * 512 + (index % 4) * 128
    body.write(name, offset, "utf16le")
    body.writeUInt16LE((name.length + 1) * 2, offset + 64)
    table.writeUInt32LE(Math.floor(index / 4) === sectors - 1 ? 0xfffffffe : sector + 2, sector * 4)
  }
  return Buffer.concat([header, table, body])
}

const contentTypes = (type: string): ZipPart => ({
  name: "[Content_Types].xml",
  content: `<Types><Override PartName="/xl/workbook.xml" ContentType="${type}"/></Types>`
})

const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text}`, "utf16le")

const html = "<html><table><tr><td>이름</td></tr></table></html>"
const roster = await readFile(rosterFile)
const [, ...others] = workbookParts({ sheet: "" })

describe("FileKind", () => {
  it.effect.each([
    ["an empty file", "empty_file", ""],
    ["a file of blanks", "empty_file", "\ufeff \r\n\t"],
    ["an .xls", "legacy_xls", compoundFile(["Root Entry", "Workbook"])],
    ["an .xls whose directory goes on in another sector", "legacy_xls", compoundFile(["a", "b", "c", "d", "e", "Book"])],
    ["an .xls from before containers", "legacy_xls", Buffer.from([9, 8, 8, 0, 0, 5, 16, 0, 0, 0])],
    ["an encrypted workbook", "encrypted_workbook", compoundFile(["Root Entry", "EncryptionInfo", "EncryptedPackage"])],
    ["a Word document in the old format", "not_a_spreadsheet", compoundFile(["Root Entry", "WordDocument"])],
    ["a compound file whose directory runs in a circle", "not_a_spreadsheet", Buffer.concat([compoundFile(["x"]).subarray(0, 520), Buffer.from([2, 0, 0, 0]), Buffer.alloc(2000)])],
    ["HTML as .xls", "html_as_xls", `\r\n${html}`],
    ["HTML in UTF-16", "html_as_xls", utf16(html)],
    ["a web archive", "html_as_xls", "MIME-Version: 1.0\r\nContent-Type: multipart/related"],
    ["an XML Spreadsheet 2003", "xml_spreadsheet_2003", `<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>`],
    ["an .xlsb", "binary_xlsb", zipOf([contentTypes("sheet.binary.macroEnabled"), { name: "xl/workbook.bin", content: "x" }])],
    ["an .ods", "open_document", zipOf([{ name: "mimetype", content: "application/vnd.oasis.opendocument.spreadsheet", stored: true }])],
    ["an .xlsm", "macro_workbook", zipOf([contentTypes("application/vnd.ms-excel.sheet.macroEnabled.main+xml"), ...others])],
    ["a workbook that carries macros", "macro_workbook", zipOf([...workbookParts({ sheet: "" }), { name: "xl/vbaProject.bin", content: "x" }])],
    ["a Word document", "zip_without_workbook", zipOf([contentTypes("wordprocessingml.document.main+xml"), { name: "word/document.xml", content: "<x/>" }])],
    ["a zip of other files", "zip_without_workbook", zipOf([{ name: "roster.csv", content: "a,b" }])],
    ["an empty zip", "zip_without_workbook", zipOf([])],
    ["a zip with a password", "encrypted_workbook", zipOf(workbookParts({ sheet: "" }).map((part) => ({ ...part, encrypted: true })))],
    ["a truncated workbook", "broken_workbook", roster.subarray(0, 9_000)],
    ["a workbook with damage in its middle", "broken_workbook", Buffer.concat([roster.subarray(0, 6_000), Buffer.alloc(3_000, 7), roster.subarray(9_000)])],
    ["a workbook without its sheet", "broken_workbook", zipOf(workbookParts({ sheet: "" }).slice(0, -1))],
    ["a PDF", "not_a_spreadsheet", "%PDF-1.7\n1 0 obj"],
    ["a picture", "not_a_spreadsheet", Buffer.from("89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c489", "hex")],
    ["prose", "header_not_found", "안녕하세요. 명단을 보내 드립니다.\n"]
  ] as const)("refuses %s, saying what to do in both languages", ([, code, bytes]) =>
    Effect.gen(function* () {
      const path = yield* fileOf(bytes)
      const error = yield* Effect.flip(importSpreadsheet({ file: path, sink: rememberingSink().sink }))
      expect(error).toMatchObject({ _tag: "ImportRejected", code })
      if (error._tag !== "ImportRejected") return
      expect(error.messageKo).toMatch(/[가-힣].*주세요/s)
      expect(error.messageEn).toMatch(/^[A-Z].*(;|upload)/)
      expect(error.message).toContain(code)
    }))

  it.effect("recognises by bytes, whatever the name", () =>
    Effect.gen(function* () {
      expect(yield* recogniseFile(yield* fileOf(roster, "list.csv"), defaultImportLimits)).toBe("xlsx")
      expect(yield* recogniseFile(yield* fileOf("이름,학부모 연락처\n", "list.xlsx"), defaultImportLimits)).toBe("csv")
      expect(yield* recogniseFile(yield* fileOf(utf16("이름,학부모 연락처\n")), defaultImportLimits)).toBe("csv")
    }))

  it.effect("refuses a bomb as soon as it has measured one, whatever its headers claim", () =>
    Effect.gen(function* () {
      const header = textRow(["이름", "학부모 연락처"])
      const row = textRow(["가", "가"])
      const sheet = header + row.repeat(1_000_000)
      for (const claimedSize of [undefined, 1_000_000_000]) {
        const parts = workbookParts({ sheet }).map((part) =>
          part.name.endsWith("sheet1.xml") && claimedSize !== undefined ? { ...part, claimedSize } : part
        )
        const path = yield* fileOf(zipOf(parts))
        const error = yield* Effect.flip(importSpreadsheet({ file: path, sink: rememberingSink().sink }))
        expect(error).toMatchObject({ _tag: "ImportRejected", code: "bomb_suspected" })

        const inflated = yield* Effect.promise(async () => {
          const archive = await openZipArchive(path, defaultImportLimits)
          let bytes = 0
          try {
            for await (const chunk of archive.read("xl/worksheets/sheet1.xml")) bytes += chunk.length
          } catch {
            return bytes
          } finally {
            archive.close()
          }
          return Number.POSITIVE_INFINITY
        })
        const { size } = yield* Effect.promise(() => stat(path))
        expect(inflated).toBeLessThanOrEqual(Math.max(defaultImportLimits.ratioFreeBytes, 100 * size))
      }
    }))

  it.effect("knows a workbook by a list of types that comes in several pieces", () =>
    Effect.gen(function* () {
      const types = contentTypes("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml")
      const content = `${types.content.toString()}<!--${"가".repeat(100_000)}-->`
      const path = yield* fileOf(zipOf([{ ...types, content, stored: true }, ...others]))
      expect(yield* recogniseFile(path, defaultImportLimits)).toBe("xlsx")
    }))

  it.effect("refuses a bomb among the shared strings", () =>
    Effect.gen(function* () {
      const path = yield* fileOf(workbookOf({ sheet: "", sharedStrings: `<sst>${"<si><t>가</t></si>".repeat(1_000_000)}</sst>` }))
      const error = yield* Effect.flip(importSpreadsheet({ file: path, sink: rememberingSink().sink }))
      expect(error).toMatchObject({ _tag: "ImportRejected", code: "bomb_suspected" })
    }))

  it.effect("refuses a part that is longer than it claims", () =>
    Effect.gen(function* () {
      const parts = workbookParts({ sheet: textRow(["이름", "학부모 연락처"]) }).map((part) => ({ ...part, claimedSize: 10 }))
      const error = yield* Effect.flip(
        importSpreadsheet({ file: yield* fileOf(zipOf(parts)), sink: rememberingSink().sink })
      )
      expect(error).toMatchObject({ _tag: "ImportRejected", code: "broken_workbook" })
    }))
})
