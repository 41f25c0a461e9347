/** Where a message goes: a Korean mobile number as its digits, or an e-mail address. */
import type { MessageChannel } from "./MessageMode.ts"

/** Mobile numbers, and the 050 numbers behind which people keep theirs. */
const mobile = /^(?:010\d{8}|01[16789]\d{7,8}|050\d{8,9})$/

const email = /^[^\s@<>"(),:;\\[\]]{1,64}@(?=.{4,255}$)[\p{L}\p{N}](?:[\p{L}\p{N}.-]*[\p{L}\p{N}])?\.\p{L}{2,}$/u

const mobileNumber = (text: string): string | null => {
  const digits = text.normalize("NFKC").replace(/[\s().-]/g, "").replace(/^\+?82(?:\(0\)|0)?(?=[15])/, "0")
  return mobile.test(digits) ? digits : null
}

const emailAddress = (text: string): string | null => {
  const address = text.trim().normalize("NFC")
  if (!email.test(address)) return null
  const at = address.lastIndexOf("@")
  // Two spellings of one mailbox are one recipient as far as the domain says so; the part before it may mind.
  return `${address.slice(0, at)}@${address.slice(at + 1).toLowerCase()}`
}

/** The one spelling of an address, by which a recipient is known; `null` for a text that is none. */
export const messageAddress = (channel: MessageChannel, text: string): string | null =>
  channel === "phone" ? mobileNumber(text) : emailAddress(text)

/** An address as an operator may see it: enough to tell two apart, not enough to write to. */
export const maskedAddress = (address: string): string => {
  const at = address.lastIndexOf("@")
  return at >= 0
    ? `${address.slice(0, 1)}***${address.slice(at)}`
    : `${address.slice(0, 3)}-****-${address.slice(-4)}`
}
