/**
 * What may be uploaded as a worksheet. Only what the first bytes show at once is refused here; the recognition itself
 * tells an encrypted, broken or too large file from a good one, and says so in its result.
 */

/** Bytes of one worksheet; the recognition takes no more either. */
export const maxWorksheetBytes = 20 * 1024 * 1024

/** What the multipart framing may add to the file. */
export const maxWorksheetBodyBytes = maxWorksheetBytes + 64 * 1024

/** How many of the first bytes `worksheetType` wants to see. */
export const worksheetSignatureBytes = 1024

export interface WorksheetType {
  readonly extension: string
  readonly contentType: string
}

const png = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])
const jpeg = Buffer.from([0xff, 0xd8, 0xff])

/** What a file is by its first bytes, whatever its name says; `null` for what is no worksheet. */
export const worksheetType = (start: Buffer): WorksheetType | null =>
  start.subarray(0, png.length).equals(png)
    ? { extension: "png", contentType: "image/png" }
    : start.subarray(0, jpeg.length).equals(jpeg)
    ? { extension: "jpg", contentType: "image/jpeg" }
    : start.includes("%PDF-")
    ? { extension: "pdf", contentType: "application/pdf" }
    : null
