/** A browser of one tenant: the API's addresses, a token, and nothing else of the system. */
import { signToken } from "@lectern/api/tokens"
import { TenantId } from "@lectern/domain"
import { Effect, Schema } from "effect"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { until } from "./until.ts"

const Video = Schema.Struct({
  id: Schema.Int,
  title: Schema.String,
  file_key: Schema.String,
  status: Schema.String,
  duration: Schema.NullOr(Schema.Int),
  hls_path: Schema.NullOr(Schema.String),
  hls_url: Schema.NullOr(Schema.String),
  thumbnail_url: Schema.NullOr(Schema.String),
  error_reason: Schema.NullOr(Schema.String),
  can_retry: Schema.Boolean
})
export type Video = typeof Video.Type

const UploadInit = Schema.Struct({ video: Video, upload_url: Schema.String, file_key: Schema.String, content_type: Schema.String })
export type UploadInit = typeof UploadInit.Type

const VideoProgress = Schema.Struct({
  id: Schema.Int,
  status: Schema.String,
  encoding_progress: Schema.NullOr(Schema.Int),
  encoding_step_index: Schema.NullOr(Schema.Int),
  encoding_step_name: Schema.NullOr(Schema.String),
  error_reason: Schema.optionalKey(Schema.NullOr(Schema.String))
})
export type VideoProgress = typeof VideoProgress.Type

const JobProgress = Schema.Struct({
  job_id: Schema.String,
  status: Schema.String,
  progress: Schema.NullOr(Schema.Struct({ step: Schema.String, percent: Schema.Int })),
  error_message: Schema.NullOr(Schema.String)
})
export type JobProgress = typeof JobProgress.Type

export const ImportResult = Schema.Struct({
  created: Schema.Int,
  failed: Schema.Array(Schema.Struct({ row: Schema.Int, cell: Schema.String, reason: Schema.Json })),
  failed_rows: Schema.Int,
  duplicates: Schema.Int,
  total: Schema.Int,
  download_url: Schema.String
})
export type ImportResult = typeof ImportResult.Type

const Job = Schema.Struct({
  job_id: Schema.String,
  job_type: Schema.String,
  status: Schema.String,
  result: Schema.NullOr(Schema.Json),
  error_message: Schema.NullOr(Schema.String)
})
export type Job = typeof Job.Type

const Accepted = Schema.Struct({ job_id: Schema.String })

const RefusedBody = Schema.Struct({ detail: Schema.String, code: Schema.optionalKey(Schema.String) })

export interface Answer {
  readonly status: number
  readonly body: string
}

/** The API answered with another status than the one that the test goes on from. */
export class UnexpectedAnswer extends Schema.TaggedError<UnexpectedAnswer>()("UnexpectedAnswer", {
  request: Schema.String,
  status: Schema.Int,
  body: Schema.String
}) {
  override get message(): string {
    return `"${this.request}" answered ${this.status}: ${this.body}`
  }
}

const videoEnds = ["READY", "FAILED"]
const jobEnds = ["DONE", "FAILED", "REJECTED_BAD_INPUT", "FALLBACK_TO_GPU", "REVIEW_REQUIRED"]
export const isVideoEnd = (status: string): boolean => videoEnds.includes(status)
export const isJobEnd = (status: string): boolean => jobEnds.includes(status)

export const spreadsheetType = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"

/** The secret that a system made in its data directory. */
export const secretOf = (data: string): Effect.Effect<string> =>
  Effect.promise(async () => (await readFile(join(data, "token-secret"), "utf8")).trim())

export const send = (url: string, init: RequestInit = {}): Effect.Effect<Answer> =>
  Effect.promise(async (signal) => {
    const response = await fetch(url, { ...init, signal })
    return { status: response.status, body: await response.text() }
  })

