/** How many messages a tenant may send: in a minute, for the provider's sake, and in a day, for the bill's. */
import * as Schema from "effect/Schema"
import { EpochMillis } from "./Epoch.ts"
import { nextSeoulDay, seoulDay } from "./SeoulTime.ts"

export interface MessageLimits {
  readonly perMinute: number
  /** A day of Seoul. */
  readonly perDay: number
}

export const defaultMessageLimits: MessageLimits = { perMinute: 3_000, perDay: 20_000 }

/** What a tenant has sent in the latest minute and the latest day that it sent in. */
export const MessageQuota = Schema.Struct({
  day: Schema.Int,
  dayCount: Schema.Int,
  /** Minutes since 1970. */
  minute: Schema.Int,
  minuteCount: Schema.Int
})
export type MessageQuota = typeof MessageQuota.Type

export const emptyMessageQuota: MessageQuota = { day: 0, dayCount: 0, minute: 0, minuteCount: 0 }

const minuteMillis = 60_000

const current = (quota: MessageQuota, now: EpochMillis): MessageQuota => {
  const day = seoulDay(now)
  const minute = Math.floor(now / minuteMillis)
  return {
    day,
    dayCount: quota.day === day ? quota.dayCount : 0,
    minute,
    minuteCount: quota.minute === minute ? quota.minuteCount : 0
  }
}

/** How many may be sent now; where none may, when it is worth asking again. */
export const Allowance = Schema.Union([
  Schema.TaggedStruct("Now", { messages: Schema.Int }),
  Schema.TaggedStruct("Wait", { until: EpochMillis })
])
export type Allowance = typeof Allowance.Type

export const allowance = (quota: MessageQuota, limits: MessageLimits, now: EpochMillis): Allowance => {
  const { dayCount, minute, minuteCount } = current(quota, now)
  if (dayCount >= limits.perDay) return { _tag: "Wait", until: nextSeoulDay(now) }
  if (minuteCount >= limits.perMinute) return { _tag: "Wait", until: (minute + 1) * minuteMillis }
  return { _tag: "Now", messages: Math.min(limits.perDay - dayCount, limits.perMinute - minuteCount) }
}

/** Counts messages that are about to be sent. */
export const spend = (quota: MessageQuota, messages: number, now: EpochMillis): MessageQuota => {
  const counted = current(quota, now)
  return { ...counted, dayCount: counted.dayCount + messages, minuteCount: counted.minuteCount + messages }
}

/** How many of a day's messages are left beside those that wait already. */
export const leftToday = (quota: MessageQuota, limits: MessageLimits, waiting: number, now: EpochMillis): number =>
  Math.max(0, limits.perDay - current(quota, now).dayCount - waiting)
