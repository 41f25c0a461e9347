import {
  BatchClient,
  DescribeComputeEnvironmentsCommand,
  DescribeJobDefinitionsCommand,
  DescribeJobQueuesCommand,
  DescribeJobsCommand,
  GetJobQueueSnapshotCommand,
  ListJobsCommand
} from "@aws-sdk/client-batch"
import sdk from "@aws-sdk/client-batch/package.json" with { type: "json" }
import { batchJobName, containerVariables } from "@lectern/adapters/batch"
import { JobId } from "@lectern/domain"
import { Clock, Effect, Layer, Option, Redacted, Result, Schema } from "effect"
import { BatchEvidence } from "./BatchEvidence.ts"
import { Evidence, type Job, type MissingAnswer, withoutSecrets } from "./Evidence.ts"

export interface BatchEvidenceAwsOptions {
  /** Where it is not given, the SDK looks into the environment and its configuration files, as for what follows. */
  readonly region?: string
  readonly endpoint?: string
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: Redacted.Redacted<string> }
  /** How long one attempt of a call may take, in milliseconds; 10,000 by default. */
  readonly requestTimeoutMillis?: number
  /** How often a call is tried in all; 3 by default. */
  readonly maxAttempts?: number
}

/** How many jobs one DescribeJobs may ask for. */
const describePage = 100

/** A look ends: our names begin with 8 characters of a random id, so that more pages than these hold strangers. */
const maxPages = 20

const Fault = Schema.Struct({
  name: Schema.String,
  message: Schema.String,
  $metadata: Schema.optional(Schema.Struct({ httpStatusCode: Schema.optional(Schema.Finite) }))
})
const asFault = Schema.decodeUnknownOption(Fault)

/** Names under which AWS says that it does not know who is asking. */
const credentialFaults: ReadonlySet<string> = new Set([
  "CredentialsProviderError",
  "UnrecognizedClientException",
  "InvalidSignatureException",
  "IncompleteSignature",
  "IncompleteSignatureException",
  "InvalidClientTokenId",
  "ExpiredToken",
  "ExpiredTokenException",
  "MissingAuthenticationToken",
  "MissingAuthenticationTokenException"
])
const throttling = /^(Throttl|TooManyRequests|RequestLimitExceeded|SlowDown)/

/** What kind of silence it was. A refusal is never "there is no such job" (INCIDENTS.md, 16). */
const missingAnswer = (call: string, cause: unknown): MissingAnswer =>
  Option.match(asFault(cause), {
    onNone: () => ({ call, kind: "unreachable", fault: "unknown", message: String(cause) }),
    onSome: ({ $metadata, message, name }) => {
      const status = $metadata?.httpStatusCode
      const kind = credentialFaults.has(name) || /region is missing/i.test(message)
        ? "configuration"
        : throttling.test(name) || status === undefined || status >= 500 || status === 408 || status === 429
        ? "unreachable"
        : status === 401 || status === 403 || name.startsWith("AccessDenied")
        ? "refused"
        : "rejected"
      return { call, kind, fault: name, message }
    }
  })

const decodeEvidence = Schema.decodeUnknownEffect(Evidence)

/** An answer that is not of the shape of the service is no answer. */
const part = (call: string, fields: unknown): Effect.Effect<Evidence> =>
  decodeEvidence(fields).pipe(
    Effect.catch((error) =>
      Effect.succeed<Evidence>({ missing: [{ call, kind: "unreachable", fault: "UnexpectedAnswer", message: error.message }] })
    )
  )

/** Evidence of several calls as one; of the same answer the later stays. */
const together = (parts: ReadonlyArray<Evidence>): Evidence => ({
  ...parts.reduce((all, part) => ({ ...all, ...part }), {}),
  missing: parts.flatMap(({ missing }) => missing ?? [])
})

const belongsTo = (job: Job, jobId: string): boolean =>
  job.container?.environment?.some(({ name, value }) => name === containerVariables.jobId && value === jobId) === true

