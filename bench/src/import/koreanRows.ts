/** Rows of a class list that are the same wherever they are made: a reader's every character can be held against them. */

const firstSyllable = 0xac00
const syllables = 11_172

/** Of `length` syllables, all of Hangul in turn: no two neighbours alike, so that a character lost or doubled shows. */
const hangul = (seed: number, length: number): string =>
  String.fromCharCode(
    ...Array.from({ length }, (_, index) => firstSyllable + ((seed * 7_919 + index * 104_729) % syllables))
  )

/** Of every three columns one has a text of its own in each row, as memos have; the others repeat, as schools and grades do. */
const furtherText = (row: number, column: number): string =>
  column % 3 === 0 ? `${hangul(row + column, 6)} ${row}` : hangul(column * 41 + (row % 41), 4)

/** Names, a guardian's number, and `columns - 2` more. The first row is the header. */
export const koreanRow = (row: number, columns: number): ReadonlyArray<string> =>
  row === 0
    ? ["이름", "학부모 연락처", ...Array.from({ length: columns - 2 }, (_, index) => `항목 ${index + 1}`)]
    : [
      hangul(row, 3),
      `010-${String(1_000 + (row % 9_000)).padStart(4, "0")}-${String((row * 37) % 10_000).padStart(4, "0")}`,
      ...Array.from({ length: columns - 2 }, (_, index) => furtherText(row, index))
    ]
