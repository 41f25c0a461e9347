import { Effect } from "effect"

/** Bytes that a key may have, as on S3. */
const maxKeyLength = 1024

const isPart = (part: string): boolean => part !== "" && part !== "." && part !== ".."

/** Whether a text can be a key: printable ASCII, relative, no part empty, `.` or `..`. */
export const isKey = (key: string): boolean =>
  key.length <= maxKeyLength && /^[\x20-\x7e]+$/.test(key) && key.split("/").every(isPart)

/** The key, or a defect if it is none: callers make keys; users never do. */
export const checkedKey = (key: string): Effect.Effect<string> =>
  isKey(key) ? Effect.succeed(key) : Effect.die(new Error(`Cannot use ${JSON.stringify(key)} as the key of an object`))

/** The prefix, or a defect: a key with a slash at its end. */
export const checkedPrefix = (prefix: string): Effect.Effect<string> =>
  prefix.endsWith("/") && isKey(prefix.slice(0, -1))
    ? Effect.succeed(prefix)
    : Effect.die(new Error(`Cannot remove the objects under ${JSON.stringify(prefix)}: it is no key with a slash at its end`))

/** The range, or a defect: whole bytes, both ends inclusive. */
export const checkedRange = (
  range: { readonly start: number; readonly end: number }
): Effect.Effect<{ readonly start: number; readonly end: number }> =>
  Number.isSafeInteger(range.start) && Number.isSafeInteger(range.end) && range.start >= 0 && range.end >= range.start
    ? Effect.succeed(range)
    : Effect.die(new Error(`Cannot read bytes ${range.start} to ${range.end} of an object`))
