import type { JobId } from "./Job.ts"
import type { TenantId } from "./Tenant.ts"
import type { VideoId } from "./VideoId.ts"

/** What a mirrored value is about: the `video:{v}` or `job:{j}` part of a key. */
export type Subject =
  | { readonly _tag: "Video"; readonly id: VideoId }
  | { readonly _tag: "Job"; readonly id: JobId }

export const videoSubject = (id: VideoId): Subject => ({ _tag: "Video", id })
export const jobSubject = (id: JobId): Subject => ({ _tag: "Job", id })

/** CONTRACT.md, section 4. A tenant is part of every key; the keys without one are never written. */
export interface SubjectKeys {
  readonly status: string
  readonly progress: string
}

export const subjectKeys = (tenantId: TenantId, subject: Subject): SubjectKeys => {
  const stem = `tenant:${tenantId}:${subject._tag === "Video" ? "video" : "job"}:${subject.id}`
  return { status: `${stem}:status`, progress: `${stem}:progress` }
}
