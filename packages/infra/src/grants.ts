/** Who may do what. The templates and the table in `docs/infrastructure.md` are made from these. */
import type { Grant, Permission } from "./Permission.ts"
import { operationsNames, policyNames, roleNames, videoNames } from "./InfraNames.ts"

const noResourceLevel = "AWS knows no narrower resource for these actions"
const unknownIds = "A job's id is made by Batch when it is submitted"
const revisions = "A job definition is named with its revision, which every deployment raises"
const streams = "The streams of a log group are named by Batch"

const submitEncodes: Permission = {
  actions: ["batch:SubmitJob"],
  resources: (arns) => [arns.videoQueue, ...arns.videoDefinition],
  why: "Encodes are submitted to one queue with one definition",
  wildcard: revisions
}

const endEncodes: Permission = {
  actions: ["batch:TerminateJob"],
  resources: (arns) => [arns.anyBatchJob],
  why: "A cancelled or deleted video's encode is ended, and one that hangs after another took its place",
  wildcard: unknownIds
}

const askBatch: Permission = {
  actions: ["batch:DescribeJobs", "batch:ListJobs"],
  resources: () => ["*"],
  why: "What became of a submission decides whether it is made again",
  wildcard: noResourceLevel
}

const sendMessages: Permission = {
  actions: ["sqs:SendMessage"],
  resources: (arns) => arns.queues,
  why: "Jobs are handed to the workers"
}

const askQueues: Permission = {
  actions: ["sqs:GetQueueAttributes"],
  resources: (arns) => arns.queues,
  why: "Whether a queue is there, and whether anything is in it"
}

export const instanceRole: Grant = {
  name: roleNames.instance,
  purpose: "Lets an instance join the cluster of its compute environment",
  assumedBy: ["ec2.amazonaws.com"],
  usedBy: `the instance profile of ${videoNames.computeEnvironment} and ${videoNames.onDemandEnvironment}`,
  managedPolicies: [{
    name: "service-role/AmazonEC2ContainerServiceforEC2Role",
    why: "What the ECS agent needs, kept up to date by AWS"
  }],
  permissions: []
}

