import type { EpochMillis } from "./Epoch.ts"
import { type Committed, open } from "./internal/Committed.ts"
import { mirrorEntries, type MirrorEntry, type MirroredRecord } from "./MirrorEntry.ts"
import type { Tick } from "./ProgressMirror.ts"

/** What a mirror writes for a receipt: the transition itself, or a sample inside it. `asOf` is the time of writing. */
export const receiptEntries = (
  receipt: Committed<MirroredRecord>,
  tick: Tick | null,
  asOf: EpochMillis
): ReadonlyArray<MirrorEntry> => mirrorEntries(open(receipt), tick?.tick ?? 0, tick, asOf)
