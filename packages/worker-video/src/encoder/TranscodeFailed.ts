import { Schema } from "effect"

/** ffmpeg or ffprobe ended otherwise than with exit code 0. `signal` set means that somebody killed it. */
export class ProgramFailed extends Schema.TaggedError<ProgramFailed>()("ProgramFailed", {
  program: Schema.String,
  exitCode: Schema.NullOr(Schema.Int),
  signal: Schema.NullOr(Schema.String),
  lastLines: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const how = this.signal === null ? `exit code ${this.exitCode}` : `signal ${this.signal}`
    return `"${this.program}" ended with ${how}: ${this.lastLines.join(" | ")}`
  }
}

/** No frame and no time came out of ffmpeg for `seconds`. */
export class Stalled extends Schema.TaggedError<Stalled>()("Stalled", { seconds: Schema.Finite }) {
  override get message(): string {
    return `No progress for ${this.seconds} s`
  }
}

/** A step took longer than its limit of `seconds`. */
export class TimeLimitReached extends Schema.TaggedError<TimeLimitReached>()("TimeLimitReached", {
  step: Schema.String,
  seconds: Schema.Finite
}) {
  override get message(): string {
    return `Step "${this.step}" did not end within ${this.seconds} s`
  }
}

/** What was produced broke rules that every stream must keep, although the program ended well. */
export class OutputInvalid extends Schema.TaggedError<OutputInvalid>()("OutputInvalid", {
  faults: Schema.Array(Schema.Struct({ rule: Schema.String, detail: Schema.String }))
}) {
  override get message(): string {
    return `The output breaks ${this.faults.map(({ detail, rule }) => `"${rule}": ${detail}`).join("; ")}`
  }
}

/** No picture could be taken for the required thumbnail. */
export class ThumbnailMissing extends Schema.TaggedError<ThumbnailMissing>()("ThumbnailMissing", {
  detail: Schema.String
}) {
  override get message(): string {
    return `No thumbnail: ${this.detail}`
  }
}

/** The sheets of small pictures could not be made, or are not what they should be. */
export class StoryboardMissing extends Schema.TaggedError<StoryboardMissing>()("StoryboardMissing", {
  detail: Schema.String
}) {
  override get message(): string {
    return `No storyboard: ${this.detail}`
  }
}

/** The working directory or the place of the output could not be used. */
export class WorkspaceFailed extends Schema.TaggedError<WorkspaceFailed>()("WorkspaceFailed", {
  action: Schema.String,
  path: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `Cannot ${this.action} "${this.path}": ${this.detail}`
  }
}

export const TranscodeFailedReason = Schema.Union([
  ProgramFailed,
  Stalled,
  TimeLimitReached,
  OutputInvalid,
  ThumbnailMissing,
  StoryboardMissing,
  WorkspaceFailed
])
export type TranscodeFailedReason = typeof TranscodeFailedReason.Type

/** The encode failed although the file may be good. `retryable` says whether another attempt can end otherwise. */
export class TranscodeFailed extends Schema.TaggedError<TranscodeFailed>()("TranscodeFailed", {
  reason: TranscodeFailedReason,
  retryable: Schema.Boolean
}) {
  override get message(): string {
    return `Cannot encode: ${this.reason.message}`
  }
}
