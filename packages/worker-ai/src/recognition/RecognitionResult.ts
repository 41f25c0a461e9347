import { Schema } from "effect"
import { type PageImage, RecognizedLine } from "./TextRecognition.ts"

const Page = Schema.Struct({
  /** From 1. */
  page: Schema.Int,
  /** Pixels of the image that the boxes are in. */
  width: Schema.Int,
  height: Schema.Int,
  lines: Schema.Array(Schema.Struct({
    ...RecognizedLine.fields,
    /** Not sure enough to be used unseen. */
    doubtful: Schema.Boolean
  }))
})
export type RecognizedPage = typeof Page.Type

/** What was read, as it stands in the object store: it may hold names of people, so it is nowhere else. */
export const RecognitionText = Schema.Struct({ languages: Schema.Array(Schema.String), pages: Schema.Array(Page) })
export type RecognitionText = typeof RecognitionText.Type

/** What a job's result says of it: where it is and how sure it is, and not a word of it. */
export const RecognitionSummary = Schema.Struct({
  pages: Schema.Int,
  lines: Schema.Int,
  /** The mean of the lines', 0..100; `null` where nothing was read. */
  confidence: Schema.NullOr(Schema.Finite),
  doubtful_lines: Schema.Int,
  /** The least sure of them, at most 50: `line` counts from 1 on its page. */
  doubtful: Schema.Array(Schema.Struct({ page: Schema.Int, line: Schema.Int, confidence: Schema.Finite })),
  /** A `RecognitionText` as JSON, for a week. */
  text_url: Schema.String
})
export type RecognitionSummary = typeof RecognitionSummary.Type

const mostDoubtful = 50

const tenths = (value: number): number => Math.round(value * 10) / 10

export const judgePage = (
  page: number,
  { height, width }: PageImage,
  lines: ReadonlyArray<RecognizedLine>,
  sureFrom: number
): RecognizedPage => ({
  page,
  width,
  height,
  lines: lines.map((line) => ({ ...line, confidence: tenths(line.confidence), doubtful: line.confidence < sureFrom }))
})

export const summarize = (pages: ReadonlyArray<RecognizedPage>, textUrl: string): RecognitionSummary => {
  const lines = pages.flatMap(({ lines, page }) => lines.map((line, index) => ({ ...line, page, line: index + 1 })))
  const doubtful = lines.filter((line) => line.doubtful)
  const total = lines.reduce((sum, line) => sum + line.confidence, 0)
  return {
    pages: pages.length,
    lines: lines.length,
    confidence: lines.length === 0 ? null : tenths(total / lines.length),
    doubtful_lines: doubtful.length,
    doubtful: doubtful
      .toSorted((a, b) => a.confidence - b.confidence)
      .slice(0, mostDoubtful)
      .map(({ confidence, line, page }) => ({ page, line, confidence })),
    text_url: textUrl
  }
}
