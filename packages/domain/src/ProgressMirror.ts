import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Committed } from "./internal/Committed.ts"
import type { MirroredRecord, Sample } from "./MirrorEntry.ts"

/** The mirror did not take a value: refused, timed out, full or away. Never the job's concern. */
export class MirrorUnavailable extends Schema.TaggedError<MirrorUnavailable>()("MirrorUnavailable", {
  operation: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Cannot ${this.operation}: the progress mirror is unavailable`
  }
}

/** `Stale`: the mirror holds something newer and kept it. */
export type MirrorWrite = "Written" | "Stale"

/** A sample inside a committed step; `tick` counts from 1 in each step and orders the samples. */
export interface Tick extends Sample {
  readonly tick: number
}

/**
 * A disposable copy of the record for readers at the edge. It may lag or be absent, and it never goes back: a value that is
 * not newer than what it holds (revision, attempt, tick) is refused.
 *
 * All three are interruptible at any time; that is what bounds a mirror that hangs.
 */
export class ProgressMirror extends Context.Service<ProgressMirror, {
  readonly publish: (receipt: Committed<MirroredRecord>) => Effect.Effect<MirrorWrite, MirrorUnavailable>
  readonly tick: (receipt: Committed<MirroredRecord>, tick: Tick) => Effect.Effect<MirrorWrite, MirrorUnavailable>
  /** Fails when values cannot be written, whatever else the mirror answers (INCIDENTS.md, 8): for readiness. */
  readonly ping: Effect.Effect<void, MirrorUnavailable>
}>()("@lectern/domain/ProgressMirror") {}

/** How long the copies live, in seconds (CONTRACT.md, section 4). */
export interface MirrorTimeToLive {
  readonly active: number
  readonly terminal: number
  readonly progress: number
}

export const defaultMirrorTimeToLive: MirrorTimeToLive = { active: 21_600, terminal: 3_600, progress: 86_400 }
