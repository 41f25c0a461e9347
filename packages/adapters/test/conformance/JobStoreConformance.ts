/**
 * What every `JobStore` promises. An implementation is given as a layer with `conformancePolicy`; its database may
 * hold other tests' rows, because each test works in a tenant of its own.
 */
import { assert, layer } from "@effect/vitest"
import {
  type JobPolicy,
  JobId,
  type JobRecord,
  JobRecorder,
  JobStore,
  type Lease,
  type StepName,
  TenantId,
  VideoId,
  type VideoRecord,
  type WorkerCommand
} from "@lectern/domain"
import { ProgressMirrorMemory } from "@lectern/domain/memory"
import { Effect, Layer } from "effect"

/** The first failure is tried again at once, the second in an hour, the third is the last. */
export const conformancePolicy: JobPolicy = {
  maxFailures: 3,
  maxUnclaimedRuns: 2,
  maxAttempts: 4,
  retryDelay: (failures) => failures === 1 ? 0 : 3_600_000
}

export const newTenant = (): TenantId => TenantId.make(1 + Math.floor(Math.random() * 2_000_000_000))
export const newJobId = (): JobId => JobId.make(crypto.randomUUID())

const hour = 3_600_000
/** A lease that has ended as it begins. */
const noTime = -1_000

const output = {
  hls_path: "v/master.m3u8",
  thumbnail_path: "v/thumbnail.jpg",
  duration: 61,
  variants: ["1080p", "360p"],
  storyboard_path: "v/storyboard/a.vtt",
  non_standard_input_reasons: ["variable_frame_rate"],
  rules: [{ number: "1.13", title: "A key frame every two seconds", kept: true, measured: "2 s 물리" }]
}
const succeed: WorkerCommand = { _tag: "Succeed", result: output }
const fail: WorkerCommand = { _tag: "Fail", code: "boom", message: "터졌습니다", retryable: true }
const advance = (step: StepName): WorkerCommand => ({ _tag: "Advance", step })

const upload = (title: string) => ({
  title,
  filename: "강의.mp4",
  contentType: "video/mp4",
  session: null,
  fileKey: `raw/${title}`
})

const make = Effect.gen(function*() {
  const store = yield* JobStore
  const recorder = yield* JobRecorder
  const tenant = newTenant()
  /** Opens a receipt, as the recorder does for everybody. */
  const opened = recorder.commit
  const newVideo = (title = "수학 1강") => Effect.map(opened(store.createVideo(tenant, upload(title))), ({ video }) => video)
  const newImport = Effect.suspend(() =>
    opened(store.createJob(tenant, { id: newJobId(), kind: "student_import", payload: { file_key: "반 명단.xlsx" } })))
  const newEncode = Effect.gen(function*() {
    const video = yield* newVideo()
    const { job } = yield* opened(store.completeUpload(tenant, video.id, { jobId: newJobId(), fileSize: 7 }))
    return { videoId: video.id, jobId: job.id }
  })
  const claim = (jobId: JobId, leaseMillis = hour, owner = "worker") => store.claim(tenant, jobId, { owner, leaseMillis })
  const lease = (jobId: JobId, leaseMillis = hour, owner = "worker") =>
    Effect.flatMap(claim(jobId, leaseMillis, owner), (claimed) =>
      claimed._tag === "Claimed"
        ? Effect.succeed(claimed.lease)
        : Effect.die(new Error(`expected a claim and got ${claimed._tag}`)))
  const say = (held: Lease, command: WorkerCommand) => opened(store.transition(held, command))
  const read = (jobId: JobId) => store.getJob(tenant, jobId)
  const expire = (jobId: JobId, attempt: number) =>
    store.intervene({ tenantId: tenant, jobId }, { _tag: "Expire", attempt, message: "멈췄습니다" })
  const runEnded = (jobId: JobId, runId: string, counted = true) =>
    store.intervene({ tenantId: tenant, jobId }, { _tag: "RunEnded", runId, reason: "Host EC2 terminated", counted })
  return { store, tenant, opened, newVideo, newImport, newEncode, claim, lease, say, read, expire, runEnded }
})

const mine = (tenant: TenantId) => <A extends { readonly tenantId: TenantId }>(rows: ReadonlyArray<A>): ReadonlyArray<A> =>
  rows.filter((row) => row.tenantId === tenant)

