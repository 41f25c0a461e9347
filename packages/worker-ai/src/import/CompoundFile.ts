import type { FileHandle } from "node:fs/promises"

/** The magic of Microsoft's older container (OLE, CFB), in which .xls, .doc and encrypted .xlsx come. */
export const compoundFileMagic = Uint8Array.of(0xd0, 0xcf, 0x11, 0xe0, 0xa1, 0xb1, 0x1a, 0xe1)

/** More directory sectors than any office document has; a chain that is longer runs in a circle. */
const sectorsAtMost = 1_000

const readAt = async (file: FileHandle, position: number, length: number): Promise<Buffer> => {
  const buffer = Buffer.alloc(length)
  const { bytesRead } = await file.read(buffer, 0, length, position)
  return buffer.subarray(0, bytesRead)
}

const wordAt = (bytes: Buffer, offset: number): number =>
  offset + 4 <= bytes.length ? bytes.readUInt32LE(offset) : 0xffffffff

/**
 * The names of the streams and storages in a compound file, as far as its directory can be followed: enough to tell
 * what kind of document it is.
 */
export const compoundFileNames = async (file: FileHandle): Promise<ReadonlyArray<string>> => {
  const header = await readAt(file, 0, 512)
  if (header.length < 512) return []
  const shift = header.readUInt16LE(0x1e)
  if (shift !== 9 && shift !== 12) return []
  const size = 1 << shift
  const sector = (number: number) => readAt(file, (number + 1) * size, size)
  const nextOf = async (number: number): Promise<number> => {
    const perSector = size / 4
    const block = Math.floor(number / perSector)
    // The header lists the first 109 blocks of the allocation table, which cover 7 MB or more of the file.
    if (block >= 109) return 0xffffffff
    const table = wordAt(header, 0x4c + block * 4)
    return table >= 0xfffffffa ? table : wordAt(await sector(table), (number % perSector) * 4)
  }
  const names: Array<string> = []
  let at = wordAt(header, 0x30)
  for (let count = 0; at < 0xfffffffa && count < sectorsAtMost; count++) {
    const directory = await sector(at)
    for (let offset = 0; offset + 128 <= directory.length; offset += 128) {
      const bytes = Math.min(directory.readUInt16LE(offset + 64), 64)
      if (bytes > 2) names.push(directory.toString("utf16le", offset, offset + bytes - 2))
    }
    at = await nextOf(at)
  }
  return names
}
