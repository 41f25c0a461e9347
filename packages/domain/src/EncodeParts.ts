import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { JobId } from "./Job.ts"
import type { JobStoreUnavailable } from "./JobStore.ts"
import type { TenantId } from "./Tenant.ts"
import { VideoId } from "./VideoId.ts"

/** One encode of a video, whichever job and attempt works on it. */
export interface EncodeRef {
  readonly tenantId: TenantId
  readonly videoId: VideoId
  /** Made of all that decides the output: source, plan, program. */
  readonly key: string
}

/** A file of a part: its path below the video's prefix, and its size in bytes. */
export const PartFile = Schema.Struct({ path: Schema.String, bytes: Schema.Int })
export type PartFile = typeof PartFile.Type

/** A part that somebody has claimed. */
export interface EncodePart {
  readonly name: string
  /** The claim that is in force. */
  readonly claim: number
  /** Who claimed it; others leave it alone as long as `held`. */
  readonly owner: string
  /** The claim's lease has not ended. */
  readonly held: boolean
  /** `null` until it is finished: then all of them are in the object store. */
  readonly files: ReadonlyArray<PartFile> | null
}

/** An encode that nobody will go on with, though objects of it may be there. */
export interface LeftEncode extends EncodeRef {
  readonly token: string
  /** What has become of it: its video is gone; it is what the public sees; or neither. */
  readonly fate: "VideoGone" | "Published" | "Unfinished"
  /** The paths that were about to become public, if it came so far. */
  readonly published: ReadonlyArray<string> | null
}

/** The encode was published, cancelled or given up: there is nothing left to do for those who help with it. */
export class EncodeClosed extends Schema.TaggedError<EncodeClosed>()("EncodeClosed", {
  videoId: VideoId,
  key: Schema.String
}) {
  override get message(): string {
    return `The encode ${this.key} of video ${this.videoId} is closed`
  }
}

/**
 * Which parts of an encode are finished, and who is at work on which other: the record of what a later attempt need not
 * encode again, and what several containers share their work by.
 *
 * An encode is opened before the first of its objects is written, and closed after the last one that is not published
 * has been removed: whatever dies in between, `findLeft` finds it.
 */
export class EncodeParts extends Context.Service<EncodeParts, {
  /**
   * Opens an encode, or finds it open. Answers the token that its objects are named by: `token`, or that of the first
   * opening.
   */
  readonly open: (ref: EncodeRef, token: string) => Effect.Effect<string, JobStoreUnavailable>
  /** All parts that were ever claimed. */
  readonly parts: (ref: EncodeRef) => Effect.Effect<ReadonlyArray<EncodePart>, EncodeClosed | JobStoreUnavailable>
  /**
   * Takes a part: answers the claim's number, higher than any before it, or `null` when the part is finished, in other
   * hands, or the encode is closed. An owner may take its own part again: its earlier life is over then.
   */
  readonly claim: (
    ref: EncodeRef,
    part: string,
    request: { readonly owner: string; readonly leaseMillis: number }
  ) => Effect.Effect<number | null, JobStoreUnavailable>
  /** Prolongs all unfinished claims of an owner. */
  readonly renew: (
    ref: EncodeRef,
    request: { readonly owner: string; readonly leaseMillis: number }
  ) => Effect.Effect<void, JobStoreUnavailable>
  /**
   * Records that the files of a claimed part are in the object store. `false`: the claim is not in force any more, or
   * the encode is closed; the files belong to nobody.
   */
  readonly finish: (
    ref: EncodeRef,
    part: string,
    claim: number,
    files: ReadonlyArray<PartFile>
  ) => Effect.Effect<boolean, JobStoreUnavailable>
  /** Notes, before the master playlist is replaced, which paths `jobId` makes public. */
  readonly publishing: (
    ref: EncodeRef,
    jobId: JobId,
    paths: ReadonlyArray<string>
  ) => Effect.Effect<void, JobStoreUnavailable>
  /** Forgets one encode of a video. Harmless when it is closed. */
  readonly close: (ref: EncodeRef) => Effect.Effect<void, JobStoreUnavailable>
  /**
   * Forgets every encode of a video as long as `jobId` is its last job: its output is public, and nothing is left of the
   * others. A later job works on encodes of its own, which stay open.
   */
  readonly closePublished: (
    tenantId: TenantId,
    videoId: VideoId,
    jobId: JobId
  ) => Effect.Effect<void, JobStoreUnavailable>
  /** Forgets every encode of a video of which nothing is left. */
  readonly closeAll: (tenantId: TenantId, videoId: VideoId) => Effect.Effect<void, JobStoreUnavailable>
  /**
   * Encodes whose video is gone or whose job has ended, untouched for so long, in milliseconds. Those of a job that
   * failed are kept longer: somebody may try it again. All tenants.
   */
  readonly findLeft: (
    options: { readonly idleMillis: number; readonly failedIdleMillis: number; readonly limit: number }
  ) => Effect.Effect<ReadonlyArray<LeftEncode>, JobStoreUnavailable>
}>()("@lectern/domain/EncodeParts") {}
