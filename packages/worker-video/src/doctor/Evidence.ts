/**
 * What is known about a job of AWS Batch: the answers of the describe calls as AWS gives them, and the calls that gave none.
 *
 * The same shape is a bundle's file (`--save`, `--bundle`) and what the live look returns, so that a diagnosis can be repeated
 * without credentials. Everything is optional: a bundle may have been put together by hand with the `aws` program.
 */
import { containerVariables } from "@lectern/adapters/batch"
import { Schema } from "effect"

const field = <S extends Schema.Top>(schema: S) => Schema.optional(Schema.NullOr(schema))
const list = <S extends Schema.Top>(schema: S) => field(Schema.Array(schema))
const text = field(Schema.String)
const number = field(Schema.Finite)
const flag = field(Schema.Boolean)
const texts = list(Schema.String)
const dictionary = field(Schema.Record(Schema.String, Schema.NullOr(Schema.String)))

const ContainerEnd = Schema.Struct({
  exitCode: number,
  reason: text,
  logStreamName: text,
  taskArn: text,
  containerInstanceArn: text
})

const Attempt = Schema.Struct({
  container: field(ContainerEnd),
  startedAt: number,
  stoppedAt: number,
  statusReason: text
})
export type Attempt = typeof Attempt.Type

const EnvironmentVariable = Schema.Struct({ name: text, value: text })

/** What a definition asks for and a job has got. */
const containerFields = {
  image: text,
  command: texts,
  vcpus: number,
  memory: number,
  resourceRequirements: list(Schema.Struct({ type: text, value: text })),
  environment: list(EnvironmentVariable),
  secrets: list(Schema.Struct({ name: text, valueFrom: text })),
  jobRoleArn: text,
  executionRoleArn: text,
  readonlyRootFilesystem: flag,
  runtimePlatform: field(Schema.Struct({ cpuArchitecture: text, operatingSystemFamily: text })),
  logConfiguration: field(Schema.Struct({ logDriver: text, options: dictionary }))
}

const Container = Schema.Struct({ ...containerFields, ...ContainerEnd.fields })
export type Container = typeof Container.Type

const ContainerProperties = Schema.Struct(containerFields)
export type ContainerProperties = typeof ContainerProperties.Type

const RetryRule = Schema.Struct({ onExitCode: text, onReason: text, onStatusReason: text, action: text })
export type RetryRule = typeof RetryRule.Type

const RetryStrategy = Schema.Struct({ attempts: number, evaluateOnExit: list(RetryRule) })
const Timeout = Schema.Struct({ attemptDurationSeconds: number })

const Job = Schema.Struct({
  jobId: text,
  jobName: text,
  jobArn: text,
  jobQueue: text,
  jobDefinition: text,
  status: text,
  statusReason: text,
  createdAt: number,
  startedAt: number,
  stoppedAt: number,
  attempts: list(Attempt),
  container: field(Container),
  retryStrategy: field(RetryStrategy),
  timeout: field(Timeout),
  dependsOn: list(Schema.Struct({ jobId: text, type: text })),
  arrayProperties: field(Schema.Struct({
    size: number,
    index: number,
    statusSummary: field(Schema.Record(Schema.String, Schema.NullOr(Schema.Finite)))
  })),
  platformCapabilities: texts,
  tags: dictionary,
  propagateTags: flag,
  isCancelled: flag,
  isTerminated: flag
})
export type Job = typeof Job.Type

const JobQueue = Schema.Struct({
  jobQueueName: text,
  jobQueueArn: text,
  state: text,
  status: text,
  statusReason: text,
  priority: number,
  computeEnvironmentOrder: list(Schema.Struct({ order: number, computeEnvironment: text })),
  jobStateTimeLimitActions: list(Schema.Struct({ reason: text, state: text, maxTimeSeconds: number, action: text }))
})
export type JobQueue = typeof JobQueue.Type

const ComputeResources = Schema.Struct({
  type: text,
  allocationStrategy: text,
  minvCpus: number,
  maxvCpus: number,
  desiredvCpus: number,
  instanceTypes: texts,
  subnets: texts,
  securityGroupIds: texts,
  instanceRole: text,
  spotIamFleetRole: text,
  imageId: text,
  ec2Configuration: list(Schema.Struct({ imageType: text, imageIdOverride: text })),
  launchTemplate: field(Schema.Struct({ launchTemplateId: text, launchTemplateName: text, version: text }))
})

const ComputeEnvironment = Schema.Struct({
  computeEnvironmentName: text,
  computeEnvironmentArn: text,
  type: text,
  state: text,
  status: text,
  statusReason: text,
  serviceRole: text,
  ecsClusterArn: text,
  computeResources: field(ComputeResources)
})
export type ComputeEnvironment = typeof ComputeEnvironment.Type

const JobDefinition = Schema.Struct({
  jobDefinitionName: text,
  jobDefinitionArn: text,
  revision: number,
  status: text,
  type: text,
  retryStrategy: field(RetryStrategy),
  timeout: field(Timeout),
  containerProperties: field(ContainerProperties),
  platformCapabilities: texts,
  tags: dictionary,
  propagateTags: flag
})
export type JobDefinition = typeof JobDefinition.Type

/** A call that gave no answer. It says nothing about what was asked for: "refused" is never "not found" (INCIDENTS.md, 16). */
const MissingAnswer = Schema.Struct({
  call: Schema.String,
  kind: Schema.Literals([
    /** There are no credentials, or no valid ones, or no region. */
    "configuration",
    /** The caller may not ask this. */
    "refused",
    /** The question was not understood. */
    "rejected",
    /** No answer in time, throttled, or a fault of the service: a later call may have one. */
    "unreachable"
  ]),
  fault: Schema.String,
  message: Schema.String
})
export type MissingAnswer = typeof MissingAnswer.Type

