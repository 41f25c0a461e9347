import { Effect } from "effect"
import { execFile } from "node:child_process"
import { writeFile } from "node:fs/promises"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { deflateRawSync, crc32 } from "node:zlib"

interface Part {
  readonly name: string
  readonly content: Buffer
}

/** A zip archive of deflated parts (APPNOTE.TXT, sections 4.3.7 to 4.3.16), without what a reader does not need. */
const zipOf = (parts: ReadonlyArray<Part>): Buffer => {
  const local: Array<Buffer> = []
  const central: Array<Buffer> = []
  let offset = 0
  for (const { content, name } of parts) {
    const data = deflateRawSync(content, { level: 9 })
    const title = Buffer.from(name)
    const common = Buffer.alloc(26)
    common.writeUInt16LE(20, 0)
    common.writeUInt16LE(8, 4)
    common.writeUInt32LE(crc32(content), 10)
    common.writeUInt32LE(data.length, 14)
    common.writeUInt32LE(content.length, 18)
    common.writeUInt16LE(title.length, 22)
    local.push(Buffer.concat([Buffer.from("PK\x03\x04", "latin1"), common, title, data]))
    const entry = Buffer.alloc(14)
    entry.writeUInt32LE(offset, 10)
    central.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\x00", "latin1"), common, entry, title]))
    offset += 4 + common.length + title.length + data.length
  }
  const directory = Buffer.concat(central)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(parts.length, 4)
  end.writeUInt16LE(parts.length, 6)
  end.writeUInt32LE(directory.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...local, directory, Buffer.from("PK\x05\x06", "latin1"), end])
}

const text = (content: string): Buffer => Buffer.from(content)
const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
const relations = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

const header = `<row>${["이름", "학부모 연락처"].map((label) => `<c t="inlineStr"><is><t>${label}</t></is></c>`).join("")}</row>`

/** A workbook of some 500 KB whose one sheet inflates to 200 MB: four hundred to one (INCIDENTS.md, 47). */
const bomb = (): Buffer =>
  zipOf([
    {
      name: "[Content_Types].xml",
      content: text(
        `<Types><Override PartName="/xl/workbook.xml" ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/></Types>`
      )
    },
    { name: "_rels/.rels", content: text(`<Relationships><Relationship Id="r1" Type="${relations}/officeDocument" Target="xl/workbook.xml"/></Relationships>`) },
    { name: "xl/workbook.xml", content: text(`<workbook xmlns="${main}" xmlns:r="${relations}"><sheets><sheet name="a" sheetId="1" r:id="s1"/></sheets></workbook>`) },
    { name: "xl/_rels/workbook.xml.rels", content: text(`<Relationships><Relationship Id="s1" Type="${relations}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`) },
    { name: "xl/worksheets/sheet1.xml", content: Buffer.concat([text(`<worksheet xmlns="${main}"><sheetData>${header}`), Buffer.alloc(200 * 1024 * 1024, "<row><c><v>1</v></c></row>")]) }
  ])

/** How long the refusal of a bomb takes, and how much more memory than the reader's own start. */
export const printBomb = Effect.fnUntraced(function*(folder: string, say: (text: string) => void) {
  const file = join(folder, "bomb.xlsx")
  const content = bomb()
  yield* Effect.promise(() => writeFile(file, content))
  const program = fileURLToPath(new URL("./refuse.ts", import.meta.url))
  const { stdout } = yield* Effect.promise(() => promisify(execFile)(process.execPath, [program, file]))
  say(`A workbook of ${Math.round(content.length / 1024)} KiB that inflates to 200 MiB: ${stdout.trim()}`)
})
