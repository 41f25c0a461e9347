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

/** One round trip: what has been collected for it, or what it has been sent for. */
interface Batch {
  readonly subjects: Array<Subject>
  /** Where each is among the subjects, by its id: those of videos are numbers, those of jobs are texts. */
  readonly places: Map<Subject["id"], number>
  readonly reads: Promise<ReadonlyArray<SharedRead>>
  readonly settle: (reads: ReadonlyArray<SharedRead>) => void
}

/** What is wanted of one tenant. */
interface TenantReads {
  readonly tenantId: TenantId
  /** Takes more until the task that was deferred sends it. */
  collecting: Batch | undefined
  /** A few: as many as there are round trips at a time. */
  readonly sent: Array<Batch>
}

interface Place {
  readonly reads: Promise<ReadonlyArray<SharedRead>>
  readonly index: number
}

const missing: SharedRead = { _tag: "Unreadable", cause: new Error("Cannot match the mirror's answer: it is too short") }

const makeBatch = (): Batch => {
  let settle: Batch["settle"] = () => undefined
  const reads = new Promise<ReadonlyArray<SharedRead>>((resolve) => {
    settle = resolve
  })
  return { subjects: [], places: new Map(), reads, settle }
}

const placeIn = (batch: Batch | undefined, { id }: Subject): Place | undefined => {
  const index = batch?.places.get(id)
  return batch === undefined || index === undefined ? undefined : { reads: batch.reads, index }
}

/**
 * Reads that arrive together go out together, one round trip per tenant, and a read that is on its way already is
 * shared by everybody who wants the same. Never rejects.
 *
 * No map lives longer than a round trip and has entries come and go: V8 keeps every table that such a map has outgrown or
 * emptied alive through the one before it, with all that was in it, until the next full collection, and the small
 * collections in between then take ten times as long (docs/decisions/0003-edge-handler.md). So each batch has a map of
 * its own, and a tenant that has once asked keeps its entry.
 */
export const makeSharedReader = (options: SharedReaderOptions) => {
  const { defer, read } = options
  const tenants = new Map<TenantId, TenantReads>()
  let collecting: Array<TenantReads> = []

  const readsOf = (tenantId: TenantId): TenantReads => {
    const known = tenants.get(tenantId)
    if (known !== undefined) return known
    const opened: TenantReads = { tenantId, collecting: undefined, sent: [] }
    tenants.set(tenantId, opened)
    return opened
  }

  const send = (tenant: TenantReads): void => {
    const batch = tenant.collecting
    if (batch === undefined) return
    tenant.collecting = undefined
    tenant.sent.push(batch)
    const { settle, subjects } = batch
    const settleWith = (outcome: (index: number) => SharedRead): void => {
      tenant.sent.splice(tenant.sent.indexOf(batch), 1)
      settle(subjects.map((_, index) => outcome(index)))
    }
    read(tenant.tenantId, subjects).then(
      (texts) =>
        settleWith((index) => {
          const stored = texts[index]
          return stored === undefined ? missing : { _tag: "Read", stored }
        }),
      (cause: unknown) => settleWith(() => ({ _tag: "Unreadable", cause }))
    )
  }

  const flush = (): void => {
    const ready = collecting
    collecting = []
    for (const tenant of ready) send(tenant)
  }

  /** A batch with room for so many. */
  const join = (tenant: TenantReads, count: number): Batch => {
    const current = tenant.collecting
    if (current !== undefined && current.subjects.length + count <= maxBatch) return current
    if (current === undefined) {
      if (collecting.length === 0) defer(flush)
      collecting.push(tenant)
    } else send(tenant)
    return tenant.collecting = makeBatch()
  }

  const placeOf = (tenant: TenantReads, subject: Subject, batchOf: () => Batch): Place => {
    const shared = placeIn(tenant.collecting, subject)
    if (shared !== undefined) return shared
    for (const sent of tenant.sent) {
      const place = placeIn(sent, subject)
      if (place !== undefined) return place
    }
    const batch = batchOf()
    const index = batch.subjects.push(subject) - 1
    batch.places.set(subject.id, index)
    return { reads: batch.reads, index }
  }

  const readAt = async ({ index, reads }: Place): Promise<SharedRead> => (await reads)[index] ?? missing

  return {
    one: (tenantId: TenantId, subject: Subject): Promise<SharedRead> => {
      const tenant = readsOf(tenantId)
      return readAt(placeOf(tenant, subject, () => join(tenant, 1)))
    },
    /** All of them in one round trip, in their order, up to 256; what is on its way already is not asked for again. */
    many: (tenantId: TenantId, subjects: ReadonlyArray<Subject>): Promise<ReadonlyArray<SharedRead>> => {
      const tenant = readsOf(tenantId)
      let batch: Batch | undefined
      const places = subjects.map((subject) => placeOf(tenant, subject, () => batch ??= join(tenant, subjects.length)))
      return Promise.all(places.map(readAt))
    }
  }
}