export const jobStoreSuite = <E>(name: string, store: Layer.Layer<JobStore, E>): void => {
  const provided = JobRecorder.layer.pipe(Layer.provide(ProgressMirrorMemory.layer), Layer.provideMerge(store))

  layer(provided, { excludeTestServices: true })(`JobStore: ${name}`, (it) => {
    it.effect("keeps a job's whole life, from the upload to a video that plays", () =>
      Effect.gen(function*() {
        const { lease, newVideo, opened, say, store, tenant } = yield* make
        const video = yield* newVideo("물리 — 파동 🌊")
        assert.strictEqual(video.status, "PENDING")
        assert.strictEqual(video.revision, 1)
        assert.deepStrictEqual((yield* store.getVideo(tenant, video.id)), { video, job: null })

        const accepted = yield* opened(store.completeUpload(tenant, video.id, { jobId: newJobId(), fileSize: 5_000_000_000 }))
        assert.strictEqual(accepted.job.status, "PENDING")
        assert.strictEqual(accepted.video?.status, "UPLOADED")
        assert.strictEqual(accepted.video?.fileSize, 5_000_000_000)
        assert.deepStrictEqual(accepted.job.payload, { file_key: "raw/물리 — 파동 🌊" })

        const held = yield* lease(accepted.job.id)
        assert.strictEqual(held.attempt, 1)
        const running = yield* say(held, advance("transcoding"))
        assert.strictEqual(running.job.step, "transcoding")
        assert.strictEqual(running.video?.status, "PROCESSING")

        const done = yield* say(held, succeed)
        assert.strictEqual(done.job.status, "DONE")
        assert.strictEqual(done.job.leaseOwner, null)
        assert.deepStrictEqual(done.job.result, output)
        assert.strictEqual(done.video?.status, "READY")
        assert.strictEqual(done.video?.duration, 61)
        assert.strictEqual(done.video?.hlsPath, "v/master.m3u8")
        assert.strictEqual(done.video?.storyboardPath, "v/storyboard/a.vtt")
        assert.deepStrictEqual(done.video?.nonStandardInputReasons, ["variable_frame_rate"])
        assert.deepStrictEqual(done.video?.rules, output.rules)
        assert.deepStrictEqual(yield* store.getJob(tenant, done.job.id), done)
        assert.deepStrictEqual<unknown>(yield* store.getVideo(tenant, video.id), done)
      }))

    it.effect("raises the revision of job and video with every transition, and with nothing else", () =>
      Effect.gen(function*() {
        const { lease, newEncode, read, say, store, tenant } = yield* make
        const { jobId } = yield* newEncode
        const seen = [yield* read(jobId)]
        const note = Effect.map(read(jobId), (record) => void seen.push(record))
        const held = yield* lease(jobId)
        yield* note
        for (const step of ["downloading", "probing", "transcoding"] as const) {
          yield* say(held, advance(step))
          yield* note
        }
        const before = yield* read(jobId)
        yield* store.heartbeat(held, 2 * hour)
        yield* store.markDispatched({ tenantId: tenant, jobId }, 0, "batch-1")
        const after = yield* read(jobId)
        assert.strictEqual(after.job.revision, before.job.revision)
        assert.strictEqual(after.video?.revision, before.video?.revision)
        assert.isAbove(after.job.leaseUntil ?? 0, before.job.leaseUntil ?? 0)
        yield* say(held, succeed)
        yield* note
        const revisions = (of: (record: JobRecord) => number | undefined) => seen.map((record) => of(record) ?? -1)
        for (const list of [revisions(({ job }) => job.revision), revisions(({ video }) => video?.revision)]) {
          assert.deepStrictEqual(list, [...new Set(list)].sort((a, b) => a - b))
        }
      }))

    it.effect("leaves the row untouched when a stale lease speaks", () =>
      Effect.gen(function*() {
        const { expire, lease, newImport, read, store } = yield* make
        const { job } = yield* newImport
        const stale = yield* lease(job.id, noTime, "first")
        assert.isNotNull(yield* expire(job.id, stale.attempt))
        const current = yield* lease(job.id, hour, "second")
        const before = yield* read(job.id)
        const commands: ReadonlyArray<WorkerCommand> = [
          advance("parsing"),
          { _tag: "Validate", step: "parsing" },
          succeed,
          fail,
          { _tag: "Reject", code: "bad", message: "나쁨" },
          { _tag: "RequireReview", result: {}, message: "확인" },
          { _tag: "Preempt", message: "회수" }
        ]
        for (const command of commands) {
          const lost = yield* Effect.flip(store.transition(stale, command))
          assert.strictEqual(lost._tag, "LeaseLost", command._tag)
        }
        assert.strictEqual((yield* Effect.flip(store.heartbeat(stale, hour)))._tag, "LeaseLost")
        assert.deepStrictEqual(yield* read(job.id), before)
        yield* store.heartbeat(current, hour)
      }))

    it.effect("does not let another owner speak with the right attempt", () =>
      Effect.gen(function*() {
        const { lease, newImport, read, store } = yield* make
        const { job } = yield* newImport
        const held = yield* lease(job.id)
        const before = yield* read(job.id)
        const forged = { ...held, owner: "somebody else" }
        assert.strictEqual((yield* Effect.flip(store.transition(forged, succeed)))._tag, "LeaseLost")
        assert.deepStrictEqual(yield* read(job.id), before)
      }))

    it.effect("counts one failure when eight sweeps see the same lease end", () =>
      Effect.gen(function*() {
        const { expire, lease, newEncode, read } = yield* make
        const { jobId } = yield* newEncode
        yield* lease(jobId, noTime)
        const said = yield* Effect.all(Array.from({ length: 8 }, () => expire(jobId, 1)), { concurrency: "unbounded" })
        assert.strictEqual(said.filter((receipt) => receipt !== null).length, 1)
        const { job } = yield* read(jobId)
        assert.strictEqual(job.failures, 1)
        assert.strictEqual(job.status, "RETRYING")
      }))

    it.effect("gives a job to exactly one of two claimers, in each of 20 rounds", () =>
      Effect.gen(function*() {
        const { claim, newImport, read } = yield* make
        for (let round = 0; round < 20; round += 1) {
          const { job } = yield* newImport
          const claims = yield* Effect.all([claim(job.id, hour, "a"), claim(job.id, hour, "b")], { concurrency: "unbounded" })
          assert.deepStrictEqual(claims.map(({ _tag }) => _tag).sort(), ["Busy", "Claimed"])
          assert.strictEqual((yield* read(job.id)).job.attempt, 1)
        }
      }))

    it.effect("answers a claim with why it cannot be had", () =>
      Effect.gen(function*() {
        const { claim, lease, newImport, read, say } = yield* make
        const { job: { id } } = yield* newImport
        const first = yield* lease(id)
        const busy = yield* claim(id)
        assert.isTrue(busy._tag === "Busy" && busy.until === (yield* read(id)).job.leaseUntil)
        yield* say(first, fail)
        yield* say(yield* lease(id), fail)
        const notDue = yield* claim(id)
        assert.isTrue(notDue._tag === "NotDue" && notDue.until === (yield* read(id)).job.runAfter)

        const { job: { id: finished } } = yield* newImport
        yield* say(yield* lease(finished), succeed)
        assert.deepStrictEqual(yield* claim(finished), { _tag: "Finished", status: "DONE" })
      }))

    it.effect("takes a vanished holder's job away at the next claim, and gives up when no attempt is left", () =>
      Effect.gen(function*() {
        const { claim, lease, newImport, read } = yield* make
        const { job: { id } } = yield* newImport
        yield* lease(id, noTime)
        assert.strictEqual((yield* claim(id))._tag, "Expired")
        assert.strictEqual((yield* read(id)).job.failures, 1)
        yield* lease(id, noTime)
        assert.strictEqual((yield* claim(id))._tag, "Expired")
        assert.strictEqual((yield* read(id)).job.status, "RETRYING")
        assert.strictEqual((yield* claim(id))._tag, "NotDue")
      }))

    it.effect("ends a job that is preempted for ever", () =>
      Effect.gen(function*() {
        const { claim, lease, newImport, read, say } = yield* make
        const { job: { id } } = yield* newImport
        for (let attempt = 1; attempt <= conformancePolicy.maxAttempts; attempt += 1) {
          yield* say(yield* lease(id), { _tag: "Preempt", message: "회수" })
        }
        const { job } = yield* read(id)
        assert.strictEqual(job.status, "FAILED")
        assert.strictEqual(job.failures, 0)
        assert.deepStrictEqual(yield* claim(id), { _tag: "Finished", status: "FAILED" })
      }))

    it.effect("answers a command that was said before as it did then, and changes nothing", () =>
      Effect.gen(function*() {
        const { lease, newEncode, newImport, read, say } = yield* make
        const endings: ReadonlyArray<WorkerCommand> = [
          succeed,
          fail,
          { _tag: "Reject", code: "bad", message: "나쁨", result: { failed: [] } },
          { _tag: "RequireReview", result: {}, message: "확인" },
          { _tag: "Preempt", message: "회수" }
        ]
        for (const command of endings) {
          for (const id of [(yield* newImport).job.id, (yield* newEncode).jobId]) {
            const held = yield* lease(id)
            const first = yield* say(held, command)
            assert.deepStrictEqual(yield* say(held, command), first, command._tag)
            assert.deepStrictEqual(yield* read(id), first, command._tag)
          }
        }
      }))

    it.effect("writes a job that falls back to the GPU and the premium job that takes its place together, and once", () =>
      Effect.gen(function*() {
        const { lease, newImport, read, store } = yield* make
        const { job } = yield* newImport
        const held = yield* lease(job.id)
        const premiumJobId = newJobId()
        const command: WorkerCommand = { _tag: "FallBackToGpu", premiumJobId, message: "GPU" }
        yield* store.transition(held, command)
        yield* store.transition(held, command)
        assert.strictEqual((yield* read(job.id)).job.status, "FALLBACK_TO_GPU")
        assert.deepStrictEqual((yield* read(job.id)).job.result, { premium_job_id: premiumJobId })
        const premium = (yield* read(premiumJobId)).job
        assert.deepStrictEqual(
          [premium.status, premium.tier, premium.kind, premium.payload],
          ["PENDING", "premium", job.kind, job.payload]
        )
      }))

    it.effect("says that a command makes no sense, and keeps the row", () =>
      Effect.gen(function*() {
        const { lease, newImport, read, store } = yield* make
        const { job: { id } } = yield* newImport
        const held = yield* lease(id)
        const before = yield* read(id)
        assert.strictEqual((yield* Effect.flip(store.transition(held, advance("transcoding"))))._tag, "IllegalTransition")
        assert.deepStrictEqual(yield* read(id), before)
      }))

    it.effect("lets a video follow its current encode alone", () =>
      Effect.gen(function*() {
        const { lease, newEncode, opened, say, store, tenant } = yield* make
        const { jobId, videoId } = yield* newEncode
        yield* say(yield* lease(jobId), { _tag: "Fail", code: "boom", message: "터졌습니다", retryable: false })
        const failed = yield* store.getVideo(tenant, videoId)
        assert.strictEqual(failed.video.status, "FAILED")
        assert.strictEqual(failed.video.errorReason, "터졌습니다")

        const retried = yield* opened(store.retryEncode(tenant, videoId, newJobId()))
        assert.strictEqual(retried.video?.status, "UPLOADED")
        assert.strictEqual(retried.video?.errorReason, null)
        assert.strictEqual(retried.job.attempt, 0)
        assert.strictEqual(retried.job.failures, 0)
        assert.isNull(yield* store.intervene({ tenantId: tenant, jobId }, { _tag: "Cancel", message: "늦음" }))
        yield* say(yield* lease(retried.job.id), succeed)
        const ready = yield* store.getVideo(tenant, videoId)
        assert.strictEqual(ready.video.status, "READY")
        assert.strictEqual(ready.job?.id, retried.job.id)

        const again = yield* opened(store.retryEncode(tenant, videoId, newJobId()))
        assert.strictEqual(again.video?.hlsPath, "v/master.m3u8")
      }))

    it.effect("leaves the next encode's video out of what an earlier encode says again", () =>
      Effect.gen(function*() {
        const { lease, newEncode, opened, say, store, tenant } = yield* make
        const { jobId, videoId } = yield* newEncode
        const held = yield* lease(jobId)
        yield* say(held, succeed)
        yield* opened(store.retryEncode(tenant, videoId, newJobId()))
        const before = yield* store.getVideo(tenant, videoId)
        const again = yield* say(held, succeed)
        assert.strictEqual(again.job.status, "DONE")
        assert.strictEqual(again.video, null)
        assert.deepStrictEqual(yield* store.getVideo(tenant, videoId), before)
      }))

    it.effect("refuses an upload that is complete, and a retry of what runs or was never uploaded", () =>
      Effect.gen(function*() {
        const { newEncode, newVideo, store, tenant } = yield* make
        const { videoId } = yield* newEncode
        const pending = yield* newVideo()
        const reason = <A>(refused: Effect.Effect<A, { readonly _tag: string }>) =>
          Effect.map(Effect.flip(refused), (error) => error._tag === "VideoConflict" && "reason" in error ? error.reason : error._tag)
        assert.strictEqual(
          yield* reason(store.completeUpload(tenant, videoId, { jobId: newJobId(), fileSize: 1 })),
          "not_awaiting_upload"
        )
        assert.strictEqual(yield* reason(store.retryEncode(tenant, videoId, newJobId())), "already_active")
        assert.strictEqual(yield* reason(store.retryEncode(tenant, pending.id, newJobId())), "not_uploaded")
        const missing = VideoId.make(2_000_000_000)
        assert.strictEqual(yield* reason(store.retryEncode(tenant, missing, newJobId())), "VideoNotFound")
      }))

    it.effect("makes one encode when an upload is completed by eight at once", () =>
      Effect.gen(function*() {
        const { newVideo, store, tenant } = yield* make
        const video = yield* newVideo()
        const said = yield* Effect.all(
          Array.from({ length: 8 }, () =>
            Effect.exit(store.completeUpload(tenant, video.id, { jobId: newJobId(), fileSize: 1 }))),
          { concurrency: "unbounded" }
        )
        assert.strictEqual(said.filter(({ _tag }) => _tag === "Success").length, 1)
        assert.strictEqual((yield* store.getVideo(tenant, video.id)).video.revision, 2)
      }))

    it.effect("hides a video when its deletion begins, cancels its encode, and answers the same when it begins again", () =>
      Effect.gen(function*() {
        const { lease, newEncode, opened, read, store, tenant } = yield* make
        const { jobId, videoId } = yield* newEncode
        const held = yield* lease(jobId)
        const begun = yield* opened(store.beginDelete(tenant, videoId))
        assert.isNotNull(begun.video.deletedAt)
        assert.strictEqual(begun.job?.status, "CANCELLED")
        assert.deepStrictEqual(yield* opened(store.beginDelete(tenant, videoId)), begun)
        assert.strictEqual((yield* Effect.flip(store.getVideo(tenant, videoId)))._tag, "VideoNotFound")
        assert.strictEqual((yield* Effect.flip(store.retryEncode(tenant, videoId, newJobId())))._tag, "VideoNotFound")
        assert.strictEqual((yield* Effect.flip(store.transition(held, succeed)))._tag, "LeaseLost")
        assert.strictEqual((yield* store.listVideos(tenant, { search: null, limit: 10, offset: 0 })).count, 0)
        const deleting = (yield* store.findDeleting(10_000)).filter(({ video }) => video.tenantId === tenant)
        assert.deepStrictEqual<ReadonlyArray<VideoRecord>>(deleting, [begun])

        yield* store.finishDelete(tenant, videoId)
        yield* store.finishDelete(tenant, videoId)
        assert.strictEqual((yield* Effect.flip(read(jobId)))._tag, "JobNotFound")
        assert.strictEqual((yield* Effect.flip(store.beginDelete(tenant, videoId)))._tag, "VideoNotFound")
        assert.deepStrictEqual((yield* store.findDeleting(10_000)).filter(({ video }) => video.tenantId === tenant), [])
      }))

    it.effect("does not remove a video whose deletion has not begun", () =>
      Effect.gen(function*() {
        const { newEncode, store, tenant } = yield* make
        const { videoId } = yield* newEncode
        const before = yield* store.getVideo(tenant, videoId)
        yield* store.finishDelete(tenant, videoId)
        assert.deepStrictEqual(yield* store.getVideo(tenant, videoId), before)
      }))

    it.effect("shows a tenant nothing of another's, in any method", () =>
      Effect.gen(function*() {
        const { lease, newEncode, read, store, tenant } = yield* make
        const { jobId, videoId } = yield* newEncode
        const held = yield* lease(jobId)
        const stranger = newTenant()
        const before = { record: yield* read(jobId), video: yield* store.getVideo(tenant, videoId) }
        const foreign = { tenantId: stranger, jobId }
        const tags = yield* Effect.all(
          [
            store.getVideo(stranger, videoId),
            store.completeUpload(stranger, videoId, { jobId: newJobId(), fileSize: 1 }),
            store.retryEncode(stranger, videoId, newJobId()),
            store.beginDelete(stranger, videoId),
            store.getJob(stranger, jobId),
            store.claim(stranger, jobId, { owner: "thief", leaseMillis: hour }),
            store.transition({ ...held, tenantId: stranger }, succeed),
            store.heartbeat({ ...held, tenantId: stranger }, hour),
            store.intervene(foreign, { _tag: "Cancel", message: "남의 것" })
          ].map((asked) => Effect.map(Effect.flip<unknown, { readonly _tag: string }, never>(asked), ({ _tag }) => _tag))
        )
        assert.deepStrictEqual(tags, [
          ...Array.from({ length: 4 }, () => "VideoNotFound"),
          ...Array.from({ length: 5 }, () => "JobNotFound")
        ])
        yield* store.finishDelete(stranger, videoId)
        yield* store.markDispatched(foreign, 0, "stolen")
        assert.deepStrictEqual(yield* store.listVideos(stranger, { search: null, limit: 10, offset: 0 }), { count: 0, videos: [] })
        assert.deepStrictEqual({ record: yield* read(jobId), video: yield* store.getVideo(tenant, videoId) }, before)
      }))

    it.effect("lists a page, newest first, with the count of all pages", () =>
      Effect.gen(function*() {
        const { newVideo, store, tenant } = yield* make
        const ids: Array<VideoId> = []
        for (const title of ["a", "b", "c", "d", "e"]) ids.unshift((yield* newVideo(title)).id)
        const page = (offset: number) => store.listVideos(tenant, { search: null, limit: 2, offset })
        for (const offset of [0, 2, 4, 6]) {
          const { count, videos } = yield* page(offset)
          assert.strictEqual(count, 5)
          assert.deepStrictEqual(videos.map(({ id }) => id), ids.slice(offset, offset + 2))
        }
      }))

    it.effect("searches the title for the text as it stands, letter case ignored", () =>
      Effect.gen(function*() {
        const { newVideo, store, tenant } = yield* make
        const titles = ["100% 완성 Algebra", "100 완성", "a_b", "axb", "back\\slash", "quote ' title"]
        for (const title of titles) yield* newVideo(title)
        const found = (search: string) =>
          Effect.map(store.listVideos(tenant, { search, limit: 10, offset: 0 }), ({ count, videos }) => {
            assert.strictEqual(count, videos.length)
            return videos.map(({ title }) => title).sort()
          })
        assert.deepStrictEqual(yield* found("100%"), ["100% 완성 Algebra"])
        assert.deepStrictEqual(yield* found("완성"), ["100 완성", "100% 완성 Algebra"])
        assert.deepStrictEqual(yield* found("a_b"), ["a_b"])
        assert.deepStrictEqual(yield* found("ALGEBRA"), ["100% 완성 Algebra"])
        assert.deepStrictEqual(yield* found("\\"), ["back\\slash"])
        assert.deepStrictEqual(yield* found("'"), ["quote ' title"])
        assert.deepStrictEqual(yield* found("%%"), [])
        assert.strictEqual((yield* found("")).length, titles.length)
      }))

    it.effect("notes a hand-over that came before or after the claim, and not one of an attempt long gone", () =>
      Effect.gen(function*() {
        const { lease, newImport, read, say, store, tenant } = yield* make
        const { job: { id } } = yield* newImport
        const ref = { tenantId: tenant, jobId: id }
        yield* store.markDispatched(ref, 0, "run-1")
        assert.strictEqual((yield* read(id)).job.externalId, "run-1")
        assert.isNotNull((yield* read(id)).job.dispatchedAt)
        const held = yield* lease(id)
        yield* store.markDispatched(ref, 0, "run-1b")
        assert.strictEqual((yield* read(id)).job.externalId, "run-1b")
        yield* say(held, fail)
        assert.strictEqual((yield* read(id)).job.externalId, null)
        yield* store.markDispatched(ref, 0, "run-1c")
        assert.strictEqual((yield* read(id)).job.externalId, null)
        yield* lease(id)
        const before = yield* read(id)
        yield* store.markDispatched(ref, 0, "late")
        yield* store.markDispatched(ref, 3, "from the future")
        assert.deepStrictEqual(yield* read(id), before)

        const { job: { id: over } } = yield* newImport
        yield* say(yield* lease(over), succeed)
        const ended = yield* read(over)
        yield* store.markDispatched({ tenantId: tenant, jobId: over }, 0, "too late")
        yield* store.markDispatched({ tenantId: tenant, jobId: newJobId() }, 0, "unknown")
        assert.deepStrictEqual(yield* read(over), ended)
      }))

    it.effect("finds the jobs that wait to be handed over, oldest first, and no others", () =>
      Effect.gen(function*() {
        const { lease, newImport, say, store, tenant } = yield* make
        const never = (yield* newImport).job
        const handedOver = (yield* newImport).job
        yield* store.markDispatched({ tenantId: tenant, jobId: handedOver.id }, 0, "run")
        const claimed = (yield* newImport).job
        yield* lease(claimed.id)
        const again = (yield* newImport).job
        yield* say(yield* lease(again.id), fail)
        const notDue = (yield* newImport).job
        yield* say(yield* lease(notDue.id), fail)
        yield* say(yield* lease(notDue.id), fail)
        const find = (olderThanMillis: number) =>
          Effect.map(store.findUndispatched({ olderThanMillis, limit: 10_000 }), mine(tenant))
        assert.deepStrictEqual(yield* find(hour), [
          {
            tenantId: tenant,
            jobId: never.id,
            kind: "student_import",
            tier: "basic",
            attempt: 0,
            submissions: 0,
            payload: { file_key: "반 명단.xlsx" },
            createdAt: never.createdAt
          },
          {
            tenantId: tenant,
            jobId: again.id,
            kind: "student_import",
            tier: "basic",
            attempt: 1,
            submissions: 0,
            payload: { file_key: "반 명단.xlsx" },
            createdAt: again.createdAt
          }
        ])
        assert.deepStrictEqual(
          (yield* find(noTime)).map(({ jobId }) => jobId).sort(),
          [never.id, handedOver.id, again.id].sort()
        )
        assert.strictEqual((yield* store.findUndispatched({ olderThanMillis: hour, limit: 1 })).length, 1)
      }))

    it.effect("finds the jobs whose lease has ended, and no others", () =>
      Effect.gen(function*() {
        const { expire, lease, newImport, store, tenant } = yield* make
        const ended = (yield* newImport).job
        yield* lease(ended.id, noTime)
        yield* lease((yield* newImport).job.id, hour)
        yield* newImport
        const find = Effect.map(store.findExpired(10_000), mine(tenant))
        assert.deepStrictEqual(yield* find, [{ tenantId: tenant, jobId: ended.id, attempt: 1 }])
        yield* expire(ended.id, 1)
        assert.deepStrictEqual(yield* find, [])
      }))

    it.effect("ends no attempt whose lease is in force, but for the end of the run that holds it", () =>
      Effect.gen(function*() {
        const { expire, lease, newEncode, read, runEnded } = yield* make
        const { jobId } = yield* newEncode
        yield* lease(jobId, hour, "run-1:3")
        assert.isNull(yield* expire(jobId, 1))
        assert.isNull(yield* runEnded(jobId, "run-2"))
        // Many see the same end.
        const seen = yield* Effect.all([1, 2, 3, 4].map(() => runEnded(jobId, "run-1")), { concurrency: "unbounded" })
        assert.strictEqual(seen.filter((receipt) => receipt !== null).length, 1)
        assert.deepInclude((yield* read(jobId)).job, { status: "RETRYING", failures: 1, errorCode: "run_ended" })
      }))

    it.effect("opens a submission for one of many, and closes it with the run that came of it", () =>
      Effect.gen(function*() {
        const { newEncode, read, store, tenant } = yield* make
        const { jobId } = yield* newEncode
        const ref = { tenantId: tenant, jobId }
        const seen = { attempt: 0, submissions: 0 }
        const begun = yield* Effect.all([1, 2, 3, 4].map(() => store.beginSubmission(ref, seen, hour)), { concurrency: "unbounded" })
        assert.deepStrictEqual(begun.map(({ _tag }) => _tag).sort(), ["MovedOn", "MovedOn", "MovedOn", "Submit"])
        const open = { attempt: 0, submissions: 1 }
        assert.strictEqual((yield* store.beginSubmission(ref, open, hour))._tag, "Quiet")
        assert.deepStrictEqual(yield* store.beginSubmission(ref, open, noTime), { _tag: "Find", submission: 1 })
        assert.strictEqual(yield* store.recordSubmission(ref, 2, "batch-9"), "Superseded")
        assert.strictEqual(yield* store.recordSubmission(ref, 1, "batch-1"), "Recorded")
        assert.strictEqual(yield* store.recordSubmission(ref, 1, "batch-1"), "Recorded")
        assert.strictEqual(yield* store.recordSubmission(ref, 1, "batch-2"), "Superseded")
        assert.strictEqual((yield* store.beginSubmission(ref, open, noTime))._tag, "MovedOn")
        assert.deepInclude((yield* read(jobId)).job, { externalId: "batch-1", submissions: 1, submittingSince: null })
        assert.strictEqual((yield* store.beginSubmission({ ...ref, jobId: newJobId() }, seen, hour))._tag, "MovedOn")
        assert.strictEqual(yield* store.recordSubmission({ ...ref, jobId: newJobId() }, 1, "batch-1"), "Superseded")
      }))

    it.effect("takes a claim for the answer that was lost, and what comes to be recorded afterwards for a second run", () =>
      Effect.gen(function*() {
        const { lease, newEncode, read, say, store, tenant } = yield* make
        const { jobId } = yield* newEncode
        const ref = { tenantId: tenant, jobId }
        yield* store.beginSubmission(ref, { attempt: 0, submissions: 0 }, hour)
        const held = yield* lease(jobId, hour, "batch-1:0")
        assert.deepInclude((yield* read(jobId)).job, { externalId: "batch-1", submittingSince: null })
        assert.strictEqual(yield* store.recordSubmission(ref, 1, "batch-1"), "Recorded")
        assert.strictEqual(yield* store.recordSubmission(ref, 1, "batch-2"), "Superseded")
        yield* say(held, fail)
        assert.strictEqual(yield* store.recordSubmission(ref, 1, "batch-1"), "Superseded")
      }))

    it.effect("lets a refused submission be begun anew at once", () =>
      Effect.gen(function*() {
        const { newEncode, store, tenant } = yield* make
        const { jobId } = yield* newEncode
        const ref = { tenantId: tenant, jobId }
        yield* store.beginSubmission(ref, { attempt: 0, submissions: 0 }, hour)
        yield* store.dropSubmission(ref, 2)
        assert.strictEqual((yield* store.beginSubmission(ref, { attempt: 0, submissions: 1 }, hour))._tag, "Quiet")
        yield* store.dropSubmission(ref, 1)
        assert.deepStrictEqual(yield* store.beginSubmission(ref, { attempt: 0, submissions: 1 }, hour), { _tag: "Submit", submission: 2 })
      }))

    it.effect("gives a job up whose runs end before they claim it, each counted once", () =>
      Effect.gen(function*() {
        const { newEncode, read, runEnded, store, tenant } = yield* make
        const { jobId } = yield* newEncode
        const ref = { tenantId: tenant, jobId }
        /** Its next run, asked for when it is due, ends by itself. */
        const runThatDies = (submissions: number) =>
          Effect.gen(function*() {
            const run = `batch-${submissions + 1}`
            assert.strictEqual((yield* store.beginSubmission(ref, { attempt: 0, submissions }, hour))._tag, "Submit")
            yield* store.recordSubmission(ref, submissions + 1, run)
            const seen = yield* Effect.all([1, 2, 3].map(() => runEnded(jobId, run)), { concurrency: "unbounded" })
            assert.strictEqual(seen.filter((receipt) => receipt !== null).length, 1)
          })
        yield* runThatDies(0)
        assert.deepInclude((yield* read(jobId)).job, { status: "PENDING", unclaimedRuns: 1, failures: 0, externalId: null })
        assert.isNull(yield* runEnded(jobId, "batch-1"))
        yield* runThatDies(1)
        const { job, video } = yield* read(jobId)
        assert.deepInclude(job, { status: "FAILED", errorCode: "never_started", unclaimedRuns: 2, failures: 0 })
        assert.include(job.errorMessage ?? "", "Host EC2 terminated")
        assert.deepInclude(video, { status: "FAILED", errorReason: job.errorMessage })
      }))

    it.effect("begins to count anew with a claim, and counts no run that went with its machine", () =>
      Effect.gen(function*() {
        const { lease, newEncode, read, runEnded, store, tenant } = yield* make
        const { jobId } = yield* newEncode
        const ref = { tenantId: tenant, jobId }
        for (const [submissions, counted] of [[0, true], [1, false]] as const) {
          yield* store.beginSubmission(ref, { attempt: 0, submissions }, hour)
          yield* store.recordSubmission(ref, submissions + 1, `batch-${submissions}`)
          assert.isNotNull(yield* runEnded(jobId, `batch-${submissions}`, counted))
          assert.strictEqual((yield* read(jobId)).job.unclaimedRuns, 1)
        }
        yield* lease(jobId)
        assert.strictEqual((yield* read(jobId)).job.unclaimedRuns, 0)
      }))

    it.effect("finds the jobs that were given up, and puts one back whose row agrees, once", () =>
      Effect.gen(function*() {
        const { lease, newEncode, newImport, opened, read, say, store, tenant } = yield* make
        const final: WorkerCommand = { _tag: "Fail", code: "boom", message: "실패", retryable: false }
        const { job: { id } } = yield* newImport
        yield* say(yield* lease(id), final)
        const encode = yield* newEncode
        yield* say(yield* lease(encode.jobId), final)
        const retried = yield* newEncode
        yield* say(yield* lease(retried.jobId), final)
        yield* opened(store.retryEncode(tenant, retried.videoId, newJobId()))
        const deleted = yield* newEncode
        yield* say(yield* lease(deleted.jobId), final)
        yield* opened(store.beginDelete(tenant, deleted.videoId))
        const found = Effect.map(store.findGivenUp(10_000), (jobs) => jobs.filter(({ tenantId }) => tenantId === tenant).map((job) => job.id))
        assert.deepStrictEqual([...(yield* found)].sort(), [id, encode.jobId].sort())
        const putBack = () => store.intervene({ tenantId: tenant, jobId: id }, { _tag: "Redrive" })
        const receipts = yield* Effect.all([putBack(), putBack(), putBack()], { concurrency: "unbounded" })
        assert.strictEqual(receipts.filter((receipt) => receipt !== null).length, 1)
        assert.deepInclude((yield* read(id)).job, { status: "RETRYING", failures: 0, errorMessage: null, attempt: 1 })
        assert.deepStrictEqual(yield* found, [encode.jobId])
      }))

    it.effect("finds the encodes that were handed over and have not ended", () =>
      Effect.gen(function*() {
        const { lease, newEncode, newImport, say, store, tenant } = yield* make
        const waiting = yield* newEncode
        yield* store.markDispatched({ tenantId: tenant, jobId: waiting.jobId }, 0, "batch-1")
        const running = yield* newEncode
        yield* store.markDispatched({ tenantId: tenant, jobId: running.jobId }, 0, "batch-2")
        yield* lease(running.jobId)
        const over = yield* newEncode
        yield* store.markDispatched({ tenantId: tenant, jobId: over.jobId }, 0, "batch-3")
        yield* say(yield* lease(over.jobId), succeed)
        yield* newEncode
        yield* store.markDispatched({ tenantId: tenant, jobId: (yield* newImport).job.id }, 0, "queue-1")
        const found = mine(tenant)(yield* store.findDispatchedEncodes(10_000))
        assert.deepStrictEqual([...found].sort((a, b) => a.externalId.localeCompare(b.externalId)), [
          { tenantId: tenant, jobId: waiting.jobId, attempt: 0, status: "PENDING", externalId: "batch-1" },
          { tenantId: tenant, jobId: running.jobId, attempt: 1, status: "RUNNING", externalId: "batch-2" }
        ])
      }))

    it.effect("finds everything that may be watched: what has not ended, and what ended of late", () =>
      Effect.gen(function*() {
        const { lease, newEncode, newImport, newVideo, opened, say, store, tenant } = yield* make
        const pending = yield* newVideo()
        const active = yield* newEncode
        const done = yield* newEncode
        yield* say(yield* lease(done.jobId), succeed)
        const imported = (yield* newImport).job
        const retried = yield* newEncode
        yield* say(yield* lease(retried.jobId), succeed)
        yield* opened(store.retryEncode(tenant, retried.videoId, newJobId()))
        const watched = (changedSince: number) =>
          Effect.gen(function*() {
            const names: Array<string> = []
            for (const receipt of yield* store.findLive({ changedSince, limit: 10_000 })) {
              const { job, video } = yield* opened(Effect.succeed(receipt))
              if ((job ?? video)?.tenantId === tenant) names.push(`${job?.id ?? "-"} ${video?.id ?? "-"}`)
            }
            return names.sort()
          })
        const always = [
          `- ${pending.id}`,
          `${active.jobId} ${active.videoId}`,
          `${imported.id} -`,
          `${(yield* store.getVideo(tenant, retried.videoId)).job?.id} ${retried.videoId}`
        ]
        assert.deepStrictEqual(
          yield* watched(pending.createdAt),
          [...always, `${done.jobId} ${done.videoId}`, `${retried.jobId} -`].sort()
        )
        assert.deepStrictEqual(yield* watched(pending.createdAt + hour), always.sort())
        assert.strictEqual((yield* store.findLive({ changedSince: 0, limit: 2 })).length, 2)
      }))

    it.effect("gives back texts and JSON of every kind as they were given", () =>
      Effect.gen(function*() {
        const { lease, newImport, opened, read, say, store, tenant } = yield* make
        const payloads = [null, true, 0, -1.5, 9_007_199_254_740_991, "글자", "null", [], {}, { a: [{ b: null }] }]
        for (const payload of payloads) {
          const { job } = yield* opened(store.createJob(tenant, { id: newJobId(), kind: "student_import", payload }))
          assert.deepStrictEqual((yield* read(job.id)).job.payload, payload)
        }
        const result = {
          failed: Array.from({ length: 5_000 }, (_, row) => ({ row, cell: `B${row}`, value: "홍길동 \"'\\\n\t😀", reason: "전화번호가 없습니다" }))
        }
        const { job: { id } } = yield* newImport
        const held = yield* lease(id)
        yield* say(held, { _tag: "Succeed", result, errorMessage: "일부 행이 거절되었습니다" })
        const { job } = yield* read(id)
        assert.deepStrictEqual(job.result, result)
        assert.strictEqual(job.errorMessage, "일부 행이 거절되었습니다")
      }))

    it.effect("answers that it can be written to", () => Effect.flatMap(JobStore, (store) => store.ping))
  })
}
