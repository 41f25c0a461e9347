import type { EncodePlan, VideoPlan } from "./EncodePlan.ts"
import { toNumber } from "./Rational.ts"

/** Consecutive segments of every variant: what is encoded, kept and shared as one. */
export interface SegmentGroup {
  /** Unique among the parts of one encode, and stable: "pictures-00012" begins with segment 12. */
  readonly name: string
  readonly firstSegment: number
  /** `null` for the last group, which lasts until the source ends: headers count frames a little wrong. */
  readonly segments: number | null
  readonly firstFrame: number
  /** Of each variant; an expectation for the last group. */
  readonly frames: number
}

/** Name of the part that is the whole sound: one encode from end to end, so that no joint can be heard. */
export const soundPart = "sound"

const groupSeconds = 60
/** A short video is divided as finely as its segments allow: what a kill can cost is a share of the whole. */
const fewestGroups = 16

/** Frames in a full segment. */
export const segmentFrames = (plan: EncodePlan, video: VideoPlan): number =>
  Math.max(1, Math.round(plan.segmentSeconds * toNumber(video.frameRate)))

/**
 * Divides the pictures of a plan: groups of whole segments, about a minute each and less where the video is short. No
 * group is shorter than the others but the last one can be longer, so that none is empty where a header promised more.
 */
export const groupsOf = (plan: EncodePlan): ReadonlyArray<SegmentGroup> => {
  const { video } = plan
  if (video === null) return []
  const perSegment = segmentFrames(plan, video)
  const wanted = Math.min(groupSeconds / plan.segmentSeconds, video.frames / perSegment / fewestGroups)
  const segments = Math.max(1, Math.round(wanted))
  const frames = segments * perSegment
  const count = Math.max(1, Math.floor(video.frames / frames))
  return Array.from({ length: count }, (_, index) => {
    const last = index === count - 1
    return {
      name: `pictures-${String(index * segments).padStart(5, "0")}`,
      firstSegment: index * segments,
      segments: last ? null : segments,
      firstFrame: index * frames,
      frames: last ? video.frames - index * frames : frames
    }
  })
}

/** How far a part of an encode is: absent where nobody has begun it. */
export type PartState = "Held" | "Finished"

/**
 * Index of the group to begin with: the first free one of the longest free row, or its middle where somebody who is at
 * work before it will come there. `null` when none is free.
 */
export const nextFree = (
  groups: ReadonlyArray<Pick<SegmentGroup, "name">>,
  states: ReadonlyMap<string, PartState>
): number | null => {
  let best: { readonly from: number; readonly length: number } | null = null
  for (let from = 0; from < groups.length; from++) {
    let end = from
    while (end < groups.length && !states.has(groups[end]?.name ?? "")) end++
    if (end - from > (best?.length ?? 0)) best = { from, length: end - from }
    from = Math.max(from, end)
  }
  if (best === null) return null
  const before = groups[best.from - 1]
  const met = before !== undefined && states.get(before.name) === "Held"
  return met ? best.from + Math.floor(best.length / 2) : best.from
}
