/** What must not leave a program: tokens and secrets, SQL text, personal data (house rule 10; INCIDENTS.md, 43). */
import { Redacted, type Schema } from "effect"

export const redacted = "[redacted]"

/** Characters that a text may have; the rest of a longer one is cut off. */
const maxTextLength = 4_000

/** How deep a value is looked into. */
const maxDepth = 6

const secretKey =
  /token|secret|passw|authori[sz]ation|cookie|credential|api[-_]?key|signature|private[-_]?key|phone|e-?mail|guardian|recipient|raw_body|^(student_?)?name$/i
const sqlKey = /^sql$|statement|db\.query|query_?text/i

/** Whether nothing of what stands under a name may be shown. */
export const isConfidentialName = (name: string): boolean => secretKey.test(name) || sqlKey.test(name)

const patterns: ReadonlyArray<readonly [RegExp, string]> = [
  // A statement swallows the rest of its line: its values stand in it.
  [/\b(?:SELECT\b[^\n]*?\bFROM|INSERT\s+INTO|UPDATE\s+\S+\s+SET|DELETE\s+FROM|CREATE\s+TABLE|WITH\s+\w+\s+AS\s*\()[^\n]*/g, "[sql]"],
  // In small letters "select a file from the page" is no statement, so that more of one is asked for.
  [/\b(?:select\b[^\n]*?\bfrom\s+\S+\s+(?:where|order|group|limit|join|left|inner|for)|insert\s+into|update\s+\S+\s+set|delete\s+from)\b[^\n]*/g, "[sql]"],
  [/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, redacted],
  [/\b(bearer|basic)\s+[\w.~+/=-]+/gi, `$1 ${redacted}`],
  [/(\b[a-z][\w+.-]*:\/\/)[^\s/@]+@/gi, `$1${redacted}@`],
  [/([?&](?:[\w-]*(?:token|signature|credential|key|secret)[\w-]*)=)[^&\s"']+/gi, `$1${redacted}`],
  [/\b([\w-]*(?:password|passwd|secret|token|api[-_]?key)\s*[=:]\s*)[^\s,;"'&]+/gi, `$1${redacted}`],
  [/(?<!\d)(?:\+82[- ]?|0)1[016789][- .]?\d{3,4}[- .]?\d{4}(?!\d)/g, redacted],
  [/[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g, redacted]
]

/** A text without what looks like a token, an address with a password, a statement, a telephone number or an e-mail address. */
export const redactText = (text: string): string => {
  const shown = patterns.reduce((rest, [pattern, replacement]) => rest.replace(pattern, replacement), text)
  return shown.length > maxTextLength ? `${shown.slice(0, maxTextLength - 1)}…` : shown
}

/** A value as JSON, without what must not be shown. Total: whatever it is given, it answers. */
export const redact = (value: unknown, depth = 0): Schema.Json => {
  if (value === null || value === undefined) return null
  if (typeof value === "string") return redactText(value)
  if (typeof value === "number") return Number.isFinite(value) ? value : String(value)
  if (typeof value === "boolean") return value
  if (typeof value === "bigint" || typeof value === "symbol") return String(value)
  return typeof value === "object" ? redactObject(value, depth) : "[function]"
}

const redactObject = (value: object, depth: number): Schema.Json => {
  if (Redacted.isRedacted(value)) return redacted
  if (value instanceof Error) return redactText(`${value.name}: ${value.message}`)
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString()
  if (depth >= maxDepth) return "[…]"
  if (Array.isArray(value)) return value.map((item) => redact(item, depth + 1))
  if (value instanceof Map) return redactEntries(value, depth)
  if (value instanceof Set) return [...value].map((item) => redact(item, depth + 1))
  return redactEntries(Object.entries(value), depth)
}

const redactEntries = (entries: Iterable<readonly [unknown, unknown]>, depth: number): Schema.Json =>
  Object.fromEntries(
    Array.from(entries, ([key, value]): [string, Schema.Json] => {
      const name = String(key)
      return [name, isConfidentialName(name) ? redacted : redact(value, depth + 1)]
    })
  )
