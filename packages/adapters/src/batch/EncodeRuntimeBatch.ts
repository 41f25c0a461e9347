import {
  BatchClient,
  DescribeJobsCommand,
  type JobDetail,
  type JobStatus,
  ListJobsCommand,
  type ListJobsRequest,
  SubmitJobCommand,
  TerminateJobCommand
} from "@aws-sdk/client-batch"
import {
  EncodeRuntime,
  EncodeRuntimeUnavailable,
  type EncodeRunState,
  type EncodeSubmission,
  type RunAtWork,
  type RunWords,
  SubmissionUncertain
} from "@lectern/domain"
import { Array as Arr, Effect, Layer, Option, Schedule } from "effect"
import {
  type AwsClientOptions,
  call,
  clientConfig,
  defaultMaxAttempts,
  didNothing,
  isRetryable,
  isThrottled
} from "../aws/index.ts"
import { batchJobName, containerVariables } from "./BatchNames.ts"
import { firstChild } from "./firstChild.ts"
import { submissionOf, submissionParametersOf } from "./SubmissionParameters.ts"

export interface EncodeRuntimeBatchOptions extends AwsClientOptions {
  readonly jobQueue: string
  readonly jobDefinition: string
  /** Milliseconds after which ListJobs shows what was submitted before; two minutes by default. */
  readonly findableAfterMillis?: number
}

/** Well above the time that a submission itself may take, and above what ListJobs was ever seen to lag behind. */
const defaultFindableAfterMillis = 120_000

/** How many jobs one DescribeJobs may ask for. */
const describePage = 100

/** Batch takes so many characters of a reason. */
const maxReasonLength = 1024

const wordsOf = (job: JobDetail): RunWords => ({
  status: job.status ?? "",
  statusReason: job.statusReason ?? null,
  containerReason: job.container?.reason ?? null,
  exitCode: job.container?.exitCode ?? null,
  logStream: job.container?.logStreamName ?? null
})

/** Both reasons: "Task failed to start" is one, and what is the matter is the other. */
const reasonOf = ({ containerReason, status, statusReason }: RunWords): string =>
  [statusReason, containerReason].filter((text) => text !== null && text !== "").join(": ") || status

/** The parent of an array never runs itself. */
const isAnyChildRunning = (job: JobDetail): boolean => (job.arrayProperties?.statusSummary?.["RUNNING"] ?? 0) > 0

/** `RUNNABLE` waits for capacity, however long that takes: it is no fault (INCIDENTS.md, 18). */
const stateOf = (job: JobDetail): EncodeRunState => {
  const words = wordsOf(job)
  switch (job.status) {
    case "SUBMITTED":
    case "PENDING":
    case "RUNNABLE":
    case "STARTING":
      return { _tag: isAnyChildRunning(job) ? "Running" : "Waiting", words }
    case "RUNNING":
      return { _tag: "Running", words }
    case "SUCCEEDED":
    case "FAILED":
      return { _tag: "Ended", exitCode: words.exitCode, reason: reasonOf(words), words }
    // A status that Batch has invented since says nothing to us.
    case undefined:
    default:
      return { _tag: "Unknown", words }
  }
}

const hasEnded = (job: JobDetail): boolean => job.status === "SUCCEEDED" || job.status === "FAILED"

/** Our names have 8 characters of a job's id: others may bear the same. */
const isOf = (submission: EncodeSubmission) => (job: JobDetail): boolean =>
  Object.entries(submissionParametersOf(submission)).every(([name, value]) => job.parameters?.[name] === value)

/** The statuses of what is at work: a parent stays PENDING for as long as its children are. */
const statusesAtWork: ReadonlyArray<JobStatus> = ["RUNNING", "PENDING"]

/** A job that is at work and ours, as the run that it is; a child goes with its parent, and what was told to stop will. */
const runAtWork = (job: JobDetail): ReadonlyArray<RunAtWork> => {
  const isItself = job.arrayProperties?.index === undefined && job.isTerminated !== true
  if (job.jobId === undefined || !isItself || stateOf(job)._tag !== "Running") return []
  const runId = job.jobId
  return Option.toArray(submissionOf(job.parameters)).map((submission) => ({ ...submission, runId }))
}

const isFailedArray = (job: JobDetail): boolean => job.status === "FAILED" && (job.arrayProperties?.size ?? 0) > 0

/**
 * Encodes as jobs of AWS Batch. A refusal, throttling or silence of Batch is `EncodeRuntimeUnavailable`, never an answer about a
 * job (INCIDENTS.md, 16); a job that Batch does not mention is `Unknown`: it forgets the ended ones after some days.
 *
 * SubmitJob has no token that would make a second call harmless. It is therefore never sent again by the SDK; after a refusal
 * that certainly did nothing, throttling that is, it is sent again here.
 */
