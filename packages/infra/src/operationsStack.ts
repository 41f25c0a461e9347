/** The schedules of upkeep, on small machines of their own, and the policies of those who look after the rest. */
import { type App, Aws, CfnDeletionPolicy, Stack } from "aws-cdk-lib"
import { CfnComputeEnvironment, CfnJobDefinition, CfnJobQueue } from "aws-cdk-lib/aws-batch"
import { CfnLogGroup } from "aws-cdk-lib/aws-logs"
import { CfnSchedule } from "aws-cdk-lib/aws-scheduler"
import { batchVariables } from "@lectern/adapters/batch"
import { imageOf, logTo, secretsOf } from "./container.ts"
import {
  aiWorkerPolicy,
  deadLettersPolicy,
  doctorPolicy,
  executionRole,
  operationsRole,
  originPolicy,
  readinessPolicy,
  scheduleRole
} from "./grants.ts"
import { operationsNames, videoNames } from "./InfraNames.ts"
import { arrayParameters, imageTagParameter, networkParameters, secretParameter } from "./parameters.ts"
import { policyFor, roleFor } from "./role.ts"
import { stackProps } from "./stackProps.ts"

const logDays = 30

/** A pass ends long before the next; one that hangs is ended, and the single flight in the database holds off another meanwhile. */
const passSeconds = 240

interface Pass {
  readonly id: string
  readonly name: string
  readonly command: ReadonlyArray<string>
  readonly every: string
}

const passes: ReadonlyArray<Pass> = [
  { id: "Sweep", name: operationsNames.sweepSchedule, command: ["ops", "sweep"], every: "rate(2 minutes)" },
  { id: "Reconcile", name: operationsNames.reconcileSchedule, command: ["ops", "reconcile"], every: "rate(5 minutes)" }
]

const secretVariables = [
  "DATABASE_URL",
  "REDIS_URL",
  "R2_ENDPOINT",
  "R2_BUCKET",
  "R2_ACCESS_KEY",
  "R2_SECRET_KEY",
  "SQS_QUEUE_URL_LITE",
  "SQS_QUEUE_URL_BASIC",
  "SQS_QUEUE_URL_PREMIUM",
  "SQS_QUEUE_URL_MESSAGING"
]

/** Without the name of the queue the commands take it that there is no Batch, and without a region that it is elsewhere. */
const variables = [
  { name: "AWS_REGION", value: Aws.REGION },
  { name: batchVariables.jobQueue.name, value: videoNames.jobQueue },
  { name: batchVariables.jobDefinition.name, value: videoNames.jobDefinition }
]

export const operationsStack = (app: App): Stack => {
  const stack = new Stack(app, "lectern-operations", stackProps("Lectern: upkeep on a schedule"))
  const { securityGroups, subnets } = networkParameters(stack)
  const secret = secretParameter(stack)
  const tag = imageTagParameter(stack, "operations'")
  const { gigabytesPerContainer, maxContainers } = arrayParameters(stack)

  const operations = roleFor(stack, "OperationsRole", operationsRole, secret.valueAsString)
  const schedule = roleFor(stack, "ScheduleRole", scheduleRole, secret.valueAsString)
  policyFor(stack, "OriginPolicy", originPolicy)
  policyFor(stack, "AiWorkerPolicy", aiWorkerPolicy)
  policyFor(stack, "DoctorPolicy", doctorPolicy)
  policyFor(stack, "ReadinessPolicy", readinessPolicy)
  policyFor(stack, "DeadLettersPolicy", deadLettersPolicy)

  const logGroup = new CfnLogGroup(stack, "LogGroup", { logGroupName: operationsNames.logGroup, retentionInDays: logDays })
  logGroup.cfnOptions.deletionPolicy = CfnDeletionPolicy.RETAIN
  logGroup.cfnOptions.updateReplacePolicy = CfnDeletionPolicy.RETAIN

  const environment = new CfnComputeEnvironment(stack, "Environment", {
    computeEnvironmentName: operationsNames.computeEnvironment,
    type: "MANAGED",
    state: "ENABLED",
    replaceComputeEnvironment: false,
    computeResources: {
      type: "FARGATE",
      maxvCpus: 4,
      subnets: subnets.valueAsList,
      securityGroupIds: securityGroups.valueAsList
    }
  })
  const queue = new CfnJobQueue(stack, "Queue", {
    jobQueueName: operationsNames.jobQueue,
    state: "ENABLED",
    priority: 1,
    computeEnvironmentOrder: [{ order: 1, computeEnvironment: environment.ref }]
  })
  const definition = new CfnJobDefinition(stack, "Definition", {
    jobDefinitionName: operationsNames.jobDefinition,
    type: "container",
    platformCapabilities: ["FARGATE"],
    propagateTags: false,
    // Not tried again: the next pass comes by itself.
    retryStrategy: { attempts: 1, evaluateOnExit: [{ onReason: "*", action: "EXIT" }] },
    timeout: { attemptDurationSeconds: passSeconds },
    containerProperties: {
      image: imageOf(operationsNames.repository, tag),
      resourceRequirements: [{ type: "VCPU", value: "0.5" }, { type: "MEMORY", value: "1024" }],
      jobRoleArn: operations.attrArn,
      executionRoleArn: `arn:${Aws.PARTITION}:iam::${Aws.ACCOUNT_ID}:role/${executionRole.name}`,
      readonlyRootFilesystem: true,
      networkConfiguration: { assignPublicIp: "DISABLED" },
      environment: [
        ...variables,
        { name: batchVariables.maxContainers.name, value: maxContainers.valueAsString },
        { name: batchVariables.gigabytesPerContainer.name, value: gigabytesPerContainer.valueAsString }
      ],
      secrets: secretsOf(secret, secretVariables),
      logConfiguration: logTo(operationsNames.logGroup, "ops")
    }
  })
  definition.addResourceDependency(logGroup)

  for (const { command, every, id, name } of passes) {
    new CfnSchedule(stack, `${id}Schedule`, {
      name,
      scheduleExpression: every,
      flexibleTimeWindow: { mode: "OFF" },
      target: {
        arn: `arn:${Aws.PARTITION}:scheduler:::aws-sdk:batch:submitJob`,
        roleArn: schedule.attrArn,
        // A pass that could not be started is not made up for: the next one does its work.
        retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 60 },
        input: stack.toJsonString({
          JobName: name,
          JobQueue: queue.ref,
          JobDefinition: operationsNames.jobDefinition,
          ContainerOverrides: { Command: command }
        })
      }
    }).addResourceDependency(definition)
  }
  return stack
}
