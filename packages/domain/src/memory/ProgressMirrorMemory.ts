import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { epochNow } from "../Epoch.ts"
import type { Committed } from "../internal/Committed.ts"
import type { MirrorEntry, MirroredRecord, MirrorVersion } from "../MirrorEntry.ts"
import { subjectKeys } from "../MirrorKeys.ts"
import { defaultMirrorTimeToLive, type MirrorTimeToLive, type MirrorWrite, ProgressMirror, type Tick } from "../ProgressMirror.ts"
import { ProgressReader } from "../ProgressReader.ts"
import { receiptEntries } from "../receiptEntries.ts"

interface Held {
  readonly value: string
  readonly version: MirrorVersion
  readonly expiresAt: number
}

/** What the memory mirror keeps, for whoever has to flush it or to let another process write into it. */
export class MirrorMemory extends Context.Service<MirrorMemory, {
  readonly write: (entries: ReadonlyArray<MirrorEntry>) => Effect.Effect<MirrorWrite>
  readonly flush: Effect.Effect<void>
}>()("@lectern/domain/MirrorMemory") {}

const compare = (a: MirrorVersion, b: MirrorVersion): number =>
  a.revision - b.revision || a.attempt - b.attempt || a.tick - b.tick

/** The mirror in this process's memory: the same order of values and the same times to live as in Redis. It forgets. */
export const layerWith = (
  timeToLive: MirrorTimeToLive
): Layer.Layer<ProgressMirror | ProgressReader | MirrorMemory> =>
  Layer.effectContext(Effect.sync(() => {
    const held = new Map<string, Held>()

    const find = (key: string, now: number): Held | undefined => {
      const found = held.get(key)
      if (found === undefined || found.expiresAt > now) return found
      held.delete(key)
      return undefined
    }

    const writeEntry = (entry: MirrorEntry, now: number): boolean => {
      const status = find(entry.keys.status, now)
      const progress = find(entry.keys.progress, now)
      const version = entry.version
      const plain = { ...version, tick: 0 }
      const statusOrder = status === undefined ? 1 : compare(plain, status.version)
      const progressOrder = progress === undefined ? 1 : compare(version, progress.version)
      if (statusOrder < 0 || (progress !== undefined && version.revision < progress.version.revision)) return false
      let written = false
      const statusExpiry = now + 1000 * (entry.terminal ? timeToLive.terminal : timeToLive.active)
      if (statusOrder > 0) {
        held.set(entry.keys.status, { value: entry.status, version: plain, expiresAt: statusExpiry })
        written = true
      }
      if (entry.progress === null) {
        if (statusOrder > 0) held.delete(entry.keys.progress)
      } else if (progressOrder > 0) {
        held.set(entry.keys.progress, {
          value: entry.progress,
          version,
          expiresAt: now + 1000 * timeToLive.progress
        })
        if (status !== undefined && statusOrder === 0) held.set(entry.keys.status, { ...status, expiresAt: statusExpiry })
        written = true
      }
      return written
    }

    const write = (entries: ReadonlyArray<MirrorEntry>): Effect.Effect<MirrorWrite> =>
      Effect.map(epochNow, (now) => {
        let written = false
        for (const entry of entries) written = writeEntry(entry, now) || written
        return written ? "Written" : "Stale"
      })

    const put = (receipt: Committed<MirroredRecord>, tick: Tick | null) =>
      Effect.flatMap(epochNow, (now) => write(receiptEntries(receipt, tick, now)))

    return Context.make(
      ProgressMirror,
      ProgressMirror.of({ publish: (receipt) => put(receipt, null), tick: put, ping: Effect.void })
    ).pipe(
      Context.add(
        ProgressReader,
        ProgressReader.of({
          read: (tenantId, subjects) =>
            Effect.map(epochNow, (now) =>
              subjects.map((subject) => {
                const keys = subjectKeys(tenantId, subject)
                return { status: find(keys.status, now)?.value ?? null, progress: find(keys.progress, now)?.value ?? null }
              }))
        })
      ),
      Context.add(MirrorMemory, MirrorMemory.of({ write, flush: Effect.sync(() => held.clear()) }))
    )
  }))

export const layer: Layer.Layer<ProgressMirror | ProgressReader | MirrorMemory> = layerWith(defaultMirrorTimeToLive)
