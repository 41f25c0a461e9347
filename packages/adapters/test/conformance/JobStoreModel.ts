/**
 * The store in memory as the model: whatever is said to a store, in any order, it answers and keeps what the model
 * does.
 */
import { assert, layer } from "@effect/vitest"
import { type JobId, JobRecorder, JobStore, type Lease, type TenantId, type VideoId, type WorkerCommand } from "@lectern/domain"
import { JobStoreMemory, ProgressMirrorMemory } from "@lectern/domain/memory"
import { Context, Effect, Layer } from "effect"
import fc from "fast-check"
import { conformancePolicy, newJobId, newTenant } from "./JobStoreConformance.ts"

const hour = 3_600_000

const output = { hls_path: "h", thumbnail_path: "t", duration: 3, variants: ["360p"] }
const workerCommands: ReadonlyArray<WorkerCommand> = [
  { _tag: "Validate", step: "probing" },
  { _tag: "Advance", step: "transcoding" },
  { _tag: "Advance", step: "creating" },
  { _tag: "Succeed", result: output },
  { _tag: "Succeed", result: "no output" },
  { _tag: "RequireReview", result: { a: null }, message: "확인" },
  { _tag: "Reject", code: "bad", message: "나쁨" },
  { _tag: "Fail", code: "boom", message: "실패", retryable: true },
  { _tag: "Fail", code: "boom", message: "실패", retryable: false },
  { _tag: "Preempt", message: "회수" }
]

type Step =
  | { readonly _tag: "CompleteUpload" | "Retry" | "BeginDelete" | "FinishDelete" }
  | { readonly _tag: "Claim"; readonly job: number; readonly ended: boolean }
  | { readonly _tag: "Say"; readonly lease: number; readonly command: WorkerCommand }
  | { readonly _tag: "Heartbeat"; readonly lease: number }
  | { readonly _tag: "Expire"; readonly job: number; readonly attempt: number }
  | { readonly _tag: "RunEnded"; readonly job: number; readonly run: string; readonly counted: boolean }
  | { readonly _tag: "BeginSubmission"; readonly job: number; readonly findableAfter: number }
  | { readonly _tag: "RecordSubmission" | "DropSubmission"; readonly job: number; readonly submission: number }
  | { readonly _tag: "Cancel"; readonly job: number }
  | { readonly _tag: "MarkDispatched"; readonly job: number; readonly attempt: number }

/** Which of those there are, counted from the newest, so that most steps concern what is going on. */
const recent = fc.oneof({ weight: 4, arbitrary: fc.constant(0) }, { weight: 1, arbitrary: fc.integer({ min: 1, max: 3 }) })
const attempt = fc.integer({ min: 0, max: 4 })

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 2, arbitrary: fc.constant<Step>({ _tag: "CompleteUpload" }) },
  { weight: 2, arbitrary: fc.constant<Step>({ _tag: "Retry" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ _tag: "BeginDelete" }) },
  { weight: 1, arbitrary: fc.constant<Step>({ _tag: "FinishDelete" }) },
  { weight: 8, arbitrary: fc.record({ _tag: fc.constant("Claim" as const), job: recent, ended: fc.boolean() }) },
  {
    weight: 10,
    arbitrary: fc.record({ _tag: fc.constant("Say" as const), lease: recent, command: fc.constantFrom(...workerCommands) })
  },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Heartbeat" as const), lease: recent }) },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("Expire" as const), job: recent, attempt }) },
  { weight: 1, arbitrary: fc.record({ _tag: fc.constant("Cancel" as const), job: recent }) },
  {
    weight: 2,
    arbitrary: fc.record({
      _tag: fc.constant("RunEnded" as const),
      job: recent,
      run: fc.constantFrom("owner 0", "owner 1", "owner 2", "run 0", "run 1", "run 2"),
      counted: fc.boolean()
    })
  },
  {
    weight: 4,
    arbitrary: fc.record({ _tag: fc.constant("BeginSubmission" as const), job: recent, findableAfter: fc.constantFrom(-hour, hour) })
  },
  {
    weight: 3,
    arbitrary: fc.record({
      _tag: fc.constantFrom("RecordSubmission" as const, "DropSubmission" as const),
      job: recent,
      submission: fc.integer({ min: 1, max: 3 })
    })
  },
  { weight: 2, arbitrary: fc.record({ _tag: fc.constant("MarkDispatched" as const), job: recent, attempt }) }
)

const times = new Set(["createdAt", "updatedAt", "runAfter", "dispatchedAt", "submittingSince", "leaseUntil", "deletedAt", "until"])

/**
 * Two clocks differ, and so do two sequences of ids: of a time only whether there is one counts, of the video's id
 * nothing.
 */
const comparable = (value: unknown, videoId: VideoId): unknown =>
  structuredClone(JSON.parse(JSON.stringify(value ?? null, (key, field: unknown) =>
    times.has(key)
      ? field === null ? null : "a time"
      : (key === "videoId" || key === "id") && field === videoId
      ? "the video"
      : field)))

