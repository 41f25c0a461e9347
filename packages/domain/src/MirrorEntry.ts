/**
 * What the mirror holds about a committed record, as the text that stands in Redis (CONTRACT.md, section 4).
 *
 * The order of two values of one subject is that of their versions: revision first, then attempt, then tick.
 */
import * as Schema from "effect/Schema"
import type { EpochMillis } from "./Epoch.ts"
import { type Job, isActive, isTerminal, wireStatus } from "./Job.ts"
import { jobSubject, type Subject, type SubjectKeys, subjectKeys, videoSubject } from "./MirrorKeys.ts"
import { findStep, jobPercent, type Step, stepPercent } from "./Step.ts"
import type { Video } from "./Video.ts"

/** A row as it was committed: a job, the video that it concerns, or both. */
export interface MirroredRecord {
  readonly job: Job | null
  readonly video: Video | null
  /** The job that was made together with it. */
  readonly successor?: Job
}

/** How far a step is, between two transitions. */
export interface Sample {
  /** 0..1 of the step. */
  readonly fraction: number
  /** From measured speed; `null` while that is not known. Whole seconds of the whole job. */
  readonly remainingSeconds: number | null
}

export interface MirrorVersion {
  readonly revision: number
  readonly attempt: number
  /** 0 for a transition, 1 and up for the samples inside it. */
  readonly tick: number
}

export interface MirrorEntry {
  readonly subject: Subject
  readonly keys: SubjectKeys
  readonly version: MirrorVersion
  readonly terminal: boolean
  /** JSON */
  readonly status: string
  /** JSON; `null` removes what is there. */
  readonly progress: string | null
}

/** Bytes of JSON that a result may have to be mirrored (CONTRACT.md, section 2). A longer one is left out; the row has it. */
export const maxMirroredResultBytes = 10_000

const VersionFields = { revision: Schema.Int, attempt: Schema.Int }

export const MirroredVideoStatus = Schema.fromJsonString(Schema.Struct({
  status: Schema.String,
  hls_path: Schema.optionalKey(Schema.NullOr(Schema.String)),
  duration: Schema.optionalKey(Schema.NullOr(Schema.Int)),
  error_reason: Schema.optionalKey(Schema.NullOr(Schema.String)),
  job_id: Schema.optionalKey(Schema.NullOr(Schema.String)),
  updated_at: Schema.Int,
  ...VersionFields
}))

export const MirroredJobStatus = Schema.fromJsonString(Schema.Struct({
  status: Schema.String,
  job_type: Schema.optionalKey(Schema.NullOr(Schema.String)),
  error_message: Schema.optionalKey(Schema.NullOr(Schema.String)),
  result: Schema.optionalKey(Schema.Json),
  updated_at: Schema.Int,
  ...VersionFields
}))

export const MirroredProgress = Schema.fromJsonString(Schema.Struct({
  step: Schema.String,
  percent: Schema.Int,
  remaining_seconds: Schema.NullOr(Schema.Int),
  step_index: Schema.Int,
  step_total: Schema.Int,
  step_name: Schema.String,
  step_name_display: Schema.String,
  step_percent: Schema.Int,
  tick: Schema.Int,
  as_of: Schema.Int,
  ...VersionFields
}))

const encodeVideoStatus = Schema.encodeSync(MirroredVideoStatus)
const encodeJobStatus = Schema.encodeSync(MirroredJobStatus)
const encodeProgress = Schema.encodeSync(MirroredProgress)
const encodeJson = Schema.encodeSync(Schema.fromJsonString(Schema.Json))

const utf8Bytes = (text: string): number => {
  let bytes = 0
  for (const character of text) {
    const codePoint = character.codePointAt(0) ?? 0
    bytes += codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4
  }
  return bytes
}

const fitsMirror = (result: Schema.Json): boolean => {
  const json = encodeJson(result)
  return json.length <= maxMirroredResultBytes && utf8Bytes(json) <= maxMirroredResultBytes
}

/** What a client of a deleted video is shown, until the key expires: an end, so that it stops asking. */
export const deletedVideoReason = "삭제된 영상입니다"

/**
 * A result as it may stand in Redis: without the cells of a class list and the previews of its readings, which are names and
 * numbers of people (which cells they are, and why they were refused, stays), and without the rules of a stream, which would leave no room for the rest. The
 * details, which are read from the database, have them all.
 */
const mirroredResult = (job: Job, result: Schema.Json): Schema.Json => {
  if (!isRecord(result)) return result
  if (job.kind === "video_encode") {
    const { rules: _, ...shown } = result
    return shown
  }
  return job.kind === "student_import" ? without(without(result, "failed", "value"), "readings", "preview") : result
}

