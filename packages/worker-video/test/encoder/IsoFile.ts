/** Hand-made ISO media files: boxes with whatever they should not hold. */
import { boxesIn, type IsoBox } from "../../src/encoder/IsoBoxes.ts"

export const latin = (text: string): Uint8Array => Uint8Array.from(text, (letter) => letter.charCodeAt(0) & 0xff)

export const joined = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => new Uint8Array(Buffer.concat(parts))

/** A box that says that it has `size` bytes: as many as it has, where that is not given. */
export const box = (type: string, content: Uint8Array, size = content.length + 8): Uint8Array => {
  const head = new Uint8Array(8)
  new DataView(head.buffer).setUint32(0, size)
  head.set(latin(type), 4)
  return joined(head, content)
}

/** A box with a size of 64 bits. */
export const largeBox = (type: string, content: Uint8Array, size: bigint): Uint8Array => {
  const head = new Uint8Array(16)
  const view = new DataView(head.buffer)
  view.setUint32(0, 1)
  head.set(latin(type), 4)
  view.setBigUint64(8, size)
  return joined(head, content)
}

export const fileType: Uint8Array = box("ftyp", latin("isom\0\0\x02\0isomiso2mp41"))

/** A copy in which every `from` is replaced by `to`, which is as long. At least one is there. */
export const patched = (bytes: Uint8Array, from: Uint8Array, to: Uint8Array): Uint8Array => {
  const copy = Buffer.from(bytes)
  let at = copy.indexOf(from)
  if (at < 0 || from.length !== to.length) throw new Error("There is nothing to patch")
  for (; at >= 0; at = copy.indexOf(from, at + to.length)) copy.set(to, at)
  return new Uint8Array(copy)
}

const referencePath = ["moov", "trak", "mdia", "minf", "dinf"]

/** A copy whose first track has its data in another file, which an entry of this kind names. The index has to come last. */
export const withDataElsewhere = (bytes: Uint8Array, kind: string, location: Uint8Array): Uint8Array => {
  const parents: Array<IsoBox> = []
  let inside = { start: 0, end: bytes.length }
  for (const type of referencePath) {
    const found = boxesIn(bytes, inside.start, inside.end).find((candidate) => candidate.type === type)
    if (found === undefined) throw new Error(`There is no ${type}`)
    parents.push(found)
    inside = found
  }
  const [table] = boxesIn(bytes, inside.start, inside.end)
  if (table?.type !== "dref") throw new Error("There is no table of data references")
  const count = new Uint8Array([0, 0, 0, 0, 0, 0, 0, 1])
  const made = box("dref", joined(count, box(kind, joined(new Uint8Array(4), location))))
  const head = table.start - 8
  const changed = joined(bytes.subarray(0, head), made, bytes.subarray(table.end))
  const view = new DataView(changed.buffer)
  for (const { end, start } of parents) view.setUint32(start - 8, end - start + 8 + made.length - (table.end - head))
  return changed
}
