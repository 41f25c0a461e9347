import type { StoredProgress, Subject, TenantId } from "@lectern/domain"
import type { ProgressBody } from "./ProgressBody.ts"

/** A mirror as the edge asks it. Rejects, or hangs, when there is none: `makeBoundedRead` bounds it. */
export type ReadProgress = (
  tenantId: TenantId,
  subjects: ReadonlyArray<Subject>
) => Promise<ReadonlyArray<StoredProgress>>

/** The texts of one subject, or why there are none. */
export type SharedRead =
  | {
    readonly _tag: "Read"
    readonly stored: StoredProgress
    /** What is shown of it: made by the first of those who share the read, for all of them. */
    body?: ProgressBody
  }
  | { readonly _tag: "Unreadable"; readonly cause: unknown }

export interface SharedReaderOptions {
  /** May reject, but not hang. */
  readonly read: ReadProgress
  /** Runs a task when everything that has arrived by now is dealt with. */
  readonly defer: (task: () => void) => void
}

/** Subjects in one round trip: what is more waits for no one and goes in a second one beside it. */
const maxBatch = 256

interface Batch {
  readonly tenantId: TenantId
  readonly subjects: Array<Subject>
  readonly reads: Promise<ReadonlyArray<SharedRead>>
  readonly send: () => void
}

interface Waiting {
  readonly reads: Promise<ReadonlyArray<SharedRead>>
  readonly index: number
}

const keyOf = (tenantId: TenantId, subject: Subject): string =>
  subject._tag === "Video" ? `${tenantId}v${subject.id}` : `${tenantId}j${subject.id}`

const missing: SharedRead = { _tag: "Unreadable", cause: new Error("Cannot match the mirror's answer: it is too short") }

/**
 * Reads that arrive together go out together, one round trip per tenant, and a read that is on its way already is
 * shared by everybody who wants the same. Never rejects.
 */
export const makeSharedReader = (options: SharedReaderOptions) => {
  const { defer, read } = options
  const collecting = new Map<TenantId, Batch>()
  const waiting = new Map<string, Waiting>()

  const open = (tenantId: TenantId): Batch => {
    const subjects: Array<Subject> = []
    let settle: (reads: ReadonlyArray<SharedRead>) => void = () => undefined
    const reads = new Promise<ReadonlyArray<SharedRead>>((resolve) => {
      settle = resolve
    })
    const send = (): void => {
      const settleWith = (outcome: (index: number) => SharedRead): void => {
        for (const subject of subjects) waiting.delete(keyOf(tenantId, subject))
        settle(subjects.map((_, index) => outcome(index)))
      }
      read(tenantId, subjects).then(
        (texts) =>
          settleWith((index) => {
            const stored = texts[index]
            return stored === undefined ? missing : { _tag: "Read", stored }
          }),
        (cause: unknown) => settleWith(() => ({ _tag: "Unreadable", cause }))
      )
    }
    return { tenantId, subjects, reads, send }
  }

  const flush = (): void => {
    const batches = [...collecting.values()]
    collecting.clear()
    for (const batch of batches) batch.send()
  }

  /** A batch with room for so many. */
  const join = (tenantId: TenantId, count: number): Batch => {
    const current = collecting.get(tenantId)
    if (current !== undefined && current.subjects.length + count <= maxBatch) return current
    current?.send()
    const batch = open(tenantId)
    if (collecting.size === 0) defer(flush)
    collecting.set(tenantId, batch)
    return batch
  }

  const placeOf = (tenantId: TenantId, subject: Subject, batchOf: () => Batch): Waiting => {
    const key = keyOf(tenantId, subject)
    const shared = waiting.get(key)
    if (shared !== undefined) return shared
    const batch = batchOf()
    const place = { reads: batch.reads, index: batch.subjects.push(subject) - 1 }
    waiting.set(key, place)
    return place
  }

  const readAt = async ({ index, reads }: Waiting): Promise<SharedRead> => (await reads)[index] ?? missing

  return {
    one: (tenantId: TenantId, subject: Subject): Promise<SharedRead> =>
      readAt(placeOf(tenantId, subject, () => join(tenantId, 1))),
    /** All of them in one round trip, in their order, up to 256; what is on its way already is not asked for again. */
    many: (tenantId: TenantId, subjects: ReadonlyArray<Subject>): Promise<ReadonlyArray<SharedRead>> => {
      let batch: Batch | undefined
      const places = subjects.map((subject) => placeOf(tenantId, subject, () => batch ??= join(tenantId, subjects.length)))
      return Promise.all(places.map(readAt))
    }
  }
}