/** What our database kept of what Batch said of a run. */
const SeenInHistory = Schema.Struct({
  runId: text,
  status: text,
  statusReason: text,
  containerReason: text,
  exitCode: number,
  logStream: text,
  firstSeenAt: number,
  lastSeenAt: number
})
export type SeenInHistory = typeof SeenInHistory.Type

/** What was found about a job and what stands around it. Times are milliseconds since 1970, as Batch gives them. */
export const Evidence = Schema.Struct({
  /** What was asked for: our job's id, or Batch's. */
  askedFor: text,
  collectedAt: number,
  /** The program that asked: old ones drop fields without a word. */
  collectedWith: text,
  describeJobs: field(Schema.Struct({ jobs: list(Job) })),
  /** By status; only the names and ids are looked at. */
  listJobs: field(Schema.Record(
    Schema.String,
    Schema.NullOr(Schema.Struct({ jobSummaryList: list(Schema.Struct({ jobId: text, jobName: text, status: text })) }))
  )),
  describeJobQueues: field(Schema.Struct({ jobQueues: list(JobQueue) })),
  describeComputeEnvironments: field(Schema.Struct({ computeEnvironments: list(ComputeEnvironment) })),
  describeJobDefinitions: field(Schema.Struct({ jobDefinitions: list(JobDefinition) })),
  getJobQueueSnapshot: field(Schema.Struct({
    frontOfQueue: field(Schema.Struct({
      jobs: list(Schema.Struct({ jobArn: text, earliestTimeAtPosition: number })),
      lastUpdatedAt: number
    }))
  })),
  /** The last lines of the job's log, oldest first. */
  logTail: texts,
  /** `aws autoscaling describe-scaling-activities`. */
  scalingActivities: field(Schema.Struct({
    Activities: list(Schema.Struct({ StatusCode: text, StatusMessage: text, Cause: text, Description: text }))
  })),
  /** `aws ecs describe-clusters`. */
  describeClusters: field(Schema.Struct({
    clusters: list(Schema.Struct({ clusterArn: text, registeredContainerInstancesCount: number, runningTasksCount: number }))
  })),
  /** `aws ecs describe-container-instances`. */
  describeContainerInstances: field(Schema.Struct({
    containerInstances: list(Schema.Struct({ ec2InstanceId: text, agentConnected: flag, status: text }))
  })),
  /** `aws ecs describe-tasks`; ECS keeps a stopped task for an hour. */
  describeTasks: field(Schema.Struct({
    tasks: list(Schema.Struct({
      taskArn: text,
      lastStatus: text,
      stopCode: text,
      stoppedReason: text,
      containers: list(Schema.Struct({ name: text, exitCode: number, reason: text }))
    }))
  })),
  /** What our database kept of what Batch said before, oldest first. */
  history: list(SeenInHistory),
  /** `aws logs describe-log-groups`. */
  describeLogGroups: field(Schema.Struct({
    logGroups: list(Schema.Struct({ logGroupName: text, retentionInDays: number }))
  })),
  /** For which platforms an image was built, such as `linux/arm64`. */
  images: list(Schema.Struct({ image: Schema.String, platforms: Schema.Array(Schema.String) })),
  /** Launch templates with their user data as text. */
  launchTemplates: list(Schema.Struct({ launchTemplateName: text, launchTemplateId: text, userData: text })),
  missing: list(MissingAnswer)
})
export type Evidence = typeof Evidence.Type

const shownVariables: ReadonlySet<string> = new Set(Object.values(containerVariables))

const withoutValues = <C extends ContainerProperties>(container: C): C => ({
  ...container,
  ...(container.environment == null ? {} : {
    environment: container.environment.map((variable) =>
      shownVariables.has(variable.name ?? "") ? variable : { name: variable.name }
    )
  })
})

/** What a program wrote may hold an address with its password. */
const withoutPasswords = (line: string): string => line.replaceAll(/:\/\/[^\s/@]+@/g, "://***@")

/**
 * The same evidence without what may be a secret: of a container's environment the names stay, and the values of our
 * ids; in lines of the log, addresses lose their user and password.
 */
export const withoutSecrets = (evidence: Evidence): Evidence => ({
  ...evidence,
  ...(evidence.logTail == null ? {} : { logTail: evidence.logTail.map(withoutPasswords) }),
  ...(evidence.describeJobs?.jobs == null ? {} : {
    describeJobs: {
      jobs: evidence.describeJobs.jobs.map((job) =>
        job.container == null ? job : { ...job, container: withoutValues(job.container) }
      )
    }
  }),
  ...(evidence.describeJobDefinitions?.jobDefinitions == null ? {} : {
    describeJobDefinitions: {
      jobDefinitions: evidence.describeJobDefinitions.jobDefinitions.map((definition) =>
        definition.containerProperties == null
          ? definition
          : { ...definition, containerProperties: withoutValues(definition.containerProperties) }
      )
    }
  })
})

const Bundle = Schema.fromJsonString(Evidence)

/** Reads a bundle. Fails with what is wrong in it and where. */
export const decodeBundle = Schema.decodeUnknownEffect(Bundle)

/** A bundle as the text of a file, without what may be a secret. */
export const encodeBundle = (evidence: Evidence): string =>
  `${JSON.stringify(withoutSecrets(evidence), null, 2)}\n`

/** Whether there is anything in it: any JSON object is a bundle, most of them an empty one. */
export const isEmpty = (evidence: Evidence): boolean =>
  evidence.describeJobs == null && (evidence.missing ?? []).length === 0
