import { boxesAt, boxesIn, type IsoBox } from "./IsoBoxes.ts"

/** What an init file says of its one track. */
export interface InitFacts {
  /** As in the CODECS attribute of a playlist (RFC 6381), e.g. "avc1.64001f" or "mp4a.40.2". */
  readonly codec: string
  /** Ticks in a second. */
  readonly timescale: number
  /** Pixels; `null` for sound. */
  readonly size: { readonly width: number; readonly height: number } | null
  readonly defaultSampleTicks: number
  readonly defaultSampleFlags: number
}

/** What a media segment holds, times in ticks of its track. */
export interface SegmentFacts {
  readonly samples: number
  readonly startTicks: number
  readonly ticks: number
  /** When the first picture is shown after `startTicks`; 0 unless players would see a hole. */
  readonly firstCompositionTicks: number
  /** Whether decoding can begin with the first sample. */
  readonly startsWithKeyFrame: boolean
}

const viewOf = (bytes: Uint8Array): DataView => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

const hex = (byte: number): string => byte.toString(16).padStart(2, "0")

const visualEntryBytes = 78
const audioEntryBytes = 28

const child = (bytes: Uint8Array, parent: IsoBox, skipped: number, type: string): IsoBox | undefined =>
  boxesIn(bytes, parent.start + skipped, parent.end).find((box) => box.type === type)

/** The audio object type in an `esds` box: descriptors nested as ES (3), decoder configuration (4), its own (5). */
const audioCodec = (bytes: Uint8Array, esds: IsoBox): string | null => {
  let offset = esds.start + 4
  let objectType: number | null = null
  while (offset < esds.end) {
    const tag = bytes[offset++]
    let length = 0
    let byte: number
    do {
      byte = bytes[offset++] ?? 0
      length = length * 128 + (byte & 0x7f)
    } while (byte >= 0x80 && offset < esds.end)
    if (tag === 3) {
      offset += 3
    } else if (tag === 4) {
      objectType = bytes[offset] ?? null
      offset += 13
    } else if (tag === 5) {
      return objectType === null ? null : `mp4a.${hex(objectType)}.${(bytes[offset] ?? 0) >> 3}`
    } else {
      offset += length
    }
  }
  return null
}

/** Reads an init file, or `null` if it is no init file of one H.264 or AAC track. */
export const readInit = (bytes: Uint8Array): InitFacts | null => {
  const view = viewOf(bytes)
  const [entries] = boxesAt(bytes, ["moov", "trak", "mdia", "minf", "stbl", "stsd"])
  const [mediaHeader] = boxesAt(bytes, ["moov", "trak", "mdia", "mdhd"])
  const [extension] = boxesAt(bytes, ["moov", "mvex", "trex"])
  if (entries === undefined || mediaHeader === undefined || extension === undefined) return null
  if (mediaHeader.end - mediaHeader.start < 24 || extension.end - extension.start < 24) return null
  const timescale = view.getUint32(mediaHeader.start + (bytes[mediaHeader.start] === 1 ? 20 : 12))
  const facts = {
    timescale,
    defaultSampleTicks: view.getUint32(extension.start + 12),
    defaultSampleFlags: view.getUint32(extension.start + 20)
  }
  const [entry] = boxesIn(bytes, entries.start + 8, entries.end)
  if (entry === undefined || timescale === 0) return null
  if (entry.type === "avc1") {
    const configuration = child(bytes, entry, visualEntryBytes, "avcC")
    if (configuration === undefined || configuration.end - configuration.start < 4) return null
    const [, profile = 0, compatibility = 0, level = 0] = bytes.subarray(configuration.start, configuration.end)
    return {
      ...facts,
      codec: `avc1.${hex(profile)}${hex(compatibility)}${hex(level)}`,
      size: { width: view.getUint16(entry.start + 24), height: view.getUint16(entry.start + 26) }
    }
  }
  if (entry.type === "mp4a") {
    const descriptors = child(bytes, entry, audioEntryBytes, "esds")
    const codec = descriptors === undefined ? null : audioCodec(bytes, descriptors)
    return codec === null ? null : { ...facts, codec, size: null }
  }
  return null
}

