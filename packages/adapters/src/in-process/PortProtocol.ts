/** What an encode's process and its parent say to each other over Node's IPC channel, with `serialization: "advanced"`. */
import { JobId, VideoId } from "@lectern/domain"
import { Schema } from "effect"

const Subject = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Video"), id: VideoId }),
  Schema.Struct({ _tag: Schema.Literal("Job"), id: JobId })
])

const MirrorEntryMessage = Schema.Struct({
  subject: Subject,
  keys: Schema.Struct({ status: Schema.String, progress: Schema.String }),
  version: Schema.Struct({ revision: Schema.Int, attempt: Schema.Int, tick: Schema.Int }),
  terminal: Schema.Boolean,
  status: Schema.String,
  progress: Schema.NullOr(Schema.String)
})

/** `session` is a number of the child's choice; a session is a turn at the parent's database. */
export const PortRequest = Schema.Union([
  Schema.Struct({ _tag: Schema.Literal("Acquire"), session: Schema.Int }),
  Schema.Struct({
    _tag: Schema.Literal("Query"),
    session: Schema.Int,
    text: Schema.String,
    values: Schema.Array(Schema.Unknown),
    rowMode: Schema.Literals(["object", "array"])
  }),
  Schema.Struct({ _tag: Schema.Literal("Release"), session: Schema.Int }),
  Schema.Struct({ _tag: Schema.Literal("Mirror"), entries: Schema.Array(MirrorEntryMessage) })
])
export type PortRequest = typeof PortRequest.Type

/** An error as it crosses: a structured clone of an `Error` loses its fields. */
export const PortFailure = Schema.Struct({
  message: Schema.String,
  code: Schema.optionalKey(Schema.String),
  constraint: Schema.optionalKey(Schema.String)
})
export type PortFailure = typeof PortFailure.Type

/** Marks the messages of this protocol among whatever else uses the channel. */
const channel = Schema.Literal("lectern/ports")

/** `id` counts the child's requests; an answer carries that of its question. */
export const PortQuestion = Schema.Struct({ channel, id: Schema.Int, request: PortRequest })
export type PortQuestion = typeof PortQuestion.Type

export const PortAnswer = Schema.Union([
  Schema.Struct({ channel, id: Schema.Int, _tag: Schema.Literal("Success"), value: Schema.Unknown }),
  Schema.Struct({ channel, id: Schema.Int, _tag: Schema.Literal("Failure"), failure: PortFailure })
])
export type PortAnswer = typeof PortAnswer.Type

export const QueryRows = Schema.Struct({ rows: Schema.Array(Schema.Unknown) })
export const MirrorWritten = Schema.Literals(["Written", "Stale"])
