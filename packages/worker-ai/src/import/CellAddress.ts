import { XmlRange } from "./XmlRange.ts"

/** Excel's own edges: XFD1048576. */
export const lastColumn = 16_384
export const lastRow = 1_048_576

/** The letters of a 1-based column: 1 is "A", 27 is "AA". */
export const columnLetters = (column: number): string => {
  let letters = ""
  for (let rest = column; rest > 0; rest = Math.floor((rest - 1) / 26)) {
    letters = String.fromCharCode(65 + ((rest - 1) % 26)) + letters
  }
  return letters
}

/** "C17" for column 3 of row 17, both 1-based. */
export const cellAddress = (column: number, row: number): string => `${columnLetters(column)}${row}`

/** "'학생 명단'!C17", as a formula would name the cell; an apostrophe in the sheet's name is doubled. */
export const sheetAddress = (sheet: string, column: number, row: number): string =>
  `'${sheet.replaceAll("'", "''")}'!${cellAddress(column, row)}`

/** The 1-based column of an address such as "C17" or "$C$17"; 0 if it names none within Excel's edges. */
export const columnOfRange = ({ bytes, end, start }: XmlRange): number => {
  let column = 0
  for (let index = start; index < end; index++) {
    const code = bytes[index] ?? 0
    if (code >= 65 && code <= 90) column = column * 26 + code - 64
    else if (code >= 97 && code <= 122) column = column * 26 + code - 96
    else if (code !== 36) break
    if (column > lastColumn) return 0
  }
  return column
}

/** The same of an address that is a string. */
export const columnOfAddress = (address: string): number => {
  const range = new XmlRange()
  const bytes = Buffer.from(address)
  range.move(bytes, 0, bytes.length)
  return columnOfRange(range)
}
