/** Built-in formats that show a date or a time, the Korean and Japanese ones (27 to 36, 50 to 58) included. */
const isBuiltInDateFormat = (id: number): boolean =>
  (id >= 14 && id <= 22) || (id >= 27 && id <= 36) || (id >= 45 && id <= 47) || (id >= 50 && id <= 58)

/** Whether a number format shows dates or times. `code` is the workbook's own text for the id, if it has one. */
export const isDateFormat = (id: number, code: string | undefined): boolean => {
  if (code === undefined) return isBuiltInDateFormat(id)
  if (/^general$/i.test(code)) return false
  const positive = code.split(";")[0] ?? ""
  const bare = positive.replace(/"[^"]*"|\\.|_.|\*./g, "").replace(/\[(?!h+\]|m+\]|s+\])[^\]]*\]/gi, "")
  return /[ymdhs]/i.test(bare)
}

const twoDigits = (value: number): string => String(value).padStart(2, "0")

const dayMilliseconds = 86_400_000

/** Day 0 of the two epochs: in the older one, 1900-02-29 never was, so days before 1900-03-01 are off by one. */
const epoch1900 = Date.UTC(1899, 11, 30)
const epoch1904 = Date.UTC(1904, 0, 1)

/**
 * A date serial (days since the workbook's epoch, the time as fraction) as `2026-03-02`, `2026-03-02T09:00:00`, or
 * `09:00:00` for a time alone; null for one that no spreadsheet program shows as a date (negative, or after 9999).
 */
export const dateOfSerial = (serial: number, date1904: boolean): string | null => {
  if (!Number.isFinite(serial) || serial < 0) return null
  const seconds = Math.round((serial - Math.floor(serial)) * 86_400)
  const whole = Math.floor(serial)
  const clock = (of: number) =>
    `${twoDigits(Math.floor(of / 3600))}:${twoDigits(Math.floor(of / 60) % 60)}:${twoDigits(of % 60)}`
  if (whole === 0 && seconds < 86_400 && !(date1904 && seconds === 0)) return clock(seconds)
  const day = seconds === 86_400 ? whole + 1 : whole
  const time = seconds === 86_400 ? 0 : seconds
  const start = date1904 ? epoch1904 : day < 60 ? epoch1900 + dayMilliseconds : epoch1900
  const instant = start + day * dayMilliseconds
  if (instant > Date.UTC(9999, 11, 31)) return null
  const date = new Date(instant).toISOString().slice(0, 10)
  return time === 0 ? date : `${date}T${clock(time)}`
}

const isDay = (date: string): boolean => {
  const parsed = new Date(`${date}T00:00:00Z`)
  return !Number.isNaN(parsed.getTime()) && parsed.toISOString().startsWith(date)
}

/** The text of a cell that holds an ISO 8601 date (`t="d"`), in the same three forms; null if it holds none. */
export const dateOfIsoText = (text: string): string | null => {
  const match = /^(?:(\d{4}-\d{2}-\d{2}))?(?:T?(\d{2}:\d{2}(?::\d{2})?)(?:\.\d+)?)?Z?$/.exec(text.trim())
  if (match === null) return null
  const [, date, time] = match
  const clock = time === undefined ? undefined : time.length === 5 ? `${time}:00` : time
  if (date === undefined) return clock ?? null
  if (!isDay(date)) return null
  return clock === undefined || clock === "00:00:00" ? date : `${date}T${clock}`
}
