/**
 * A text that every database, JSON and XML can hold: NUL and halves of surrogate pairs, which a workbook can spell out
 * (`_x0000_`, `&#xD83D;`), become U+FFFD. PostgreSQL refuses a whole record for one of them.
 */
export const storableText = (text: string): string =>
  text.isWellFormed() && !text.includes("\0") ? text : text.toWellFormed().replaceAll("\0", "\uFFFD")

/** The beginning of a text, of at most so many UTF-16 units, which cuts no character in two. */
export const excerpt = (text: string, most: number): string =>
  storableText(text.slice(0, most).replace(/[\ud800-\udbff]$/, ""))
