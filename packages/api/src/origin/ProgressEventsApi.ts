/** The edge's streams of events, as documentation: the origin answers them with the edge's own handler. */
import { JobId } from "@lectern/domain"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { BadRequest, Forbidden, RefusalBody, Unauthorized } from "./Refusal.ts"
import { VideoIdParam } from "./VideoIdParam.ts"

/** 429: the token or its tenant asks too often, or has too many streams open. */
class TooManyStreams extends Schema.Error<TooManyStreams>("TooManyStreams")(RefusalBody, {
  httpApiStatus: 429,
  description: "This token or tenant asks too often or has too many streams: poll, and come back after `Retry-After` seconds"
}) {}

/** 503: the process has as many streams as it takes. */
class NoRoomForStream extends Schema.Error<NoRoomForStream>("NoRoomForStream")(RefusalBody, {
  httpApiStatus: 503,
  description: "There are too many streams here: poll, and try again after `Retry-After` seconds"
}) {}

/** 404: an edge that reaches Redis over HTTP alone cannot listen to it. */
class NoEvents extends Schema.Error<NoEvents>("NoEvents")(RefusalBody, {
  httpApiStatus: 404,
  description: "There are no events at this address: poll"
}) {}

const ProgressEvents = Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/event-stream" })).annotate({
  identifier: "ProgressEvents",
  description:
    "`hello`: how often there is a sign of life, a comment, at least. `progress`: the body of a poll, at once and with " +
    "every change; its `id` is the tag of that body. `end`: there can be no more. `away` and `back`: the mirror cannot be " +
    "read, and can again. `expired`: the token has ended. `closing`: the server ends."
})

const stream = {
  success: ProgressEvents,
  error: [BadRequest, Unauthorized, Forbidden, NoEvents, TooManyStreams, NoRoomForStream]
} as const

const resumable = {
  headers: {
    "last-event-id": Schema.optionalKey(
      Schema.String.annotate({ description: "The last `id` that was heard: what it stands for is not told again" })
    )
  }
} as const

export class ProgressEventsGroup extends HttpApiGroup.make("progressEvents")
  .add(
    HttpApiEndpoint.get("videoEvents", "/media/videos/:id/progress/events/", {
      params: { id: VideoIdParam },
      ...resumable,
      ...stream
    }).annotate(OpenApi.Summary, "How far a video is, as server-sent events until it has ended"),
    HttpApiEndpoint.get("jobEvents", "/jobs/:job_id/progress/events/", {
      params: { job_id: JobId },
      ...resumable,
      ...stream
    }).annotate(OpenApi.Summary, "How far a job is, as server-sent events until it has ended"),
    HttpApiEndpoint.get("trayEvents", "/progress/events/", {
      query: {
        videos: Schema.optionalKey(Schema.String.annotate({ description: "Numbers of videos, with commas between them" })),
        jobs: Schema.optionalKey(Schema.String.annotate({ description: "Ids of jobs, with commas between them" }))
      },
      ...stream
    }).annotate(OpenApi.Summary, "How far up to 100 videos and jobs are, as server-sent events until all have ended")
  )
  .middleware(Authorization)
  .prefix("/api/v1")
{}
