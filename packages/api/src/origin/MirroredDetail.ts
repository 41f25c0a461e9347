import { Clock, Context, Duration, Effect, Layer, Option, Ref, Schema } from "effect"
import {
  isActive,
  type Job,
  jobSubject,
  MirroredProgress,
  ProgressReader,
  type StoredProgress,
  type Subject,
  type TenantId,
  type Video,
  type VideoId,
  videoSubject
} from "@lectern/domain"
import { type Encoding, encodingOf, unknownEncoding } from "./EncodingFields.ts"
import { type JobProgressView, jobProgressOf } from "./JobView.ts"

/** How long a detail waits for the mirror. */
const budget = Duration.millis(250)

/** How long the mirror is left alone after it did not answer in time, so that details stay quick while it hangs. */
const rest = Duration.seconds(5)

const decode = Schema.decodeUnknownOption(MirroredProgress)

/**
 * What the mirror adds to rows of the database: how far their work is. Best effort: a mirror that is away, slow or
 * behind the row makes it unknown, and nothing else.
 */
export class MirroredDetail extends Context.Service<MirroredDetail, {
  /** In the order of the videos; one look for all of them, and none where no video is being worked on. */
  readonly encodings: (tenantId: TenantId, videos: ReadonlyArray<Video>) => Effect.Effect<ReadonlyArray<Encoding>>
  /** `null` where nothing is known, and for a job that nobody works on. */
  readonly jobProgress: (tenantId: TenantId, job: Job) => Effect.Effect<JobProgressView | null>
}>()("@lectern/api/MirroredDetail") {
  static readonly layer: Layer.Layer<MirroredDetail, never, ProgressReader> = Layer.effect(
    MirroredDetail,
    Effect.gen(function*() {
      const reader = yield* ProgressReader
      const restUntil = yield* Ref.make(0)

      const look = (
        tenantId: TenantId,
        subjects: ReadonlyArray<Subject>
      ): Effect.Effect<Option.Option<ReadonlyArray<StoredProgress>>> =>
        reader.read(tenantId, subjects).pipe(
          Effect.timeoutOption(budget),
          Effect.catchTag("MirrorUnavailable", (error) =>
            Effect.as(
              Effect.logWarning("The progress mirror could not be read", { tenant: tenantId, error: error.message }),
              Option.none()
            )),
          Effect.withSpan("MirroredDetail.look", { attributes: { tenant: tenantId } })
        )

      const lookUnlessResting = Effect.fnUntraced(function*(tenantId: TenantId, subjects: ReadonlyArray<Subject>) {
        const startedAt = yield* Clock.currentTimeMillis
        if (startedAt < (yield* Ref.get(restUntil))) return Option.none()
        const found = yield* look(tenantId, subjects)
        const now = yield* Clock.currentTimeMillis
        if (Option.isNone(found) && now - startedAt >= Duration.toMillis(budget)) {
          yield* Ref.set(restUntil, now + Duration.toMillis(rest))
        }
        return found
      })

      /** The entry of a subject, unless it is older than the row: then it tells of an earlier run (INCIDENTS.md, 5). */
      const current = (stored: StoredProgress | undefined, revision: number) =>
        stored === undefined || stored.progress === null
          ? Option.none()
          : Option.filter(decode(stored.progress), (progress) => progress.revision >= revision)

      const encodings = Effect.fnUntraced(function*(tenantId: TenantId, videos: ReadonlyArray<Video>) {
        const working = videos.filter((video) => video.status === "PROCESSING")
        if (working.length === 0) return videos.map(() => unknownEncoding)
        const found = yield* lookUnlessResting(tenantId, working.map((video) => videoSubject(video.id)))
        const byId = new Map<VideoId, Encoding>()
        if (Option.isSome(found)) {
          working.forEach((video, index) => {
            const progress = current(found.value[index], video.revision)
            if (Option.isSome(progress)) byId.set(video.id, encodingOf(progress.value))
          })
        }
        return videos.map((video) => byId.get(video.id) ?? unknownEncoding)
      })

      const jobProgress = Effect.fnUntraced(function*(tenantId: TenantId, job: Job) {
        if (!isActive(job.status)) return null
        const found = yield* lookUnlessResting(tenantId, [jobSubject(job.id)])
        const progress = Option.flatMap(found, (entries) => current(entries[0], job.revision))
        return Option.isSome(progress) ? jobProgressOf(progress.value) : null
      })

      return MirroredDetail.of({
        encodings,
        jobProgress
      })
    })
  )
}