const notSync = 0x10000

interface Run {
  readonly samples: number
  readonly ticks: number
  readonly firstFlags: number
  readonly firstCompositionTicks: number
}

const readRun = (view: DataView, box: IsoBox, defaultTicks: number, defaultFlags: number): Run => {
  const word = view.getUint32(box.start)
  const present = (flag: number): boolean => (word & flag) !== 0
  const samples = view.getUint32(box.start + 4)
  let offset = box.start + 8 + (present(0x1) ? 4 : 0)
  let firstFlags = defaultFlags
  if (present(0x4)) {
    firstFlags = view.getUint32(offset)
    offset += 4
  }
  let ticks = 0
  let firstCompositionTicks = 0
  for (let index = 0; index < samples; index++) {
    if (present(0x100)) {
      ticks += view.getUint32(offset)
      offset += 4
    } else {
      ticks += defaultTicks
    }
    if (present(0x200)) offset += 4
    if (present(0x400)) {
      if (index === 0) firstFlags = view.getUint32(offset)
      offset += 4
    }
    if (present(0x800)) {
      if (index === 0) firstCompositionTicks = view.getInt32(offset)
      offset += 4
    }
  }
  return { samples, ticks, firstFlags, firstCompositionTicks }
}

const readFragment = (bytes: Uint8Array, fragment: IsoBox, init: InitFacts) => {
  const view = viewOf(bytes)
  const track = boxesIn(bytes, fragment.start, fragment.end).find(({ type }) => type === "traf")
  if (track === undefined) return null
  const inside = boxesIn(bytes, track.start, track.end)
  const header = inside.find(({ type }) => type === "tfhd")
  const time = inside.find(({ type }) => type === "tfdt")
  const runs = inside.filter(({ type }) => type === "trun")
  if (header === undefined || time === undefined || runs.length === 0) return null

  const word = view.getUint32(header.start)
  let offset = header.start + 8 + ((word & 0x1) !== 0 ? 8 : 0) + ((word & 0x2) !== 0 ? 4 : 0)
  let defaultTicks = init.defaultSampleTicks
  let defaultFlags = init.defaultSampleFlags
  if ((word & 0x8) !== 0) {
    defaultTicks = view.getUint32(offset)
    offset += 4
  }
  if ((word & 0x10) !== 0) offset += 4
  if ((word & 0x20) !== 0) defaultFlags = view.getUint32(offset)
  const startTicks =
    bytes[time.start] === 1 ? Number(view.getBigUint64(time.start + 4)) : view.getUint32(time.start + 4)
  return { startTicks, runs: runs.map((run) => readRun(view, run, defaultTicks, defaultFlags)) }
}

/** Reads a media segment, or `null` if it is broken: no fragment, a fragment without data, or cut off. */
export const readSegment = (bytes: Uint8Array, init: InitFacts): SegmentFacts | null => {
  const boxes = boxesIn(bytes)
  if (boxes.at(-1)?.end !== bytes.length || !boxes.some(({ type }) => type === "mdat")) return null
  try {
    const fragments = boxes.filter(({ type }) => type === "moof").map((box) => readFragment(bytes, box, init))
    const whole = fragments.filter((fragment) => fragment !== null)
    const [first] = whole
    const firstRun = first?.runs[0]
    if (first === undefined || firstRun === undefined || whole.length !== fragments.length) return null
    const runs = whole.flatMap((fragment) => fragment.runs)
    return {
      samples: runs.reduce((sum, run) => sum + run.samples, 0),
      startTicks: first.startTicks,
      ticks: runs.reduce((sum, run) => sum + run.ticks, 0),
      firstCompositionTicks: firstRun.firstCompositionTicks,
      startsWithKeyFrame: (firstRun.firstFlags & notSync) === 0
    }
  } catch (error) {
    // A DataView refuses to read beyond the box that it was told of: the segment lies about itself.
    if (error instanceof RangeError) return null
    throw error
  }
}
