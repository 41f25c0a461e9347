import { crc32, deflateRawSync } from "node:zlib"

interface Part {
  readonly name: string
  readonly content: string
}

const relationships = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
const main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"

/** The parts in a zip, as programs that save workbooks write it. */
export const zipOf = (parts: ReadonlyArray<Part>): Buffer<ArrayBuffer> => {
  const locals: Array<Buffer> = []
  const directory: Array<Buffer> = []
  let offset = 0
  for (const part of parts) {
    const name = Buffer.from(part.name)
    const content = Buffer.from(part.content)
    const data = deflateRawSync(content)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(0x800, 2)
    fields.writeUInt16LE(8, 4)
    fields.writeUInt32LE(crc32(content), 10)
    fields.writeUInt32LE(data.length, 14)
    fields.writeUInt32LE(content.length, 18)
    fields.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), fields, name, data])
    const place = Buffer.alloc(14)
    place.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\0"), fields, place, name]))
    locals.push(local)
    offset += local.length
  }
  const entries = Buffer.concat(directory)
  const end = Buffer.alloc(18)
  end.writeUInt16LE(parts.length, 4)
  end.writeUInt16LE(parts.length, 6)
  end.writeUInt32LE(entries.length, 8)
  end.writeUInt32LE(offset, 12)
  return Buffer.concat([...locals, entries, Buffer.from("PK\x05\x06"), end])
}

/** A workbook with these rows of text. */
export const workbookOf = (rows: ReadonlyArray<ReadonlyArray<string>>): Buffer<ArrayBuffer> => {
  const cells = (row: ReadonlyArray<string>): string =>
    row.map((text) => `<c t="inlineStr"><is><t>${text}</t></is></c>`).join("")
  const types = "application/vnd.openxmlformats-officedocument.spreadsheetml"
  return zipOf([
    {
      name: "[Content_Types].xml",
      content: `<Types><Override PartName="/xl/workbook.xml" ContentType="${types}.sheet.main+xml"/></Types>`
    },
    {
      name: "_rels/.rels",
      content: `<Relationships><Relationship Id="r1" Type="${relationships}/officeDocument" Target="xl/workbook.xml"/></Relationships>`
    },
    {
      name: "xl/workbook.xml",
      content: `<workbook xmlns="${main}" xmlns:r="${relationships}"><sheets><sheet name="명단" sheetId="1" r:id="s1"/></sheets></workbook>`
    },
    {
      name: "xl/_rels/workbook.xml.rels",
      content: `<Relationships><Relationship Id="s1" Type="${relationships}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>`
    },
    {
      name: "xl/worksheets/sheet1.xml",
      content: `<worksheet xmlns="${main}"><sheetData>${rows.map((row) => `<row>${cells(row)}</row>`).join("")}</sheetData></worksheet>`
    }
  ])
}

/** A class list of so many good rows, no student twice. */
export const madeRoster = (students: number): Buffer<ArrayBuffer> =>
  workbookOf([
    ["이름", "학부모 연락처"],
    ...Array.from({ length: students }, (_, index) => [`학생${index}`, `010-${4000 + (index >> 12)}-${String(index & 0xfff).padStart(4, "0")}`])
  ])
