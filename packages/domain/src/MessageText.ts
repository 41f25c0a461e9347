/** The text of a message: a template with placeholders, filled for each recipient, within what its carrier takes. */
import * as Result from "effect/Result"
import type { MessageMode } from "./MessageMode.ts"

/** `#{이름}`, as KakaoTalk's templates have it. */
const placeholder = /#\{([^{}]*)\}/g

/** The names of a template's placeholders, each once, in the order of the text. */
export const placeholdersOf = (template: string): ReadonlyArray<string> => [
  ...new Set(Array.from(template.matchAll(placeholder), ([, name = ""]) => name.trim()))
]

/** A placeholder without a value: the message is not sent rather than sent with a hole. */
export interface MissingValue {
  readonly placeholder: string
}

/** Fills a template once: a value that looks like a placeholder stays as it is. */
export const fillTemplate = (
  template: string,
  values: Readonly<Record<string, string>>
): Result.Result<string, MissingValue> => {
  const missing = placeholdersOf(template).find((name) => !Object.hasOwn(values, name) || values[name] === "")
  return missing === undefined
    ? Result.succeed(template.replace(placeholder, (_, name: string) => values[name.trim()] ?? ""))
    : Result.fail({ placeholder: missing })
}

/** Bytes as Korean carriers count them (EUC-KR): one for ASCII, two for anything else. */
export const carrierBytes = (text: string): number =>
  Array.from(text, (character) => (character.codePointAt(0) ?? 0) < 0x80 ? 1 : 2).reduce((sum, bytes) => sum + bytes, 0)

/** The most that a message of each mode may hold. */
const limits: Readonly<Record<MessageMode, { readonly most: number; readonly unit: "bytes" | "characters" }>> = {
  sms: { most: 90, unit: "bytes" },
  lms: { most: 2_000, unit: "bytes" },
  alimtalk: { most: 1_000, unit: "characters" },
  email: { most: 100_000, unit: "characters" }
}

/** Bytes of an LMS's subject, as carriers count them. */
export const maxSubjectBytes = 40

/** Outside of what a carrier's character set can have: controls, and what needs more than sixteen bits (emoji). */
const unsendable = /[^\n\r\t\x20-\x7e\u00a0-\ud7ff\ue000-\ufffd]|[\ufffd\ufeff\u200b-\u200f]/u

export type TextFault =
  | { readonly _tag: "Empty" }
  | { readonly _tag: "TooLong"; readonly length: number; readonly most: number; readonly unit: "bytes" | "characters" }
  | { readonly _tag: "UnsendableCharacter"; readonly character: string }

/** What keeps a filled text from being sent in a mode; `null` when nothing does. */
export const textFault = (mode: MessageMode, text: string): TextFault | null => {
  if (text.trim() === "") return { _tag: "Empty" }
  const character = mode === "sms" || mode === "lms" ? unsendable.exec(text)?.[0] : undefined
  if (character !== undefined) return { _tag: "UnsendableCharacter", character }
  const { most, unit } = limits[mode]
  const length = unit === "bytes" ? carrierBytes(text) : Array.from(text).length
  return length > most ? { _tag: "TooLong", length, most, unit } : null
}
