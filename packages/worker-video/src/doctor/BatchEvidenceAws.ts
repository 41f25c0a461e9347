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
import { type AwsClientOptions, clientConfig } from "@lectern/adapters/aws"
import { batchJobName, containerVariables, firstChild } from "@lectern/adapters/batch"
import { JobId } from "@lectern/domain"
import { Clock, Effect, Layer, Option, Result, Schema } from "effect"
import { tellingState } from "./arrayChildren.ts"
import { ask, missingAnswer, together } from "./AwsQuestion.ts"
import { BatchEvidence } from "./BatchEvidence.ts"
import { type Evidence, type Job, type MissingAnswer, withoutSecrets } from "./Evidence.ts"
import { lookAround } from "./lookAround.ts"

/** How many jobs one DescribeJobs may ask for. */
const describePage = 100

/** A look ends: our names begin with 8 characters of a random id, so that more pages than these hold strangers. */
const maxPages = 20

const belongsTo = (job: Job, jobId: string): boolean =>
  job.container?.environment?.some(({ name, value }) => name === containerVariables.jobId && value === jobId) === true

/** Looks at Batch through the SDK, which names every field; old `aws` programs drop some without a word. */
export const layer = (options: AwsClientOptions): Layer.Layer<BatchEvidence> =>
  Layer.effect(
    BatchEvidence,
    Effect.gen(function*() {
      const batch = yield* Effect.acquireRelease(
        Effect.sync(() => new BatchClient(clientConfig(options))),
        (client) => Effect.sync(() => client.destroy())
      )
      const around = yield* lookAround(options)

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

      /** The child that has most to say about its array, if there is one. */
      const tellingChild = Effect.fnUntraced(function*(job: Job) {
        const jobStatus = tellingState(job)
        if (jobStatus === null || job.jobId == null) return {} satisfies Evidence
        const arrayJobId = job.jobId
        const listed = yield* Effect.result(Effect.tryPromise({
          try: (abortSignal) => batch.send(new ListJobsCommand({ arrayJobId, jobStatus }), { abortSignal }),
          catch: (cause) => missingAnswer("ListJobs", cause)
        }))
        if (Result.isFailure(listed)) return { missing: [listed.failure] } satisfies Evidence
        const child = firstChild((listed.success.jobSummaryList ?? []).flatMap(({ jobId }) => jobId ?? []))
        return child === null ? {} satisfies Evidence : yield* describeJobs([child])
      })

      const deployedAs = Effect.fnUntraced(function*(
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
          const itself = found.describeJobs?.jobs?.[0]
          if (itself === undefined) return yield* collected([{ askedFor: asked }, found])
          const told = yield* tellingChild(itself)
          const children = told.describeJobs?.jobs ?? []
          const job = children[0] ?? itself
          const queue = job.jobQueue ?? names.jobQueue
          const deployed = yield* deployedAs(
            queue,
            job.jobDefinition == null ? { name: names.jobDefinition } : { revision: job.jobDefinition }
          )
          const snapshot = job.status !== "RUNNABLE" ? {} : yield* ask(
            "GetJobQueueSnapshot",
            (abortSignal) => batch.send(new GetJobQueueSnapshotCommand({ jobQueue: queue }), { abortSignal }),
            (getJobQueueSnapshot) => ({ getJobQueueSnapshot })
          )
          return yield* collected([
            { askedFor: asked },
            found,
            { ...told, describeJobs: { jobs: [...(found.describeJobs?.jobs ?? []), ...children] } },
            deployed,
            snapshot,
            yield* around(job, deployed.describeComputeEnvironments?.computeEnvironments ?? [], names)
          ])
        }),
        ofSetup: Effect.fn("BatchEvidence.ofSetup")(function*(names) {
          return yield* collected([yield* deployedAs(names.jobQueue, { name: names.jobDefinition })])
        })
      })
    })
  )