type JsonRecord = { readonly [name: string]: Schema.Json }

/** A record without one field of each member of one of its lists. */
const without = (record: JsonRecord, list: string, field: string): JsonRecord => {
  const members = record[list]
  return Array.isArray(members)
    ? {
      ...record,
      [list]: members.map((member: Schema.Json) =>
        isRecord(member) ? Object.fromEntries(Object.entries(member).filter(([name]) => name !== field)) : member
      )
    }
    : record
}

const isRecord = (json: Schema.Json): json is JsonRecord =>
  typeof json === "object" && json !== null && !Array.isArray(json)

const videoStatus = (video: Video, version: MirrorVersion): string => {
  const deleted = video.deletedAt !== null
  const ended = deleted || video.status === "READY" || video.status === "FAILED"
  return encodeVideoStatus({
    status: deleted ? "FAILED" : video.status,
    ...(ended ? { hls_path: deleted ? null : video.hlsPath, duration: deleted ? null : video.duration } : {}),
    ...(ended ? { error_reason: deleted ? deletedVideoReason : video.errorReason } : {}),
    job_id: video.encodeJobId,
    updated_at: video.updatedAt,
    revision: version.revision,
    attempt: version.attempt
  })
}

const jobStatus = (job: Job, version: MirrorVersion): string => {
  const result = isTerminal(job.status) && job.result !== null ? mirroredResult(job, job.result) : null
  return encodeJobStatus({
    status: wireStatus(job.status),
    job_type: job.kind,
    ...(job.errorMessage === null ? {} : { error_message: job.errorMessage }),
    ...(result !== null && fitsMirror(result) ? { result } : {}),
    updated_at: job.updatedAt,
    revision: version.revision,
    attempt: version.attempt
  })
}

/** A speed of zero makes the remaining time infinite: that is to say, unknown. */
const wholeSeconds = (seconds: number | null): number | null =>
  seconds !== null && Number.isFinite(seconds) ? Math.max(0, Math.round(seconds)) : null

const progress = (step: Step, sample: Sample, version: MirrorVersion, asOf: EpochMillis): string =>
  encodeProgress({
    step: step.name,
    percent: jobPercent(step, sample.fraction),
    remaining_seconds: wholeSeconds(sample.remainingSeconds),
    step_index: step.index,
    step_total: step.total,
    step_name: step.name,
    step_name_display: step.display,
    step_percent: stepPercent(sample.fraction),
    tick: version.tick,
    as_of: asOf,
    revision: version.revision,
    attempt: version.attempt
  })

const atStepStart: Sample = { fraction: 0, remainingSeconds: null }

/**
 * The entries of a record: one for the video that follows the job, one for the job, and one for the job that takes its place.
 *
 * `tick` 0 is the transition itself; a sample inside it has a `tick` of 1 and up. A sample carries the status too, so that
 * the next one mends what a flush has taken.
 */
export const mirrorEntries = (
  record: MirroredRecord,
  tick: number,
  sample: Sample | null,
  asOf: EpochMillis
): ReadonlyArray<MirrorEntry> => {
  const { job, video } = record
  const entries: Array<MirrorEntry> = []
  const step = job !== null && isActive(job.status) && job.step !== null ? findStep(job.kind, job.step) : null
  const shown = (version: MirrorVersion): string | null =>
    step === null ? null : progress(step, sample ?? atStepStart, version, asOf)
  if (video !== null) {
    const version = { revision: video.revision, attempt: job?.attempt ?? 0, tick }
    const terminal = video.deletedAt !== null || video.status === "READY" || video.status === "FAILED"
    entries.push({
      subject: videoSubject(video.id),
      keys: subjectKeys(video.tenantId, videoSubject(video.id)),
      version,
      terminal,
      status: videoStatus(video, version),
      progress: terminal ? null : shown(version)
    })
  }
  if (job !== null) entries.push(jobEntry(job, tick, shown))
  if (record.successor !== undefined) entries.push(jobEntry(record.successor, 0, () => null))
  return entries
}

const jobEntry = (job: Job, tick: number, progress: (version: MirrorVersion) => string | null): MirrorEntry => {
  const version = { revision: job.revision, attempt: job.attempt, tick }
  return {
    subject: jobSubject(job.id),
    keys: subjectKeys(job.tenantId, jobSubject(job.id)),
    version,
    terminal: isTerminal(job.status),
    status: jobStatus(job, version),
    progress: progress(version)
  }
}
