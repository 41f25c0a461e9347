import { pipeline, type Readable, type TransformOptions } from "node:stream"
import { createInflateRaw, type ZlibOptions } from "node:zlib"
import yauzl from "yauzl"
import { ImportFileUnreadable } from "./ImportFileUnreadable.ts"
import type { ImportLimits } from "./ImportLimits.ts"
import { brokenWorkbook, ImportRejected, rejected } from "./ImportRejected.ts"

/** An open zip. Only what is asked for is inflated. */
export interface ZipArchive {
  /** Names of all parts, as written. */
  readonly names: ReadonlyArray<string>
  /** Whether any part is encrypted. */
  readonly encrypted: boolean
  /** Inflated bytes that the archive claims for a part: good for a progress bar, for nothing else. */
  readonly claimedBytes: (name: string) => number
  /**
   * The inflated bytes of a part, measured against the limits as they come out. A piece is there until the next is asked
   * for. Part names are compared without regard to case, as the format demands. Throws `ImportRejected`, or `ImportFileUnreadable` when the disk fails.
   */
  readonly read: (name: string) => AsyncGenerator<Uint8Array, void>
  readonly close: () => void
}

const isDiskFault = (cause: unknown): boolean => cause instanceof Error && "syscall" in cause

/** What a failed read of the archive means: a fault of the disk, or of the file. */
const faultOf = (path: string, cause: unknown): ImportRejected | ImportFileUnreadable => {
  if (cause instanceof ImportRejected || cause instanceof ImportFileUnreadable) return cause
  if (isDiskFault(cause)) return new ImportFileUnreadable({ action: "read", path, cause })
  return brokenWorkbook("its zip container cannot be read")
}

const bomb = (ratio: number) =>
  rejected(
    "bomb_suspected",
    "압축을 풀면 크기가 비정상적으로 커지는 파일이라 열지 않았습니다. 필요한 시트만 새 파일로 복사해 다시 저장한 뒤 올려 주세요",
    `The workbook expands to more than ${ratio} times its size; copy the sheet that you need into a new file`
  )

const openFile = (path: string): Promise<yauzl.ZipFile> =>
  new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, zip) => {
      if (error === null) resolve(zip)
      else reject(error)
    })
  })

const entriesOf = (zip: yauzl.ZipFile): Promise<ReadonlyArray<yauzl.Entry>> =>
  new Promise((resolve, reject) => {
    const entries: Array<yauzl.Entry> = []
    zip.on("entry", (entry: yauzl.Entry) => {
      entries.push(entry)
      zip.readEntry()
    })
    zip.on("end", () => resolve(entries))
    zip.on("error", reject)
    zip.readEntry()
  })

/** Inflated bytes that come out at a time, and that wait: enough for the next piece to inflate while one is read. */
const inflateChunk = 65_536
const inflateAhead = 4 * inflateChunk

/**
 * Gives the memory of a piece back that has been read. Left to the collector, which knows only what is on its own heap,
 * up to 64 MiB of such pieces would lie about. Of a buffer that comes in several pieces the last one ends it.
 */
const release = ({ buffer, byteLength, byteOffset }: Uint8Array): void => {
  const isWhole = buffer.byteLength === inflateChunk && byteOffset + byteLength === inflateChunk
  if (isWhole && buffer instanceof ArrayBuffer) buffer.transfer(0)
}

/** A part's bytes as they lie in the file. */
const openStored = (zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Readable> =>
  new Promise((resolve, reject) => {
    const options = { decompress: entry.isCompressed() ? false : null, decrypt: null, start: null, end: null }
    zip.openReadStream(entry, options, (error, stream) => {
      if (error === null) resolve(stream)
      else reject(error)
    })
  })

/** A part's bytes, inflated. The library's own inflating hands over 16 KB at a time, which halves the speed. */
const openPart = async (zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Readable> => {
  const stored = await openStored(zip, entry)
  if (!entry.isCompressed()) return stored
  const options: ZlibOptions & TransformOptions = { chunkSize: inflateChunk, highWaterMark: inflateAhead }
  const inflate = createInflateRaw(options)
  // Whoever reads `inflate` hears of every fault, for the pipeline destroys it with the fault.
  return pipeline(stored, inflate, () => {})
}

/**
 * Opens the zip at a local path and reads its directory. Rejects with `ImportRejected` (no zip, too many parts) or
 * `ImportFileUnreadable`.
 */
export const openZipArchive = async (path: string, limits: ImportLimits): Promise<ZipArchive> => {
  const zip = await openFile(path).catch((cause: unknown) => {
    throw faultOf(path, cause)
  })
  try {
    if (zip.entryCount > limits.parts) {
      throw rejected(
        "too_many_parts",
        `파일 안에 부품이 ${limits.parts.toLocaleString("en")}개 넘게 들어 있어 열지 않았습니다. 필요한 시트만 새 파일로 복사해 올려 주세요`,
        `The workbook has more than ${limits.parts} parts; copy the sheet that you need into a new file and upload that`
      )
    }
    const entries = await entriesOf(zip)
    const byName = new Map(entries.map((entry) => [entry.fileName.toLowerCase(), entry]))

    async function* read(name: string): AsyncGenerator<Uint8Array, void> {
      const entry = byName.get(name.toLowerCase())
      if (entry === undefined) throw brokenWorkbook("a part that it names is missing")
      if (entry.isEncrypted()) throw brokenWorkbook("a part of it is encrypted")
      let bytes = 0
      const allowed = Math.min(
        limits.inflatedBytes,
        Math.max(limits.ratioFreeBytes, entry.compressedSize * limits.ratio)
      )
      // By its own words first: an honest directory saves the inflating, a lying one is held to what it says.
      if (entry.uncompressedSize > allowed) throw bomb(limits.ratio)
      const stream = await openPart(zip, entry).catch((cause: unknown) => {
        throw faultOf(path, cause)
      })
      const chunks: AsyncIterable<Uint8Array> = stream
      try {
        for await (const chunk of chunks) {
          bytes += chunk.length
          if (bytes > allowed) throw bomb(limits.ratio)
          if (bytes > entry.uncompressedSize) throw brokenWorkbook("a part is longer than it says")
          yield chunk
          release(chunk)
        }
        if (bytes < entry.uncompressedSize) throw brokenWorkbook("a part is shorter than it says")
      } catch (cause) {
        throw faultOf(path, cause)
      } finally {
        stream.destroy()
      }
    }

    return {
      names: entries.map((entry) => entry.fileName),
      encrypted: entries.some((entry) => entry.isEncrypted()),
      claimedBytes: (name) => byName.get(name.toLowerCase())?.uncompressedSize ?? 0,
      read,
      close: () => zip.close()
    }
  } catch (cause) {
    zip.close()
    throw faultOf(path, cause)
  }
}
