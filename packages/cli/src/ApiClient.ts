import { Effect, FileSystem, Schema } from "effect"
import { HttpBody, HttpClient, type HttpClientError, HttpClientRequest, HttpClientResponse } from "effect/http"

/** What the demo reads of the API's answers: the contract's names. */
const Video = Schema.Struct({
  id: Schema.Int,
  status: Schema.String,
  duration: Schema.NullOr(Schema.Int),
  hls_url: Schema.NullOr(Schema.String),
  error_reason: Schema.NullOr(Schema.String)
})
export type VideoView = typeof Video.Type

const UploadInit = Schema.Struct({ video: Video, upload_url: Schema.String, content_type: Schema.String })

const VideoProgress = Schema.Struct({
  status: Schema.String,
  progress: Schema.Int,
  encoding_progress: Schema.NullOr(Schema.Int),
  encoding_remaining_seconds: Schema.NullOr(Schema.Int),
  encoding_step_index: Schema.NullOr(Schema.Int),
  encoding_step_total: Schema.NullOr(Schema.Int),
  encoding_step_name: Schema.NullOr(Schema.String),
  error_reason: Schema.optionalKey(Schema.NullOr(Schema.String))
})

const JobProgress = Schema.Struct({
  status: Schema.String,
  progress: Schema.NullOr(Schema.Struct({
    percent: Schema.Int,
    step_index: Schema.Int,
    step_total: Schema.Int,
    step_name_display: Schema.String
  })),
  error_message: Schema.NullOr(Schema.String)
})

const ImportAccepted = Schema.Struct({ job_id: Schema.String, status: Schema.String })

const JobDetail = Schema.Struct({
  job_id: Schema.String,
  status: Schema.String,
  result: Schema.NullOr(Schema.Json),
  error_message: Schema.NullOr(Schema.String)
})

/** One look at a job, the same for a video and an import. */
export interface ProgressView {
  readonly status: string
  /** `null`: not known. */
  readonly percent: number | null
  readonly step: string | null
  readonly remainingSeconds: number | null
  readonly error: string | null
}

/** The API said no, or nothing that we understand. */
export class ApiFailed extends Schema.TaggedError<ApiFailed>()("ApiFailed", {
  request: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return `Cannot ${this.request}: ${this.detail}`
  }
}

const stepText = (index: number | null, total: number | null, name: string | null): string | null =>
  index === null || total === null || name === null ? null : `[${index}/${total}] ${name}`

/** The API as a browser uses it: nothing but its addresses and a token. */
export const makeApiClient = Effect.fnUntraced(function*(baseUrl: string, token: string) {
  const http = yield* HttpClient.HttpClient
  const fs = yield* FileSystem.FileSystem

  const failed = (request: string) => (error: HttpClientError.HttpClientError | Schema.SchemaError | { readonly message: string }) =>
    new ApiFailed({ request, detail: error.message })

  const call = <A>(
    request: string,
    outgoing: HttpClientRequest.HttpClientRequest,
    schema: Schema.Codec<A, unknown>
  ): Effect.Effect<A, ApiFailed> =>
    http.execute(HttpClientRequest.bearerToken(outgoing, token)).pipe(
      Effect.flatMap((response) =>
        response.status < 300
          ? HttpClientResponse.schemaBodyJson(schema)(response)
          : Effect.flatMap(response.text, (text) => Effect.fail({ message: `${response.status} ${text}` }))
      ),
      Effect.mapError(failed(request)),
      Effect.scoped
    )

  const api = `${baseUrl}/api/v1`
  const jsonPost = (path: string, body: unknown) =>
    HttpClientRequest.post(`${api}${path}`, { body: HttpBody.jsonUnsafe(body) })

  return {
    uploadVideo: Effect.fn("ApiClient.uploadVideo")(function*(path: string, filename: string, title: string) {
      const init = yield* call(
        "announce the video",
        jsonPost("/media/videos/upload/init/", { title, filename, content_type: "video/mp4" }),
        UploadInit
      )
      const body = yield* HttpBody.file(path, { contentType: init.content_type }).pipe(
        Effect.provideService(FileSystem.FileSystem, fs),
        Effect.mapError(failed("read the video"))
      )
      yield* http.execute(HttpClientRequest.put(init.upload_url, { body })).pipe(
        Effect.flatMap((response) =>
          response.status < 300
            ? Effect.void
            : Effect.flatMap(response.text, (text) => Effect.fail({ message: `${response.status} ${text}` }))
        ),
        Effect.mapError(failed("upload the video")),
        Effect.scoped
      )
      return yield* call("complete the upload", jsonPost(`/media/videos/${init.video.id}/upload/complete/`, {}), Video)
    }),

    uploadRoster: Effect.fn("ApiClient.uploadRoster")(function*(path: string, filename: string) {
      const bytes = yield* Effect.mapError(fs.readFile(path), failed("read the class list"))
      const form = new FormData()
      form.append(
        "file",
        new Blob([new Uint8Array(bytes)], { type: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet" }),
        filename
      )
      return yield* call(
        "upload the class list",
        HttpClientRequest.post(`${api}/students/bulk_create_from_excel/`, { body: HttpBody.formData(form) }),
        ImportAccepted
      )
    }),

    videoProgress: (id: number): Effect.Effect<ProgressView, ApiFailed> =>
      Effect.map(
        call("ask for the video's progress", HttpClientRequest.get(`${api}/media/videos/${id}/progress/`), VideoProgress),
        (seen) => ({
          status: seen.status,
          percent: seen.encoding_progress,
          step: stepText(seen.encoding_step_index, seen.encoding_step_total, seen.encoding_step_name),
          remainingSeconds: seen.encoding_remaining_seconds,
          error: seen.error_reason ?? null
        })
      ),

    jobProgress: (id: string): Effect.Effect<ProgressView, ApiFailed> =>
      Effect.map(
        call("ask for the import's progress", HttpClientRequest.get(`${api}/jobs/${id}/progress/`), JobProgress),
        (seen) => ({
          status: seen.status,
          percent: seen.progress?.percent ?? null,
          step: seen.progress === null
            ? null
            : stepText(seen.progress.step_index, seen.progress.step_total, seen.progress.step_name_display),
          remainingSeconds: null,
          error: seen.error_message
        })
      ),

    video: (id: number) => call("read the video", HttpClientRequest.get(`${api}/media/videos/${id}/`), Video),
    job: (id: string) => call("read the import", HttpClientRequest.get(`${api}/jobs/${id}/`), JobDetail)
  }
})

export type ApiClient = Effect.Success<ReturnType<typeof makeApiClient>>
