import type { JobId, Subject, VideoId } from "@lectern/domain"

/** The claim `watch` of a token that may read one progress and nothing else. */
export type WatchClaim = { readonly video: number } | { readonly job: string }

const maxJobIdChars = 64

const isVideoId = (value: unknown): value is VideoId => typeof value === "number" && Number.isSafeInteger(value) && value > 0
const isJobId = (value: unknown): value is JobId =>
  typeof value === "string" && value.length > 0 && value.length <= maxJobIdChars && value.isWellFormed()

export const watchClaim = (subject: Subject): WatchClaim =>
  subject._tag === "Video" ? { video: subject.id } : { job: subject.id }

/** What a claim allows to watch; `null` for one that is not understood, which must allow nothing. */
export const watchedSubject = (claim: unknown): Subject | null => {
  if (typeof claim !== "object" || claim === null || Object.keys(claim).length !== 1) return null
  if ("video" in claim && isVideoId(claim.video)) return { _tag: "Video", id: claim.video }
  if ("job" in claim && isJobId(claim.job)) return { _tag: "Job", id: claim.job }
  return null
}