/** Says the same to a store as to every other, and notes each answer and the rows after it. */
const run = (
  store: JobStore["Service"],
  open: JobRecorder["Service"]["commit"],
  tenant: TenantId,
  jobIds: ReadonlyArray<JobId>,
  steps: ReadonlyArray<Step>
) =>
  Effect.gen(function*() {
    const { video: { id: videoId } } = yield* open(store.createVideo(tenant, {
      title: "강의",
      filename: "f.mp4",
      contentType: "video/mp4",
      session: "1학기",
      fileKey: "k"
    }))
    const unused = [...jobIds]
    const jobs: Array<JobId> = []
    const leases: Array<Lease> = []
    const newest = <A>(list: ReadonlyArray<A>, back: number): A | undefined => list[list.length - 1 - (back % Math.max(1, list.length))]
    const imported = unused.shift() ?? newJobId()
    yield* store.createJob(tenant, { id: imported, kind: "student_import", payload: { n: 1 } })
    jobs.push(imported)

    const beginEncode = <A, E>(f: (jobId: JobId) => Effect.Effect<A, E>) =>
      Effect.suspend(() => {
        const jobId = unused.shift() ?? newJobId()
        return Effect.tap(f(jobId), () => Effect.sync(() => jobs.push(jobId)))
      })

    const perform = (step: Step): Effect.Effect<unknown, { readonly _tag: string }> => {
      switch (step._tag) {
        case "CompleteUpload":
          return beginEncode((jobId) => open(store.completeUpload(tenant, videoId, { jobId, fileSize: 9 })))
        case "Retry":
          return beginEncode((jobId) => open(store.retryEncode(tenant, videoId, jobId)))
        case "BeginDelete":
          return open(store.beginDelete(tenant, videoId))
        case "FinishDelete":
          return store.finishDelete(tenant, videoId)
        case "Claim": {
          const request = { owner: `owner ${leases.length}`, leaseMillis: step.ended ? -1_000 : hour }
          return Effect.map(store.claim(tenant, newest(jobs, step.job) ?? imported, request), (claim) => {
            if (claim._tag === "Claimed") leases.push(claim.lease)
            return "receipt" in claim ? claim._tag : claim
          })
        }
        case "Say": {
          const lease = newest(leases, step.lease)
          return lease === undefined ? Effect.succeed("no lease") : open(store.transition(lease, step.command))
        }
        case "Heartbeat": {
          const lease = newest(leases, step.lease)
          return lease === undefined ? Effect.succeed("no lease") : store.heartbeat(lease, hour)
        }
        case "BeginSubmission": {
          const ref = { tenantId: tenant, jobId: newest(jobs, step.job) ?? imported }
          return Effect.flatMap(
            store.getJob(tenant, ref.jobId),
            ({ job }) => store.beginSubmission(ref, job, step.findableAfter)
          )
        }
        case "RecordSubmission":
        case "DropSubmission": {
          const ref = { tenantId: tenant, jobId: newest(jobs, step.job) ?? imported }
          return step._tag === "DropSubmission"
            ? store.dropSubmission(ref, step.submission)
            : store.recordSubmission(ref, step.submission, `run ${step.submission}`)
        }
        case "Expire":
        case "RunEnded":
        case "Cancel": {
          const ref = { tenantId: tenant, jobId: newest(jobs, step.job) ?? imported }
          return Effect.flatMap(
            store.intervene(
              ref,
              step._tag === "Cancel"
                ? { _tag: "Cancel", message: "취소" }
                : step._tag === "RunEnded"
                ? { _tag: "RunEnded", runId: step.run, reason: "멈춤", counted: step.counted }
                : { _tag: "Expire", attempt: step.attempt, message: "멈춤" }
            ),
            (receipt): Effect.Effect<unknown> => receipt === null ? Effect.succeed("too late") : open(Effect.succeed(receipt))
          )
        }
        case "MarkDispatched":
          return store.markDispatched(
            { tenantId: tenant, jobId: newest(jobs, step.job) ?? imported },
            step.attempt,
            `run ${step.attempt}`
          )
      }
    }

    const settled = <A>(asked: Effect.Effect<A, { readonly _tag: string }>) =>
      Effect.match(asked, {
        onSuccess: (answer) => comparable(answer, videoId),
        onFailure: (error) => comparable({ failed: error._tag, ...error, cause: undefined }, videoId)
      })

    const trace: Array<unknown> = []
    for (const step of steps) {
      const answer = yield* settled(perform(step))
      const rows = yield* Effect.forEach(jobs, (jobId) => settled(store.getJob(tenant, jobId)))
      trace.push({ step, answer, rows, video: yield* settled(store.getVideo(tenant, videoId)) })
    }
    return trace
  })

const model = Layer.build(Layer.fresh(JobStoreMemory.layerWith(conformancePolicy)))

/** `runs` sequences of up to 25 steps; the store is a layer with `conformancePolicy`. */
export const jobStoreModelSuite = <E>(name: string, store: Layer.Layer<JobStore, E>, runs: number): void => {
  const provided = JobRecorder.layer.pipe(Layer.provide(ProgressMirrorMemory.layer), Layer.provideMerge(store))

  layer(provided, { excludeTestServices: true })(`JobStore beside its model: ${name}`, (it) => {
    it.effect("answers and keeps what the model does, whatever is said", () =>
      Effect.gen(function*() {
        const store = yield* JobStore
        const expected = Context.get(yield* model, JobStore)
        const { commit } = yield* JobRecorder
        const promise = Effect.runPromiseWith(yield* Effect.context())
        yield* Effect.promise(() =>
          fc.assert(
            fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 25 }), async (steps) => {
              const tenant = newTenant()
              const jobIds = Array.from({ length: 30 }, newJobId)
              assert.deepStrictEqual(
                await promise(run(store, commit, tenant, jobIds, steps)),
                await promise(run(expected, commit, tenant, jobIds, steps))
              )
            }),
            { numRuns: runs }
          )
        )
      }))
  })
}