/** Looks at Batch through the SDK, which names every field; old `aws` programs drop some without a word. */
export const layer = (options: BatchEvidenceAwsOptions): Layer.Layer<BatchEvidence> =>
  Layer.effect(
    BatchEvidence,
    Effect.gen(function*() {
      const requestTimeout = options.requestTimeoutMillis ?? 10_000
      const batch = yield* Effect.acquireRelease(
        Effect.sync(() =>
          new BatchClient({
            ...(options.region === undefined ? {} : { region: options.region }),
            ...(options.endpoint === undefined ? {} : { endpoint: options.endpoint }),
            ...(options.credentials === undefined ? {} : {
              credentials: {
                accessKeyId: options.credentials.accessKeyId,
                secretAccessKey: Redacted.value(options.credentials.secretAccessKey)
              }
            }),
            maxAttempts: options.maxAttempts ?? 3,
            requestHandler: {
              connectionTimeout: Math.min(requestTimeout, 3_000),
              requestTimeout,
              // Without it the SDK only warns when the time is over.
              throwOnRequestTimeout: true
            }
          })
        ),
        (client) => Effect.sync(() => client.destroy())
      )

      /** One call's answer under the field of the evidence that it fills, or that it has none. */
      const ask = <A>(call: string, send: (abortSignal: AbortSignal) => Promise<A>, fields: (answer: A) => unknown) =>
        Effect.tryPromise({ try: (signal) => send(signal), catch: (cause) => missingAnswer(call, cause) }).pipe(
          Effect.matchEffect({
            onFailure: (missing) => Effect.succeed<Evidence>({ missing: [missing] }),
            onSuccess: (answer) => part(call, fields(answer))
          })
        )

      const describeJobs = (jobs: ReadonlyArray<string>) =>
        ask(
          "DescribeJobs",
          (abortSignal) => batch.send(new DescribeJobsCommand({ jobs: [...jobs] }), { abortSignal }),
          (describeJobs) => ({ describeJobs })
        )

      /** The ids of the runs with our job's name; the filter makes Batch look through every status. */
      const runsNamed = Effect.fnUntraced(function*(jobName: string, jobQueue: string) {
        const ids: Array<string> = []
        let nextToken: string | undefined
        for (let page = 0; page < maxPages; page++) {
          const token = nextToken
          const answer = yield* Effect.result(Effect.tryPromise({
            try: (abortSignal) =>
              batch.send(
                new ListJobsCommand({
                  jobQueue,
                  filters: [{ name: "JOB_NAME", values: [jobName] }],
                  ...(token === undefined ? {} : { nextToken: token })
                }),
                { abortSignal }
              ),
            catch: (cause) => missingAnswer("ListJobs", cause)
          }))
          if (Result.isFailure(answer)) return { ids, missing: [answer.failure] }
          ids.push(...(answer.success.jobSummaryList ?? []).flatMap(({ jobId }) => jobId === undefined ? [] : [jobId]))
          nextToken = answer.success.nextToken
          if (nextToken === undefined || nextToken === "") break
        }
        return { ids, missing: [] }
      })

      /** The job by Batch's id, else the latest run of ours with that id in its environment. */
      const findJob = Effect.fnUntraced(function*(asked: string, jobQueue: string) {
        const direct = yield* describeJobs([asked])
        const ours = Schema.decodeUnknownOption(JobId)(asked)
        const answered = (direct.describeJobs?.jobs ?? []).length > 0 || (direct.missing ?? []).length > 0
        if (answered || Option.isNone(ours)) return direct
        const { ids, missing } = yield* runsNamed(batchJobName(ours.value), jobQueue)
        const found: Array<Job> = []
        const unanswered: Array<MissingAnswer> = [...missing]
        for (let start = 0; start < ids.length; start += describePage) {
          const described = yield* describeJobs(ids.slice(start, start + describePage))
          found.push(...(described.describeJobs?.jobs ?? []).filter((job) => belongsTo(job, asked)))
          unanswered.push(...(described.missing ?? []))
        }
        return {
          describeJobs: { jobs: found.toSorted((a, b) => (b.createdAt ?? 0) - (a.createdAt ?? 0)) },
          missing: unanswered
        } satisfies Evidence
      })

      const around = Effect.fnUntraced(function*(
        jobQueue: string,
        definition: { readonly revision: string } | { readonly name: string }
      ) {
        const queues = yield* ask(
          "DescribeJobQueues",
          (abortSignal) => batch.send(new DescribeJobQueuesCommand({ jobQueues: [jobQueue] }), { abortSignal }),
          (describeJobQueues) => ({ describeJobQueues })
        )
        const environments = (queues.describeJobQueues?.jobQueues ?? []).flatMap((queue) =>
          (queue.computeEnvironmentOrder ?? []).flatMap(({ computeEnvironment }) =>
            computeEnvironment == null ? [] : [computeEnvironment]
          )
        )
        const definitions = ask(
          "DescribeJobDefinitions",
          (abortSignal) =>
            batch.send(
              new DescribeJobDefinitionsCommand(
                "revision" in definition
                  ? { jobDefinitions: [definition.revision] }
                  : { jobDefinitionName: definition.name, status: "ACTIVE" }
              ),
              { abortSignal }
            ),
          (describeJobDefinitions) => ({ describeJobDefinitions })
        )
        const described = environments.length === 0 ? Effect.succeed<Evidence>({}) : ask(
          "DescribeComputeEnvironments",
          (abortSignal) =>
            batch.send(new DescribeComputeEnvironmentsCommand({ computeEnvironments: environments }), { abortSignal }),
          (describeComputeEnvironments) => ({ describeComputeEnvironments })
        )
        return together([queues, ...(yield* Effect.all([definitions, described], { concurrency: 2 }))])
      })

      const collected = Effect.fnUntraced(function*(parts: ReadonlyArray<Evidence>) {
        return withoutSecrets({
          ...together(parts),
          collectedAt: yield* Clock.currentTimeMillis,
          collectedWith: `@aws-sdk/client-batch ${sdk.version}`
        })
      })

      return BatchEvidence.of({
        ofJob: Effect.fn("BatchEvidence.ofJob")(function*(asked, names) {
          const found = yield* findJob(asked, names.jobQueue)
          const job = found.describeJobs?.jobs?.[0]
          if (job === undefined) return yield* collected([{ askedFor: asked }, found])
          const queue = job.jobQueue ?? names.jobQueue
          const surroundings = yield* around(
            queue,
            job.jobDefinition == null ? { name: names.jobDefinition } : { revision: job.jobDefinition }
          )
          const snapshot = job.status !== "RUNNABLE" ? {} : yield* ask(
            "GetJobQueueSnapshot",
            (abortSignal) => batch.send(new GetJobQueueSnapshotCommand({ jobQueue: queue }), { abortSignal }),
            (getJobQueueSnapshot) => ({ getJobQueueSnapshot })
          )
          return yield* collected([{ askedFor: asked }, found, surroundings, snapshot])
        }),
        ofSetup: Effect.fn("BatchEvidence.ofSetup")(function*(names) {
          return yield* collected([yield* around(names.jobQueue, { name: names.jobDefinition })])
        })
      })
    })
  )
