/** What is watched: a video by its number, or a job by its id (1 to 64 characters). */
export type Subject = { readonly video: number } | { readonly job: string }

/** Equal for equal subjects. */
export const subjectKey = (subject: Subject): string =>
  "video" in subject ? `video:${subject.video}` : `job:${subject.job}`

/**
 * The path of the subject's detail, which ends in a slash; with `progress/` behind it, that of its progress. `null` for
 * an id that has none: an address with a segment `..` would be another address.
 */
export const subjectPath = (subject: Subject): string | null => {
  if ("video" in subject) {
    return Number.isSafeInteger(subject.video) && subject.video > 0 ? `/api/v1/media/videos/${subject.video}/` : null
  }
  const { job } = subject
  return job.length < 1 || job.length > 64 || /^\.\.?$|\p{Cc}/u.test(job) || !job.isWellFormed()
    ? null
    : `/api/v1/jobs/${encodeURIComponent(job)}/`
}
