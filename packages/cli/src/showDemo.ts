import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import { signToken } from "@lectern/api/tokens"
import { TenantId } from "@lectern/domain"
import { Console, Effect, Redacted, Schema } from "effect"
import { fileURLToPath } from "node:url"
import { type ApiClient, makeApiClient } from "./ApiClient.ts"
import { exitCodes, fail } from "./CommandFailed.ts"
import { clearDemoDirectory } from "./demoDirectory.ts"
import { ImportResult, importReport } from "./importReport.ts"
import { badConfiguration, withLogs } from "./logs.ts"
import { missingPrograms } from "./missingPrograms.ts"
import type { ProgressBoard } from "./ProgressBoard.ts"
import { readSystemEnvironment, serveSystem } from "./serveSystem.ts"
import { shellWord } from "./shellWord.ts"
import { startFailure } from "./startFailure.ts"
import { withBoard } from "./terminal.ts"
import { jobEnds, videoEnds, watchJob } from "./watchJob.ts"

/** The sample media stand in the repository, beside the packages. */
const media = (name: string): string => fileURLToPath(new URL(`../../../media/${name}`, import.meta.url))
const videoName = "car-detection.mp4"
const rosterName = "roster.xlsx"
const tenant = TenantId.make(1)

const decodeResult = Schema.decodeUnknownEffect(ImportResult)

const showVideo = Effect.fnUntraced(function*(api: ApiClient, board: ProgressBoard) {
  const { id } = yield* api.uploadVideo(media(videoName), videoName, "1강 교차로 관찰")
  const end = yield* watchJob(board, {
    label: videoName,
    ...videoEnds,
    progress: api.videoProgress(id),
    detail: Effect.map(api.video(id), (video) => ({ status: video.status, error: video.error_reason }))
  })
  return { end, video: yield* api.video(id) }
})

const showRoster = Effect.fnUntraced(function*(api: ApiClient, board: ProgressBoard) {
  const accepted = yield* api.uploadRoster(media(rosterName), rosterName)
  const end = yield* watchJob(board, {
    label: rosterName,
    ...jobEnds,
    progress: api.jobProgress(accepted.job_id),
    detail: Effect.map(api.job(accepted.job_id), (job) => ({ status: job.status, error: job.error_message }))
  })
  return { end, job: yield* api.job(accepted.job_id) }
})

/** The addresses hold the port, where they do not hold a PUBLIC_URL. */
const portFlag = (url: string): string => new URL(url).port === "" ? "" : ` --port ${new URL(url).port}`

/** The whole way once, through the HTTP API alone. */
export const showDemo = Effect.fn(function*({ data }: { readonly data: string }) {
  yield* Effect.catchTag(readSystemEnvironment(process.env), "BadConfiguration", badConfiguration)
  const missing = process.env["VIDEO_BATCH_JOB_QUEUE"] ? null : yield* missingPrograms
  if (missing !== null) return yield* fail(exitCodes.unavailable, missing)
  yield* clearDemoDirectory(data).pipe(
    Effect.catchTag(["FolderInUse", "FolderUnusable", "PlatformError"], startFailure)
  )

  yield* Effect.scoped(Effect.gen(function*() {
    yield* Console.log("Starting the whole system on this machine ...")
    const system = yield* serveSystem({ data, host: "127.0.0.1", port: 0, encodes: 1, accessLog: false }).pipe(Effect.catch(startFailure))
    yield* Console.log([`It is up at ${system.url}`, ...system.parts.map((part) => `  ${part}`)].join("\n"))

    const token = yield* Effect.promise(() =>
      signToken({ tenantId: tenant, secret: Redacted.value(system.secret), expiresInSeconds: 3_600 })
    )
    const api = yield* makeApiClient(system.url, token)
    yield* Console.log(`Uploading ${videoName} and ${rosterName} through the HTTP API; the bars know what the progress endpoints say\n`)

    const { roster, video } = yield* withBoard((board) =>
      Effect.all({ video: showVideo(api, board), roster: showRoster(api, board) }, { concurrency: 2 })
    )
    const result = yield* decodeResult(roster.job.result)

    yield* Console.log([
      "",
      `${videoName}: ${video.video.status}, ${video.video.duration ?? "?"} s`,
      `  HLS ${video.video.hls_url ?? "none"}`,
      "",
      `${rosterName}: ${roster.end.status}`,
      importReport(result, "registered"),
      `  the rows with an error column: ${result.download_url ?? "none"}`,
      "",
      `The addresses answer while the system runs: npx lectern up --data ${shellWord(data)}${portFlag(system.url)}`
    ].join("\n"))

    if (video.video.status !== "READY" || roster.end.status !== "DONE") {
      return yield* fail(exitCodes.bug, "the demo did not end as it should: see above")
    }
  }).pipe(
    Effect.catchTags({
      ApiFailed: (error) => fail(exitCodes.bug, error.message),
      SchemaError: (error) => fail(exitCodes.bug, `the import's result is not what it should be: ${error.message}`)
    })
  ))
}, (command) => withLogs(Effect.provide(command, NodeHttpClient.layerUndici)))
