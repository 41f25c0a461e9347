/** What is looked at before anything is decoded. */
export interface RecognitionLimits {
  readonly maxBytes: number
  readonly maxPages: number
  /** Pixels of an image's longer side. */
  readonly maxSide: number
  /** Pixels of an image, and of a page that is drawn. */
  readonly maxPixels: number
  /** Points (1/72 inch) of a PDF page's longer side: 200 inches are the most that PDF allows. */
  readonly maxPagePoints: number
  /** How long a PDF may take to open, and each of its pages to be drawn, in milliseconds. */
  readonly drawWithinMillis: number
}

export const defaultRecognitionLimits: RecognitionLimits = {
  maxBytes: 20 * 2 ** 20,
  maxPages: 50,
  maxSide: 12_000,
  maxPixels: 40_000_000,
  maxPagePoints: 4_000,
  drawWithinMillis: 30_000
}
