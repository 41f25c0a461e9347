/**
 * What may be uploaded as a class list. Only what the first bytes show at once is refused here; the import itself tells
 * an encrypted, old or broken workbook from a good one, and says so in its result.
 */

/** Bytes of one spreadsheet. */
export const maxSpreadsheetBytes = 20 * 1024 * 1024

/** What the multipart framing and the fields may add to the file. */
export const maxSpreadsheetBodyBytes = maxSpreadsheetBytes + 64 * 1024

export type SpreadsheetExtension = "xlsx" | "csv" | "tsv"

export const spreadsheetTypes: Readonly<Record<SpreadsheetExtension, string>> = {
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  csv: "text/csv",
  tsv: "text/tab-separated-values"
}

export const isSpreadsheetExtension = (extension: string): extension is SpreadsheetExtension =>
  Object.hasOwn(spreadsheetTypes, extension)

/** How many of the first bytes `looksLike` wants to see. */
export const signatureBytes = 8

const zip = [0x50, 0x4b]
/** Old workbooks and encrypted new ones: the import says which of the two. */
const compoundFile = [0xd0, 0xcf, 0x11, 0xe0]

const startsWith = (bytes: Uint8Array, signature: ReadonlyArray<number>): boolean =>
  signature.every((byte, index) => bytes[index] === byte)

/** Whether a file of this extension may start with these bytes. */
export const looksLike = (extension: SpreadsheetExtension, start: Uint8Array): boolean => {
  const binary = startsWith(start, zip) || startsWith(start, compoundFile)
  return extension === "xlsx" ? binary : !binary
}
