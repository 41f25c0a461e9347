import * as Schema from "effect/Schema"

/** What a job does: `video_encode` runs on Batch, every other kind on a worker of the queue. */
export const JobKind = Schema.Literals(["video_encode", "student_import", "messaging", "ocr"])
export type JobKind = typeof JobKind.Type

/** The kinds that travel through the queue. */
export type QueuedKind = Exclude<JobKind, "video_encode">
