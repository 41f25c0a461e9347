import { Schema } from "effect"

/** What a process that has read a workbook says of itself, as its last line. */
export const Reading = Schema.Struct({
  rows: Schema.Int,
  /** UTF-16 units of all texts. */
  characters: Schema.Int,
  /** Cells whose text is not the one that was written; null if they were not held against it. */
  broken: Schema.NullOr(Schema.Int),
  seconds: Schema.Finite,
  /** The most memory that the process has held, in MiB. */
  residentMib: Schema.Finite
})
export type Reading = typeof Reading.Type

export const encodeReading = Schema.encodeSync(Schema.fromJsonString(Reading))
export const decodeReading = Schema.decodeUnknownSync(Schema.fromJsonString(Reading))

/** The most memory that this process has held, in MiB: Node tells KiB. */
export const residentMib = (): number => Math.round(process.resourceUsage().maxRSS / 1024)
