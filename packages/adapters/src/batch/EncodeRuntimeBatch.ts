import {
  BatchClient,
  DescribeJobsCommand,
  type JobDetail,
  SubmitJobCommand,
  TerminateJobCommand
} from "@aws-sdk/client-batch"
import { EncodeRuntime, EncodeRuntimeUnavailable, type EncodeRunState } from "@lectern/domain"
import { Array as Arr, Effect, Layer } from "effect"
import { type AwsClientOptions, call, clientConfig, isRetryable } from "../aws/AwsClient.ts"
import { batchJobName, containerVariables } from "./BatchNames.ts"

export interface EncodeRuntimeBatchOptions extends AwsClientOptions {
  readonly jobQueue: string
  readonly jobDefinition: string
}

/** How many jobs one DescribeJobs may ask for. */
const describePage = 100

/** Batch takes so many characters of a reason. */
const maxReasonLength = 1024

/** `RUNNABLE` waits for capacity, however long that takes: it is no fault (INCIDENTS.md, 18). */
const stateOf = (job: JobDetail): EncodeRunState => {
  switch (job.status) {
    case "SUBMITTED":
    case "PENDING":
    case "RUNNABLE":
    case "STARTING":
      return { _tag: "Waiting" }
    case "RUNNING":
      return { _tag: "Running" }
    case "SUCCEEDED":
    case "FAILED":
      return {
        _tag: "Ended",
        exitCode: job.container?.exitCode ?? null,
        reason: job.statusReason ?? job.container?.reason ?? job.status
      }
    // A status that Batch has invented since says nothing to us.
    case undefined:
    default:
      return { _tag: "Unknown" }
  }
}

/**
 * Encodes as jobs of AWS Batch. A refusal, throttling or silence of Batch is `EncodeRuntimeUnavailable`, never an answer about a
 * job (INCIDENTS.md, 16); a job that Batch does not mention is `Unknown`: it forgets the ended ones after some days.
 */
export const layer = (options: EncodeRuntimeBatchOptions): Layer.Layer<EncodeRuntime> =>
  Layer.effect(
    EncodeRuntime,
    Effect.gen(function*() {
      const batch = yield* Effect.acquireRelease(
        Effect.sync(() => new BatchClient(clientConfig(options))),
        (client) => Effect.sync(() => client.destroy())
      )

      const unavailable = (operation: string) => (cause: unknown): EncodeRuntimeUnavailable =>
        new EncodeRuntimeUnavailable({ operation, retryable: isRetryable(cause), cause })

      const submit: EncodeRuntime["Service"]["submit"] = Effect.fn("EncodeRuntime.submit")(function*({ jobId, tenantId }) {
        const operation = `submit job "${jobId}"`
        const { jobId: externalId } = yield* call(
          (abortSignal) =>
            batch.send(
              new SubmitJobCommand({
                jobName: batchJobName(jobId),
                jobQueue: options.jobQueue,
                jobDefinition: options.jobDefinition,
                parameters: { job_id: jobId },
                containerOverrides: {
                  environment: [
                    { name: containerVariables.jobId, value: jobId },
                    { name: containerVariables.tenantId, value: String(tenantId) }
                  ]
                }
              }),
              { abortSignal }
            ),
          unavailable(operation)
        )
        if (externalId === undefined) {
          return yield* new EncodeRuntimeUnavailable({
            operation,
            retryable: true,
            cause: new Error("The answer has no jobId")
          })
        }
        return externalId
      })

      const describe: EncodeRuntime["Service"]["describe"] = Effect.fn("EncodeRuntime.describe")(function*(externalIds) {
        const states = new Map<string, EncodeRunState>(externalIds.map((id) => [id, { _tag: "Unknown" }]))
        for (const ids of Arr.chunksOf([...states.keys()], describePage)) {
          const { jobs = [] } = yield* call(
            (abortSignal) => batch.send(new DescribeJobsCommand({ jobs: ids }), { abortSignal }),
            unavailable(`describe ${ids.length} jobs`)
          )
          for (const job of jobs) {
            if (job.jobId !== undefined && states.has(job.jobId)) states.set(job.jobId, stateOf(job))
          }
        }
        return states
      })

      return EncodeRuntime.of({
        submit,
        describe,
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
