import { Effect, type Scope } from "effect"
import { imageSize } from "./imageSize.ts"
import { openPdf } from "./PdfPages.ts"
import type { RecognitionLimits } from "./RecognitionLimits.ts"
import type { Worksheet } from "./Worksheet.ts"
import { WorksheetRejected } from "./WorksheetRejected.ts"

/** `%PDF-` stands somewhere in the first kilobyte of a PDF. */
const isPdf = (bytes: Uint8Array): boolean => Buffer.from(bytes.subarray(0, 1024)).includes("%PDF-")

const rejected = (code: WorksheetRejected["code"], detail: string): Effect.Effect<never, WorksheetRejected> =>
  Effect.fail(new WorksheetRejected({ code, detail }))

/**
 * Tells what an upload is by its bytes, and refuses what is none of it or too much of it before it is decoded.
 * `pulse` is said as the work on it moves.
 */
export const openWorksheet = (
  bytes: Uint8Array,
  limits: RecognitionLimits,
  pulse: Effect.Effect<void>
): Effect.Effect<Worksheet, WorksheetRejected, Scope.Scope> => {
  if (bytes.length === 0) return rejected("empty_file", "it is empty")
  if (bytes.length > limits.maxBytes) {
    return rejected("file_too_large", `it has ${bytes.length} bytes, and ${limits.maxBytes} are the most`)
  }
  if (isPdf(bytes)) return openPdf(bytes, limits, pulse)
  const size = imageSize(bytes)
  if (size === null) return rejected("not_an_image", "it is neither a PNG nor a JPEG nor a PDF")
  const { height, width } = size
  if (width === 0 || height === 0) return rejected("unreadable_image", "it has no size")
  if (Math.max(width, height) > limits.maxSide || width * height > limits.maxPixels) {
    return rejected("image_too_large", `the image has ${width} x ${height} pixels`)
  }
  return Effect.succeed({ pages: 1, page: () => Effect.succeed({ bytes, width, height }) })
}
