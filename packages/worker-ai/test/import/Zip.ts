import { crc32, deflateRawSync } from "node:zlib"

/** A part of a zip to be written. Sizes and flags can be made to lie. */
export interface ZipPart {
  readonly name: string
  readonly content: Uint8Array | string
  readonly stored?: boolean
  readonly encrypted?: boolean
  readonly claimedSize?: number
}

/** A zip of the given parts, byte by byte, for the files that no program writes. */
export const zipOf = (parts: ReadonlyArray<ZipPart>): Buffer => {
  const locals: Array<Buffer> = []
  const directory: Array<Buffer> = []
  let offset = 0
  for (const part of parts) {
    const name = Buffer.from(part.name)
    const content = Buffer.from(part.content)
    const data = part.stored === true ? content : deflateRawSync(content)
    const fields = Buffer.alloc(26)
    fields.writeUInt16LE(20, 0)
    fields.writeUInt16LE(0x800 | (part.encrypted === true ? 1 : 0), 2)
    fields.writeUInt16LE(part.stored === true ? 0 : 8, 4)
    fields.writeUInt32LE(crc32(content), 10)
    fields.writeUInt32LE(data.length, 14)
    fields.writeUInt32LE(part.claimedSize ?? content.length, 18)
    fields.writeUInt16LE(name.length, 22)
    const local = Buffer.concat([Buffer.from("PK\x03\x04"), fields, name, data])
    const tail = Buffer.alloc(14)
    tail.writeUInt32LE(offset, 10)
    directory.push(Buffer.concat([Buffer.from("PK\x01\x02\x14\0"), fields, tail, name]))
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