export const layer = (options: EncodeRuntimeBatchOptions): Layer.Layer<EncodeRuntime> =>
  Layer.effect(
    EncodeRuntime,
    Effect.gen(function*() {
      const clientWith = (clientOptions: AwsClientOptions) =>
        Effect.acquireRelease(
          Effect.sync(() => new BatchClient(clientConfig(clientOptions))),
          (client) => Effect.sync(() => client.destroy())
        )
      const batch = yield* clientWith(options)
      const submitter = yield* clientWith({ ...options, maxAttempts: 1 })
      const throttledTimes = (options.maxAttempts ?? defaultMaxAttempts) - 1

      const unavailable = (operation: string) => (cause: unknown): EncodeRuntimeUnavailable =>
        new EncodeRuntimeUnavailable({ operation, retryable: isRetryable(cause), cause })

      const submit: EncodeRuntime["Service"]["submit"] = Effect.fn("EncodeRuntime.submit")(function*(submission) {
        const { arraySize, jobId, tenantId } = submission
        const operation = `submit job "${jobId}"`
        const { jobId: externalId } = yield* call(
          (abortSignal) =>
            submitter.send(
              new SubmitJobCommand({
                jobName: batchJobName(jobId),
                jobQueue: options.jobQueue,
                jobDefinition: options.jobDefinition,
                parameters: submissionParametersOf(submission),
                ...(arraySize === undefined ? {} : { arrayProperties: { size: arraySize } }),
                containerOverrides: {
                  environment: [
                    { name: containerVariables.jobId, value: jobId },
                    { name: containerVariables.tenantId, value: String(tenantId) }
                  ]
                }
              }),
              { abortSignal }
            ),
          (cause) => didNothing(cause) ? unavailable(operation)(cause) : new SubmissionUncertain({ operation, cause })
        ).pipe(Effect.retry({
          times: throttledTimes,
          schedule: Schedule.jittered(Schedule.exponential("100 millis")),
          while: (error) => error._tag === "EncodeRuntimeUnavailable" && isThrottled(error.cause)
        }))
        if (externalId === undefined) {
          return yield* new SubmissionUncertain({ operation, cause: new Error("The answer has no jobId") })
        }
        return externalId
      })

      const describeJobs = Effect.fnUntraced(function*(jobIds: ReadonlyArray<string>) {
        const described: Array<JobDetail> = []
        for (const ids of Arr.chunksOf(jobIds, describePage)) {
          const { jobs = [] } = yield* call(
            (abortSignal) => batch.send(new DescribeJobsCommand({ jobs: ids }), { abortSignal }),
            unavailable(`describe ${ids.length} jobs`)
          )
          described.push(...jobs)
        }
        return described
      })

      /** The ids of everything that a listing has. */
      const listJobs = Effect.fnUntraced(function*(what: string, request: ListJobsRequest) {
        const ids: Array<string> = []
        let nextToken: string | undefined
        do {
          const token = nextToken
          const page = yield* call(
            (abortSignal) =>
              batch.send(
                new ListJobsCommand({ ...request, ...(token === undefined ? {} : { nextToken: token }) }),
                { abortSignal }
              ),
            unavailable(`list ${what}`)
          )
          ids.push(...(page.jobSummaryList ?? []).flatMap(({ jobId }) => jobId === undefined ? [] : [jobId]))
          nextToken = page.nextToken === "" ? undefined : page.nextToken
        } while (nextToken !== undefined)
        return ids
      })

      /** The filter makes Batch look through every status, and through no children of arrays. */
      const jobsNamed = (name: string) =>
        listJobs(`the jobs named "${name}"`, {
          jobQueue: options.jobQueue,
          filters: [{ name: "JOB_NAME", values: [name] }]
        })

      /**
       * The job that says why a run failed. The parent of an array only says that a child did: the one to ask is the
       * first of those.
       */
      const failedOf = Effect.fnUntraced(function*(job: JobDetail) {
        if (job.jobId === undefined || !isFailedArray(job)) return job
        const failed = yield* listJobs(`the failed children of "${job.jobId}"`, {
          arrayJobId: job.jobId,
          jobStatus: "FAILED"
        })
        const first = firstChild(failed)
        return first === null ? job : (yield* describeJobs([first]))[0] ?? job
      })

      const find: EncodeRuntime["Service"]["find"] = Effect.fn("EncodeRuntime.find")(function*(submission) {
        const named = yield* describeJobs(yield* jobsNamed(batchJobName(submission.jobId)))
        return named
          .filter(isOf(submission))
          .toSorted((a, b) => Number(hasEnded(a)) - Number(hasEnded(b)) || (a.createdAt ?? 0) - (b.createdAt ?? 0))
          .flatMap(({ jobId }) => jobId === undefined ? [] : [jobId])
      })

      const describe: EncodeRuntime["Service"]["describe"] = Effect.fn("EncodeRuntime.describe")(function*(externalIds) {
        const states = new Map<string, EncodeRunState>(externalIds.map((id) => [id, { _tag: "Unknown" }]))
        for (const job of yield* describeJobs([...states.keys()])) {
          if (job.jobId !== undefined && states.has(job.jobId)) states.set(job.jobId, stateOf(yield* failedOf(job)))
        }
        return states
      })

      const atWork = Effect.gen(function*() {
        const listed = yield* Effect.forEach(statusesAtWork, (jobStatus) =>
          listJobs(`the jobs that are ${jobStatus}`, { jobQueue: options.jobQueue, jobStatus }))
        return (yield* describeJobs([...new Set(listed.flat())])).flatMap(runAtWork)
      }).pipe(Effect.withSpan("EncodeRuntime.atWork"))

      return EncodeRuntime.of({
        findableAfterMillis: options.findableAfterMillis ?? defaultFindableAfterMillis,
        submit,
        find,
        describe,
        atWork,
        // Not CancelJob: it leaves a job that has started alone, and answers success.
        terminate: Effect.fn("EncodeRuntime.terminate")(function*(externalId, reason) {
          yield* call(
            (abortSignal) =>
              batch.send(
                new TerminateJobCommand({ jobId: externalId, reason: reason.slice(0, maxReasonLength) }),
                { abortSignal }
              ),
            unavailable(`terminate run "${externalId}"`)
          )
        })
      })
    })
  )
