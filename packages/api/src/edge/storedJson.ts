/**
 * What a text in Redis says, if it is a JSON object. Anybody may have written it: nothing is assumed of its fields.
 *
 * The decoders of the edge are written by hand because they run on every poll and because Schema would double the bundle. A
 * property test holds each against a Schema.
 */
export type StoredObject = Readonly<Record<string, unknown>>

const isObject = (value: unknown): value is StoredObject =>
  typeof value === "object" && value !== null && !Array.isArray(value)

const parse = (text: string | null): unknown => {
  if (text === null) return null
  try {
    // oxlint-disable-next-line no-restricted-properties -- the one place where the edge parses; its result is unknown
    return JSON.parse(text)
  } catch {
    return null
  }
}

export const objectOf = (value: unknown): StoredObject | null => isObject(value) ? value : null

export const parseStored = (text: string | null): StoredObject | null => objectOf(parse(text))

/** `null` for what is no list. */
export const parseStoredList = (text: string): ReadonlyArray<unknown> | null => {
  const value = parse(text)
  return Array.isArray(value) ? value : null
}

export const textOf = (value: unknown): string | null => typeof value === "string" ? value : null

export const integerOf = (value: unknown): number | null =>
  typeof value === "number" && Number.isSafeInteger(value) ? value : null

/** The order of a value among those of its subject; `null` for a writer that keeps none. */
export interface StoredVersion {
  readonly revision: number
  readonly attempt: number
}

export const versionOf = (value: StoredObject): StoredVersion | null => {
  const revision = integerOf(value["revision"])
  const attempt = integerOf(value["attempt"])
  return revision === null || attempt === null ? null : { revision, attempt }
}
