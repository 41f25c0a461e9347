import type { Effect } from "effect"
import type { PageImage } from "./TextRecognition.ts"
import type { WorksheetRejected } from "./WorksheetRejected.ts"

/** An upload whose limits were looked at. */
export interface Worksheet {
  readonly pages: number
  /** A page, from 1; one at a time. */
  readonly page: (number: number) => Effect.Effect<PageImage, WorksheetRejected>
}
