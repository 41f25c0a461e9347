/** What a PDF's thread is told, and what it answers. */
import { Schema } from "effect"

export const PdfThreadData = Schema.Struct({
  bytes: Schema.Uint8Array,
  maxPages: Schema.Int,
  maxPixels: Schema.Int,
  maxPagePoints: Schema.Int,
  /** Where `pdfjs-dist` lies, with `/` at the end. */
  library: Schema.String
})
export type PdfThreadData = typeof PdfThreadData.Type

/** The page to draw, from 1. */
export const DrawPage = Schema.Struct({ page: Schema.Int })

export const PdfThreadAnswer = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Opened"), pages: Schema.Int }),
  Schema.Struct({ _tag: Schema.Literal("Drawn"), png: Schema.Uint8Array, width: Schema.Int, height: Schema.Int }),
  Schema.Struct({
    _tag: Schema.Literal("Refused"),
    code: Schema.Literals(["encrypted_pdf", "broken_pdf", "too_many_pages", "page_too_large"]),
    detail: Schema.String
  })
])
export type PdfThreadAnswer = typeof PdfThreadAnswer.Type
