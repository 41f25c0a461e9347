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
  /** Processor time that opening a PDF may cost, and drawing each of its pages, in milliseconds. */
  readonly drawCpuMillis: number
}

export const defaultRecognitionLimits: RecognitionLimits = {
  maxBytes: 20 * 2 ** 20,
  maxPages: 50,
  maxSide: 12_000,
  maxPixels: 40_000_000,
  maxPagePoints: 4_000,
  drawCpuMillis: 20_000
}
