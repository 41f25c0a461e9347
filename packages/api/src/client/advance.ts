import type { ProgressSnapshot } from "./ProgressSnapshot.ts"

const compare = (next: number | null, last: number | null): number => next === null || last === null ? 0 : next - last

/** The server's order of two states, where it tells one: revision first, then attempt. */
const isOlder = (last: ProgressSnapshot, next: ProgressSnapshot): boolean =>
  (compare(next.revision, last.revision) || compare(next.attempt, last.attempt)) < 0

/** Statuses in which nobody works: after work, they are the beginning of another attempt. */
const waiting: ReadonlySet<string> = new Set(["PENDING", "UPLOADED", "RETRYING"])

const isAnotherAttempt = (last: ProgressSnapshot, next: ProgressSnapshot): boolean =>
  next.attempt !== null && last.attempt !== null
    ? next.attempt !== last.attempt
    : waiting.has(next.status) && !waiting.has(last.status)

/** All that is shown, for comparing: without what this client does not know. */
const face = (snapshot: ProgressSnapshot): string => JSON.stringify({ ...snapshot, body: null })

/**
 * What is to be shown after `last`: never less of the same attempt, whoever answered (a replica, a tab that was
 * behind). `null` when that is what is shown already.
 */
export const advance = (last: ProgressSnapshot | null, next: ProgressSnapshot): ProgressSnapshot | null => {
  if (last === null) return next
  if (isOlder(last, next)) return null
  const percent = isAnotherAttempt(last, next) || last.percent === null || (next.percent ?? -1) >= last.percent
    ? next.percent
    : last.percent
  const shown = percent === next.percent ? next : { ...next, percent }
  return face(shown) === face(last) ? null : shown
}
