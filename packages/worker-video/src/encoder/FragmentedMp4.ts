import { boxesAt, boxesIn, type IsoBox } from "./IsoBoxes.ts"

/** What an init file says of its one track. */
export interface InitFacts {
  /** As in the CODECS attribute of a playlist (RFC 6381), e.g. "avc1.64001f" or "mp4a.40.2". */
  readonly codec: string
  /** Ticks in a second. */
  readonly timescale: number
  /** Pixels; `null` for sound. */
  readonly size: { readonly width: number; readonly height: number } | null
  /** Of the sound; `null` for pictures. */
  readonly channels: number | null
  /** How many tracks the file has; all other facts are of the first. */
  readonly tracks: number
  readonly defaultSampleTicks: number
  readonly defaultSampleBytes: number
  readonly defaultSampleFlags: number
}

/** A picture that can be decoded without any other. */
export interface KeyFrame {
  /** When it is shown. */
  readonly ticks: number
  /**
   * The bytes of its segment that a player needs beside the init file: from the head of its fragment to its own end.
   * `null` where its fragment begins with another picture.
   */
  readonly range: { readonly offset: number; readonly bytes: number } | null
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
  /** Empty for sound, each of whose samples stands alone. */
  readonly keyFrames: ReadonlyArray<KeyFrame>
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
    tracks: boxesAt(bytes, ["moov", "trak"]).length,
    defaultSampleTicks: view.getUint32(extension.start + 12),
    defaultSampleBytes: view.getUint32(extension.start + 16),
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
      size: { width: view.getUint16(entry.start + 24), height: view.getUint16(entry.start + 26) },
      channels: null
    }
  }
  if (entry.type === "mp4a") {
    const descriptors = child(bytes, entry, audioEntryBytes, "esds")
    const codec = descriptors === undefined ? null : audioCodec(bytes, descriptors)
    return codec === null ? null : { ...facts, codec, size: null, channels: view.getUint16(entry.start + 16) }
  }
  return null
}

const notSync = 0x10000

interface Defaults {
  readonly ticks: number
  readonly bytes: number
  readonly flags: number
}

interface Sample {
  readonly ticks: number
  readonly bytes: number
  readonly flags: number
  readonly compositionTicks: number
}

interface Run {
  /** Where its first sample begins, counted from the start of its fragment; `null` where it does not say. */
  readonly dataOffset: number | null
  readonly samples: ReadonlyArray<Sample>
}

interface Fragment {
  /** Where the `moof` box begins in its segment. */
  readonly offset: number
  readonly startTicks: number
  readonly runs: ReadonlyArray<Run>
}

const boxHeaderBytes = 8

const readRun = (view: DataView, box: IsoBox, defaults: Defaults): Run => {
  const word = view.getUint32(box.start)
  const count = view.getUint32(box.start + 4)
  let offset = box.start + 8
  const next = (flag: number): number | null => {
    if ((word & flag) === 0) return null
    offset += 4
    return view.getInt32(offset - 4)
  }
  const dataOffset = next(0x1)
  const firstFlags = next(0x4)
  const samples: Array<Sample> = []
  for (let index = 0; index < count; index++) {
    const ticks = next(0x100) ?? defaults.ticks
    const bytes = next(0x200) ?? defaults.bytes
    const flags = next(0x400) ?? (index === 0 ? firstFlags : null) ?? defaults.flags
    samples.push({ ticks, bytes, flags, compositionTicks: next(0x800) ?? 0 })
  }
  return { dataOffset, samples }
}

const readFragment = (bytes: Uint8Array, fragment: IsoBox, init: InitFacts): Fragment | null => {
  const view = viewOf(bytes)
  const track = boxesIn(bytes, fragment.start, fragment.end).find(({ type }) => type === "traf")
  if (track === undefined) return null
  const inside = boxesIn(bytes, track.start, track.end)
  const header = inside.find(({ type }) => type === "tfhd")
  const time = inside.find(({ type }) => type === "tfdt")
  const runs = inside.filter(({ type }) => type === "trun")
  if (header === undefined || time === undefined || runs.length === 0) return null

  const word = view.getUint32(header.start)
  const basedElsewhere = (word & 0x1) !== 0
  let offset = header.start + 8 + (basedElsewhere ? 8 : 0) + ((word & 0x2) !== 0 ? 4 : 0)
  const next = (flag: number): number | null => {
    if ((word & flag) === 0) return null
    offset += 4
    return view.getUint32(offset - 4)
  }
  const defaults: Defaults = {
    ticks: next(0x8) ?? init.defaultSampleTicks,
    bytes: next(0x10) ?? init.defaultSampleBytes,
    flags: next(0x20) ?? init.defaultSampleFlags
  }
  const startTicks =
    bytes[time.start] === 1 ? Number(view.getBigUint64(time.start + 4)) : view.getUint32(time.start + 4)
  const read = runs.map((run) => readRun(view, run, defaults))
  return {
    offset: fragment.start - boxHeaderBytes,
    startTicks,
    runs: basedElsewhere ? read.map(({ samples }) => ({ samples, dataOffset: null })) : read
  }
}

const isKeyFrame = ({ flags }: Sample): boolean => (flags & notSync) === 0

const keyFramesOf = ({ offset, runs, startTicks }: Fragment): ReadonlyArray<KeyFrame> => {
  const found: Array<KeyFrame> = []
  let ticks = startTicks
  for (const [runIndex, { dataOffset, samples }] of runs.entries()) {
    for (const [index, sample] of samples.entries()) {
      if (isKeyFrame(sample)) {
        const first = runIndex === 0 && index === 0
        const range = first && dataOffset !== null ? { offset, bytes: dataOffset + sample.bytes } : null
        found.push({ ticks: ticks + sample.compositionTicks, range })
      }
      ticks += sample.ticks
    }
  }
  return found
}

/** Reads a media segment, or `null` if it is broken: no fragment, a fragment without data, or cut off. */
export const readSegment = (bytes: Uint8Array, init: InitFacts): SegmentFacts | null => {
  const boxes = boxesIn(bytes)
  if (boxes.at(-1)?.end !== bytes.length || !boxes.some(({ type }) => type === "mdat")) return null
  try {
    const fragments = boxes.filter(({ type }) => type === "moof").map((box) => readFragment(bytes, box, init))
    const whole = fragments.filter((fragment) => fragment !== null)
    const [first] = whole
    const samples = whole.flatMap(({ runs }) => runs.flatMap((run) => run.samples))
    const [firstSample] = samples
    if (first === undefined || firstSample === undefined || whole.length !== fragments.length) return null
    return {
      samples: samples.length,
      startTicks: first.startTicks,
      ticks: samples.reduce((sum, { ticks }) => sum + ticks, 0),
      firstCompositionTicks: firstSample.compositionTicks,
      startsWithKeyFrame: isKeyFrame(firstSample),
      keyFrames: init.size === null ? [] : whole.flatMap(keyFramesOf)
    }
  } catch (error) {
    // A DataView refuses to read beyond the box that it was told of: the segment lies about itself.
    if (error instanceof RangeError) return null
    throw error
  }
}
