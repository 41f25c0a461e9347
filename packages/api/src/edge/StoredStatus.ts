import { integerOf, parseStored, type StoredObject, type StoredVersion, versionOf } from "./storedJson.ts"

/** What every stored status says, whatever it is of. */
export interface StoredStatus<Status extends string> {
  readonly status: Status
  /** Milliseconds since 1970. */
  readonly updatedAt: number | null
  readonly version: StoredVersion | null
}

/** A field of the wrong type counts as absent; a status that no client knows makes the whole value none. */
export const storedStatusDecoder = <const Status extends string, Fields>(
  statuses: ReadonlyArray<Status>,
  fieldsOf: (value: StoredObject) => Fields
): (text: string | null) => (StoredStatus<Status> & Fields) | null => {
  const known: ReadonlyMap<unknown, Status> = new Map(statuses.map((status) => [status, status]))
  return (text) => {
    const value = parseStored(text)
    if (value === null) return null
    const status = known.get(value["status"])
    if (status === undefined) return null
    return { ...fieldsOf(value), status, updatedAt: integerOf(value["updated_at"]), version: versionOf(value) }
  }
}
