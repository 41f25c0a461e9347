/** A real day of the calendar as `2010-03-02`; null for 2010-02-30. */
const dayOf = (year: number, month: number, day: number): string | null => {
  const date = new Date(Date.UTC(year, month - 1, day))
  const text = date.toISOString().slice(0, 10)
  const asGiven = `${year}-${String(month).padStart(2, "0")}-${String(day).padStart(2, "0")}`
  return year >= 1900 && year < 2100 && text === asGiven ? text : null
}

/**
 * Reads a birth date as people write it: `2010-03-02`, `2010. 3. 2.`, `2010/3/2`, `2010년 3월 2일`, `20100302`, and
 * `100302`, whose century is the one that makes a living person younger than 75 in 2024. Null for all else.
 */
export const readBirthDate = (text: string): string | null => {
  const given = text.normalize("NFKC").replace(/T\d{2}:\d{2}:\d{2}$/, "").replace(/\s/g, "")
  // A number that lost the zero of its year: 90302 for 090302.
  const plain = /^\d{5}$/.test(given) ? `0${given}` : given
  // 40228 is 040228 without its zero, or the serial of 2010-02-19 without its format. Only days of 2009 to 2012 are both.
  if (/^4\d{4}$/.test(given)) return null
  const parted = /^(\d{4})[-./년](\d{1,2})[-./월](\d{1,2})[일.]?$/.exec(plain) ?? /^(\d{4})(\d{2})(\d{2})$/.exec(plain)
  if (parted !== null) return dayOf(Number(parted[1]), Number(parted[2]), Number(parted[3]))
  const short = /^(\d{2})(\d{2})(\d{2})$/.exec(plain) ?? /^(\d{2})[-./](\d{1,2})[-./](\d{1,2})\.?$/.exec(plain)
  if (short === null) return null
  const year = Number(short[1])
  return dayOf(year < 50 ? 2000 + year : 1900 + year, Number(short[2]), Number(short[3]))
}
