import { Effect, FileSystem, Option, type Scope } from "effect"
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

/** Header bytes of an entry of a table of data references: version and flags. */
const referenceHeadBytes = 4
const inThisFile = 1

/**
 * The kinds of an index's references to media outside of its file that say where: none in an honest upload. `index` is the content
 * of a `moov` box. ffmpeg follows none of them either: the picture would be missing.
 */
export const externalReferences = (index: Uint8Array): ReadonlyArray<string> =>
  boxesAt(index, ["trak", "mdia", "minf", "dinf", "dref"]).flatMap(({ end, start }) =>
    boxesIn(index, start + 8, end)
      .filter((entry) => entry.end - entry.start > referenceHeadBytes && ((index[entry.start + 3] ?? 0) & inThisFile) === 0)
      .map(({ type }) => type)
  )

/** How a file's boxes end: all inside it with an index (`moov`), one cut off by the end of the file, or without an index. */
export type FileLayout =
  | { readonly _tag: "Whole"; readonly index: { readonly start: number; readonly end: number } }
  | { readonly _tag: "Cut" }
  | { readonly _tag: "NoIndex" }

/** Walks the top level of an ISO media file of `size` bytes, reading headers only. */
export const fileLayout = (
  path: string,
  size: number
): Effect.Effect<FileLayout, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* (): Effect.fn.Return<FileLayout, PlatformError, FileSystem.FileSystem | Scope.Scope> {
    const fileSystem = yield* FileSystem.FileSystem
    const file = yield* fileSystem.open(path, { flag: "r" })
    const header = new Uint8Array(16)
    const view = new DataView(header.buffer)
    let offset = 0
    let index: { readonly start: number; readonly end: number } | null = null
    const ended = (otherwise: FileLayout): FileLayout => (index === null ? otherwise : { _tag: "Whole", index })
    while (offset < size) {
      yield* file.seek(BigInt(offset), "start")
      const read = yield* file.read(header)
      if (read < 8) return ended({ _tag: "Cut" })
      const declared = view.getUint32(0)
      const large = declared === 1 && read === 16
      const boxSize = declared === 0 ? size - offset : large ? Number(view.getBigUint64(8)) : declared
      const type = typeAt(header, 4)
      if (boxSize < 8 || !/^[\x20-\x7e\xa9]{4}$/.test(type)) return ended({ _tag: "NoIndex" })
      if (offset + boxSize > size) return { _tag: "Cut" }
      if (type === "moov") index ??= { start: offset + (large ? 16 : 8), end: offset + boxSize }
      offset += boxSize
    }
    return ended({ _tag: "NoIndex" })
  }).pipe(Effect.scoped)

/** Reads bytes `start` to `end` (exclusive) of a file. */
export const readRange = (
  path: string,
  { end, start }: { readonly start: number; readonly end: number }
): Effect.Effect<Uint8Array, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function* () {
    const fileSystem = yield* FileSystem.FileSystem
    const file = yield* fileSystem.open(path, { flag: "r" })
    const bytes = yield* file.readAlloc(end - start, { position: BigInt(start) })
    return Option.getOrElse(bytes, () => new Uint8Array())
  }).pipe(Effect.scoped)
