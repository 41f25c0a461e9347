import { boxesIn, type IsoBox } from "./IsoBoxes.ts"

const versionOf = (view: DataView, box: IsoBox): number => view.getUint8(box.start)

const addTo = (view: DataView, offset: number, wide: boolean, ticks: number): void => {
  if (wide) view.setBigUint64(offset, view.getBigUint64(offset) + BigInt(ticks))
  else view.setUint32(offset, view.getUint32(offset) + ticks)
}

/**
 * Moves a segment, in place, to where it stands in the whole: `ticks` later in time, after `fragments` others. A
 * program that begins in the middle counts from zero; the pictures themselves hold no times.
 */
export const shiftFragments = (bytes: Uint8Array, ticks: number, fragments: number): void => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  for (const box of boxesIn(bytes)) {
    // The earliest presentation time stands behind the box's version, its id and its timescale.
    if (box.type === "sidx") addTo(view, box.start + 12, versionOf(view, box) === 1, ticks)
    if (box.type !== "moof") continue
    for (const inside of boxesIn(bytes, box.start, box.end)) {
      if (inside.type === "mfhd") addTo(view, inside.start + 4, false, fragments)
      if (inside.type !== "traf") continue
      for (const leaf of boxesIn(bytes, inside.start, inside.end)) {
        if (leaf.type === "tfdt") addTo(view, leaf.start + 4, versionOf(view, leaf) === 1, ticks)
      }
    }
  }
}
