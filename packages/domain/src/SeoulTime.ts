/** The calendar by which messages are counted and kept back at night: Korea's, nine hours ahead of UTC all year. */
import type { EpochMillis } from "./Epoch.ts"

const offsetMillis = 9 * 3_600_000
const minuteMillis = 60_000
const dayMillis = 24 * 3_600_000

/** Days since 1970-01-01 in Seoul. */
export const seoulDay = (now: EpochMillis): number => Math.floor((now + offsetMillis) / dayMillis)

/** When the day after `now`'s begins in Seoul. */
export const nextSeoulDay = (now: EpochMillis): EpochMillis => (seoulDay(now) + 1) * dayMillis - offsetMillis

/**
 * Hours of every day in which nobody is written to, in minutes since Seoul's midnight; `to` may be earlier, on the next
 * day.
 */
export interface QuietHours {
  readonly from: number
  readonly to: number
}

/** Advertising by text is forbidden from 21:00 to 08:00 (정보통신망법 제50조), and a school's notice can wait as well. */
export const defaultQuietHours: QuietHours = { from: 21 * 60, to: 8 * 60 }

const clockTime = /^([01]\d|2[0-3]):([0-5]\d)$/

const minuteOf = (text: string): number | null => {
  const [, hours, minutes] = clockTime.exec(text) ?? []
  return hours === undefined ? null : Number(hours) * 60 + Number(minutes)
}

/** Reads `21:00-08:00`; `null` for a text that is none, or that names no time at all. */
export const parseQuietHours = (text: string): QuietHours | null => {
  const [start = "", end = ""] = text.split("-")
  const from = minuteOf(start.trim())
  const to = minuteOf(end.trim())
  return from === null || to === null || from === to ? null : { from, to }
}

/** When the quiet hours that `now` is in end; `null` outside of them. */
export const quietUntil = ({ from, to }: QuietHours, now: EpochMillis): EpochMillis | null => {
  const startOfDay = seoulDay(now) * dayMillis - offsetMillis
  const minute = Math.floor((now - startOfDay) / minuteMillis)
  const quiet = from < to ? minute >= from && minute < to : minute >= from || minute < to
  if (!quiet) return null
  const end = startOfDay + to * minuteMillis
  return end > now ? end : end + dayMillis
}
