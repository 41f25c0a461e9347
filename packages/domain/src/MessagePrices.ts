import * as Schema from "effect/Schema"
import { MessageMode } from "./MessageMode.ts"

/**
 * What one message costs, in tenths of a won, for the modes whose price is known: it is an agreement with a provider,
 * no constant.
 */
export type MessagePrices = { readonly [mode in MessageMode]?: number }

const isMode = Schema.is(MessageMode)
const entry = /^([a-z]+)=(\d{1,6})(?:\.(\d))?$/

/** Reads `sms=18,lms=45,alimtalk=8.4`, in won with a tenth at the most; `null` for a text that is none. */
export const parseMessagePrices = (text: string): MessagePrices | null => {
  const prices: { [mode in MessageMode]?: number } = {}
  for (const part of text.split(",")) {
    const [, mode, won, tenths = "0"] = entry.exec(part.trim()) ?? []
    if (!isMode(mode) || prices[mode] !== undefined) return null
    prices[mode] = Number(won) * 10 + Number(tenths)
  }
  return prices
}

/** What so many messages cost, in whole won, rounded up; `null` where the price is not known. */
export const estimatedWon = (prices: MessagePrices, mode: MessageMode, messages: number): number | null => {
  const price = prices[mode]
  return price === undefined ? null : Math.ceil(price * messages / 10)
}
