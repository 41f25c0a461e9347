/** The edge's streams of events, as documentation: the origin answers them with the edge's own handler. */
import { JobId } from "@lectern/domain"
import { Schema } from "effect"
import { HttpApiEndpoint, HttpApiGroup, HttpApiSchema, OpenApi } from "effect/http-api"
import { Authorization } from "./Authorization.ts"
import { EdgeFailed, NoEvents, NoRoomForStream, TooManyStreams } from "./EdgeRefusal.ts"
import { TrayQuery } from "./ProgressApi.ts"
import { BadRequest, Forbidden, Unauthorized } from "./Refusal.ts"
import { VideoIdParam } from "./VideoIdParam.ts"

const ProgressEvents = Schema.String.pipe(HttpApiSchema.asText({ contentType: "text/event-stream" })).annotate({
  identifier: "ProgressEvents",
  description:
    "`hello`: how often there is a sign of life, a comment, at least. `progress`: the body of a poll, at once and with " +
    "every change; its `id` is the tag of that body. `end`: there can be no more. `away` and `back`: the mirror cannot be " +
    "read, and can again. `expired`: the token has ended. `closing`: the server ends."
})

const stream = {
  success: ProgressEvents,
  error: [BadRequest, Unauthorized, Forbidden, NoEvents, TooManyStreams, NoRoomForStream, EdgeFailed]
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
      query: TrayQuery,
      ...stream
    }).annotate(OpenApi.Summary, "How far up to 100 videos and jobs are, as server-sent events until all have ended")
  )
  .middleware(Authorization)
  .prefix("/api/v1")
{}
