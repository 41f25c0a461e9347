import { Effect, FileSystem } from "effect"
import type { PlatformError } from "effect/PlatformError"

/** A box inside `bytes`: its content is `bytes.subarray(start, end)`. */
export interface IsoBox {
  readonly type: string
  readonly start: number
  readonly end: number
}

const typeAt = (bytes: Uint8Array, offset: number): string => String.fromCharCode(...bytes.subarray(offset, offset + 4))

/** The boxes side by side in `bytes` from `start` to `end`. Stops at the first that claims more than there is. */
export const boxesIn = (bytes: Uint8Array, start = 0, end = bytes.length): ReadonlyArray<IsoBox> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const boxes: Array<IsoBox> = []
  let offset = start
  while (offset + 8 <= end) {
    const declared = view.getUint32(offset)
    const large = declared === 1
    if (large && offset + 16 > end) break
    const size = declared === 0 ? end - offset : large ? Number(view.getBigUint64(offset + 8)) : declared
    const header = large ? 16 : 8
    if (size < header || offset + size > end) break
    boxes.push({ type: typeAt(bytes, offset + 4), start: offset + header, end: offset + size })
    offset += size
  }
  return boxes
}

/** All boxes found by following `path` from the top of `bytes`, e.g. `["moov", "trak", "mdia"]`. */
export const boxesAt = (bytes: Uint8Array, path: ReadonlyArray<string>): ReadonlyArray<IsoBox> =>
  path.reduce<ReadonlyArray<IsoBox>>(
    (parents, type) =>
      parents.flatMap(({ end, start }) => boxesIn(bytes, start, end).filter((box) => box.type === type)),
    [{ type: "", start: 0, end: bytes.length }]
  )

/** How a file's boxes end: all inside it, one cut off by the end of the file, or without the index (`moov`). */
export type FileLayout = "whole" | "cut" | "no_index"

/** Walks the top level of an ISO media file of `size` bytes, reading headers only. */
export const fileLayout = (
  path: string,
  size: number
): Effect.Effect<FileLayout, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const file = yield* fileSystem.open(path, { flag: "r" })
    const header = new Uint8Array(16)
    const view = new DataView(header.buffer)
    let offset = 0
    let index = false
    while (offset < size) {
      yield* file.seek(BigInt(offset), "start")
      const read = yield* file.read(header)
      if (read < 8) return index ? "whole" : "cut"
      const declared = view.getUint32(0)
      const boxSize =
        declared === 0 ? size - offset : declared === 1 && read === 16 ? Number(view.getBigUint64(8)) : declared
      const type = typeAt(header, 4)
      if (boxSize < 8 || !/^[\x20-\x7e\xa9]{4}$/.test(type)) return index ? "whole" : "no_index"
      if (offset + boxSize > size) return "cut"
      index ||= type === "moov"
      offset += boxSize
    }
    return index ? "whole" : "no_index"
  }).pipe(Effect.scoped)
