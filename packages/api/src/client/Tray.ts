import { fieldsOf } from "./ProgressSnapshot.ts"
import type { Subject } from "./Subject.ts"

/** Characters of the paths that one tray stands for: its own is shorter, and a header of 8 KB holds it. */
export const maxTrayChars = 5_200

/**
 * What the subject of a path takes of them. At least so much that a tray has 100 subjects at most, which is what the
 * server takes; all for an id with a comma, which is between ids there.
 */
export const trayChars = (path: string): number =>
  path.includes("%2C") ? maxTrayChars : Math.max(path.length, maxTrayChars / 100)

/** The path of several; with `events/` in front of its query, that of their events. */
export const trayPath = (subjects: ReadonlyArray<Subject>, events: string): string => {
  const videos = subjects.flatMap((subject) => "video" in subject ? [subject.video] : [])
  const jobs = subjects.flatMap((subject) => "job" in subject ? [encodeURIComponent(subject.job)] : [])
  return `/api/v1/progress/${events}?videos=${videos.join()}&jobs=${jobs.join()}`
}

/** The answers of a tray. */
export const trayBodies = (body: unknown): ReadonlyArray<unknown> => {
  const { jobs, videos } = fieldsOf(body)
  return [videos, jobs].flatMap((bodies): ReadonlyArray<unknown> => Array.isArray(bodies) ? bodies : [])
}

/** The key of the subject that an answer is of, by its own word. */
export const bodyKey = (body: unknown): string => {
  const { id, job_id } = fieldsOf(body)
  return job_id === undefined ? `video:${String(id)}` : `job:${String(job_id)}`
}
