/** The names that AWS gives resources, as far as roles speak of them. */
import type { QueueNames } from "@lectern/adapters/sqs"
import { operationsNames, queueNames, videoNames } from "./InfraNames.ts"

/** Where the resources are: CloudFormation's pseudo parameters in a template, words in a document. */
export interface Place {
  readonly partition: string
  readonly region: string
  readonly account: string
  /** The full ARN of the one secret with the services' addresses and keys. */
  readonly secret: string
}

export const arnsIn = ({ account, partition, region, secret }: Place) => {
  const arn = (service: string, resource: string): string =>
    `arn:${partition}:${service}:${region}:${account}:${resource}`
  const logGroup = (name: string): ReadonlyArray<string> => [
    arn("logs", `log-group:${name}`),
    // Both forms: some actions are checked against the group, others against its streams.
    arn("logs", `log-group:${name}:*`)
  ]
  const definition = (name: string): ReadonlyArray<string> => [
    arn("batch", `job-definition/${name}`),
    arn("batch", `job-definition/${name}:*`)
  ]
  const queues = (pick: (names: QueueNames) => string): ReadonlyArray<string> =>
    queueNames.map((names) => arn("sqs", pick(names)))
  return {
    secret,
    videoLogGroup: logGroup(videoNames.logGroup),
    operationsLogGroup: logGroup(operationsNames.logGroup),
    images: [videoNames.repository, operationsNames.repository].map((name) => arn("ecr", `repository/${name}`)),
    videoQueue: arn("batch", `job-queue/${videoNames.jobQueue}`),
    videoDefinition: definition(videoNames.jobDefinition),
    operationsQueue: arn("batch", `job-queue/${operationsNames.jobQueue}`),
    operationsDefinition: definition(operationsNames.jobDefinition),
    anyBatchJob: arn("batch", "job/*"),
    batchClusters: ["cluster", "container-instance", "task"].map((kind) => arn("ecs", `${kind}/AWSBatch-*`)),
    anyLogGroup: arn("logs", "log-group:*"),
    queues: queues(({ queue }) => queue),
    probeQueues: queues(({ queue }) => `${queue}-*-ready`),
    deadLetterQueues: queues(({ deadLetterQueue }) => deadLetterQueue)
  }
}
export type Arns = ReturnType<typeof arnsIn>
