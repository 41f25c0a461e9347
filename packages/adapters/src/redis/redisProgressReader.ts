import { type StoredProgress, type Subject, subjectKeys, type TenantId } from "@lectern/domain"
import type { LazyRedis } from "./LazyRedis.ts"

export interface RedisReaderOptions {
  /**
   * Reads the older keys without a tenant as well, where the new ones hold nothing (CONTRACT.md, section 4). They belong to
   * one tenant, and to no other: name it. Off by default; it doubles the keys of every read of that tenant.
   */
  readonly legacyKeys?: { readonly tenantId: TenantId }
}

/** The texts of all subjects, in their order, in one round trip. Rejects within 250 ms (500 ms at the very first use). */
export type ReadStoredProgress = (
  tenantId: TenantId,
  subjects: ReadonlyArray<Subject>
) => Promise<ReadonlyArray<StoredProgress>>

/** The older system kept no status of a job without a tenant; its tenant's status key is the only one. */
const legacySubjectKeys = (subject: Subject): { readonly status: string | null; readonly progress: string } =>
  subject._tag === "Video"
    ? { status: `video:${subject.id}:status`, progress: `job:video:${subject.id}:progress` }
    : { status: null, progress: `job:${subject.id}:progress` }

/** The reader without Effect, for the edge. */
export const makeRedisProgressReader = (redis: Pick<LazyRedis, "use">, options: RedisReaderOptions = {}): ReadStoredProgress => {
  const read = async (keys: ReadonlyArray<string>): Promise<ReadonlyArray<string | null>> =>
    keys.length === 0 ? [] : redis.use((client) => client.mget(...keys))

  const readCurrent: ReadStoredProgress = async (tenantId, subjects) => {
    const texts = await read(subjects.flatMap((subject) => {
      const keys = subjectKeys(tenantId, subject)
      return [keys.status, keys.progress]
    }))
    return subjects.map((_, index) => ({ status: texts[2 * index] ?? null, progress: texts[2 * index + 1] ?? null }))
  }

  const readWithLegacy: ReadStoredProgress = async (tenantId, subjects) => {
    const texts = await read(subjects.flatMap((subject) => {
      const keys = subjectKeys(tenantId, subject)
      const legacy = legacySubjectKeys(subject)
      return [keys.status, keys.progress, legacy.status ?? keys.status, legacy.progress]
    }))
    return subjects.map((_, index) => {
      const at = 4 * index
      return {
        status: texts[at] ?? texts[at + 2] ?? null,
        progress: texts[at + 1] ?? texts[at + 3] ?? null
      }
    })
  }

  const owner = options.legacyKeys?.tenantId
  return owner === undefined
    ? readCurrent
    : (tenantId, subjects) => (tenantId === owner ? readWithLegacy : readCurrent)(tenantId, subjects)
}