export const makeBrowser = Effect.fnUntraced(function*(
  system: { readonly url: string; readonly data: string },
  tenant = 1
) {
  const token = yield* Effect.flatMap(secretOf(system.data), (secret) =>
    Effect.promise(() => signToken({ tenantId: TenantId.make(tenant), secret, expiresInSeconds: 3_600 })))
  const api = `${system.url}/api/v1`

  const call = (method: string, path: string, body?: RequestInit["body"], contentType?: string): Effect.Effect<Answer> =>
    send(`${api}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${token}`,
        ...(contentType === undefined ? {} : { "content-type": contentType })
      },
      ...(body === undefined ? {} : { body })
    })

  const expected = <A, I>(schema: Schema.Codec<A, I>, request: string, status: number, answer: Effect.Effect<Answer>) =>
    Effect.flatMap(answer, (got) =>
      got.status === status
        ? Effect.orDie(Schema.decodeEffect(Schema.fromJsonString(schema))(got.body))
        : Effect.fail(new UnexpectedAnswer({ request, ...got })))

  const init = (filename = "lecture.mp4", title = "1강") =>
    expected(
      UploadInit,
      "init",
      201,
      call("POST", "/media/videos/upload/init/", JSON.stringify({ title, filename, content_type: "video/mp4" }), "application/json")
    )
  const put = (to: UploadInit, bytes: Uint8Array<ArrayBuffer>, contentType = to.content_type): Effect.Effect<Answer> =>
    send(to.upload_url, { method: "PUT", headers: { "content-type": contentType }, body: bytes })
  const complete = (id: number): Effect.Effect<Answer> => call("POST", `/media/videos/${id}/upload/complete/`)
  const video = (id: number) => expected(Video, "detail", 200, call("GET", `/media/videos/${id}/`))
  const job = (id: string) => expected(Job, "job detail", 200, call("GET", `/jobs/${id}/`))
  const videoProgress = (id: number) => expected(VideoProgress, "progress", 200, call("GET", `/media/videos/${id}/progress/`))
  const jobProgress = (id: string) => expected(JobProgress, "job progress", 200, call("GET", `/jobs/${id}/progress/`))

  const uploadSpreadsheet = (bytes: Uint8Array<ArrayBuffer>, filename = "roster.xlsx"): Effect.Effect<Answer> => {
    const form = new FormData()
    form.append("file", new Blob([bytes], { type: spreadsheetType }), filename)
    return call("POST", "/students/bulk_create_from_excel/", form)
  }

  return {
    token,
    call,
    init,
    put,
    complete,
    video,
    job,
    videoProgress,
    jobProgress,
    uploadSpreadsheet,
    retry: (id: number): Effect.Effect<Answer> => call("POST", `/media/videos/${id}/retry/`),
    remove: (id: number): Effect.Effect<Answer> => call("DELETE", `/media/videos/${id}/`),
    /** Init, PUT and complete: answers the video's id. */
    uploadVideo: Effect.fnUntraced(function*(bytes: Uint8Array<ArrayBuffer>, filename?: string) {
      const upload = yield* init(filename)
      const stored = yield* put(upload, bytes)
      if (stored.status !== 200) return yield* new UnexpectedAnswer({ request: "put", ...stored })
      return (yield* expected(Video, "complete", 200, complete(upload.video.id))).id
    }),
    /** Answers the job's id. */
    startImport: (bytes: Uint8Array<ArrayBuffer>, filename?: string) =>
      Effect.map(expected(Accepted, "import", 202, uploadSpreadsheet(bytes, filename)), ({ job_id }) => job_id),
    /** The row of a video that has ended, as the database has it. */
    endedVideo: (id: number) => until(`the end of video ${id}`, video(id), ({ status }) => isVideoEnd(status)),
    endedJob: (id: string) => until(`the end of job ${id}`, job(id), ({ status }) => isJobEnd(status))
  }
})
export type Browser = Effect.Success<ReturnType<typeof makeBrowser>>

export const refusal = (answer: Answer): Effect.Effect<{ readonly status: number; readonly detail: string; readonly code: string }> =>
  Effect.map(
    Effect.orDie(Schema.decodeEffect(Schema.fromJsonString(RefusedBody))(answer.body)),
    ({ code = "", detail }) => ({ status: answer.status, code, detail })
  )

export const importResult = (job: Job): Effect.Effect<ImportResult> =>
  Effect.orDie(Schema.decodeUnknownEffect(ImportResult)(job.result))