export const executionRole: Grant = {
  name: roleNames.execution,
  purpose: "Lets ECS start a container: pull its image, read its secrets, open its log",
  assumedBy: ["ecs-tasks.amazonaws.com"],
  usedBy: `executionRoleArn of ${videoNames.jobDefinition} and ${operationsNames.jobDefinition}`,
  managedPolicies: [],
  permissions: [
    {
      actions: ["ecr:GetAuthorizationToken"],
      resources: () => ["*"],
      why: "The registry's login",
      wildcard: noResourceLevel
    },
    {
      actions: ["ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
      resources: (arns) => arns.images,
      why: "Our own images and no others"
    },
    {
      actions: ["logs:CreateLogStream", "logs:PutLogEvents"],
      resources: (arns) => [...arns.videoLogGroup, ...arns.operationsLogGroup],
      why: "A container's log; the group is made here, because this role may not make it",
      wildcard: streams
    },
    {
      actions: ["secretsmanager:GetSecretValue"],
      resources: (arns) => [arns.secret],
      why: "The addresses and keys of database, Redis and object store"
    }
  ]
}

export const jobRole: Grant = {
  name: roleNames.job,
  purpose: "The encode itself: it may do nothing in AWS, because its services are reached with the keys of its environment",
  assumedBy: ["ecs-tasks.amazonaws.com"],
  usedBy: `jobRoleArn of ${videoNames.jobDefinition}`,
  managedPolicies: [],
  permissions: []
}

export const operationsRole: Grant = {
  name: roleNames.operations,
  purpose: "`lectern ops sweep` and `lectern ops reconcile`",
  assumedBy: ["ecs-tasks.amazonaws.com"],
  usedBy: `jobRoleArn of ${operationsNames.jobDefinition}`,
  managedPolicies: [],
  permissions: [submitEncodes, endEncodes, askBatch, sendMessages]
}

export const scheduleRole: Grant = {
  name: roleNames.schedule,
  purpose: "Lets the scheduler start the two commands",
  assumedBy: ["scheduler.amazonaws.com"],
  usedBy: `${operationsNames.sweepSchedule} and ${operationsNames.reconcileSchedule}`,
  managedPolicies: [],
  permissions: [{
    actions: ["batch:SubmitJob"],
    resources: (arns) => [arns.operationsQueue, ...arns.operationsDefinition],
    why: "The operations' own queue, never that of the encodes",
    wildcard: revisions
  }]
}

export const roles: ReadonlyArray<Grant> = [instanceRole, executionRole, jobRole, operationsRole, scheduleRole]

export const originPolicy: Grant = {
  name: policyNames.origin,
  purpose: "The origin: hands over accepted jobs, ends cancelled encodes",
  assumedBy: [],
  usedBy: "attached to the role of whatever runs the origin",
  managedPolicies: [],
  permissions: [submitEncodes, endEncodes, askBatch, sendMessages, askQueues]
}

export const aiWorkerPolicy: Grant = {
  name: policyNames.aiWorker,
  purpose: "`lectern worker`: takes messages, and hands on the jobs that come of them",
  assumedBy: [],
  usedBy: "attached to the role of whatever runs the AI worker",
  managedPolicies: [],
  permissions: [
    sendMessages,
    {
      actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"],
      resources: (arns) => arns.queues,
      why: "A message is taken, kept while its job runs, and removed when the job is recorded"
    },
    {
      actions: ["sqs:SendMessage"],
      resources: (arns) => arns.deadLetterQueues,
      why: "A malformed message is put aside at once, before its third receive"
    }
  ]
}

export const doctorPolicy: Grant = {
  name: policyNames.doctor,
  purpose: "`lectern doctor` and `lectern lint-batch --live`: look, and change nothing",
  assumedBy: [],
  usedBy: "attached to the role of an operator",
  managedPolicies: [],
  permissions: [
    {
      actions: [
        "batch:DescribeJobs",
        "batch:ListJobs",
        "batch:DescribeJobQueues",
        "batch:DescribeJobDefinitions",
        "batch:DescribeComputeEnvironments",
        "autoscaling:DescribeScalingActivities",
        "autoscaling:DescribeAutoScalingGroups"
      ],
      resources: () => ["*"],
      why: "The states and reasons of job, queue, environment and instances",
      wildcard: noResourceLevel
    },
    {
      actions: ["batch:GetJobQueueSnapshot"],
      resources: (arns) => [arns.videoQueue],
      why: "Who stands before a job in the queue"
    },
    {
      actions: ["ecs:DescribeClusters", "ecs:ListContainerInstances", "ecs:DescribeContainerInstances", "ecs:DescribeTasks"],
      resources: (arns) => arns.batchClusters,
      why: "Whether instances have joined the cluster, and why a task stopped",
      wildcard: "Batch makes the cluster of an environment and names it"
    },
    {
      actions: ["logs:DescribeLogGroups"],
      resources: (arns) => [arns.anyLogGroup],
      why: "Whether the log group is there: without it no container starts",
      wildcard: "A group that is missing is found by listing those that are there"
    },
    {
      actions: ["logs:GetLogEvents"],
      resources: (arns) => arns.videoLogGroup,
      why: "The last lines of a job's log",
      wildcard: streams
    }
  ]
}

export const readinessPolicy: Grant = {
  name: policyNames.readiness,
  purpose: "`lectern readiness`: a message makes the round trip, through each queue of ours or, beside a busy one, a queue of its own",
  assumedBy: [],
  usedBy: "attached to the role of an operator",
  managedPolicies: [],
  permissions: [
    sendMessages,
    askQueues,
    {
      actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"],
      resources: (arns) => arns.queues,
      why: "The check takes its message back out of a queue that was empty, and gives back at once what came in between"
    },
    {
      actions: [
        "sqs:CreateQueue",
        "sqs:DeleteQueue",
        "sqs:SendMessage",
        "sqs:ReceiveMessage",
        "sqs:DeleteMessage",
        "sqs:ChangeMessageVisibility"
      ],
      resources: (arns) => arns.probeQueues,
      why: "What waits in a busy queue is touched by nobody but the workers (INCIDENTS.md, 45)",
      wildcard: "Two checks at one time have a queue each, with a name that is made up"
    }
  ]
}

export const deadLettersPolicy: Grant = {
  name: policyNames.deadLetters,
  purpose: "`lectern ops dead-letters`, which lists, shows and puts back",
  assumedBy: [],
  usedBy: "attached to the role of an operator",
  managedPolicies: [],
  permissions: [
    sendMessages,
    {
      actions: ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:ChangeMessageVisibility"],
      resources: (arns) => arns.deadLetterQueues,
      why: "Dead letters are looked at and put back"
    }
  ]
}

export const policies: ReadonlyArray<Grant> = [
  originPolicy,
  aiWorkerPolicy,
  doctorPolicy,
  readinessPolicy,
  deadLettersPolicy
]
