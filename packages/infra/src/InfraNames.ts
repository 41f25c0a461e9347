/**
 * The names of what is deployed. Those that the code goes by as well come from where the code has them; the rest, which only
 * infrastructure and people use, stand here (INCIDENTS.md, 32).
 */
import { batchComputeEnvironment, batchLogGroup, batchVariables } from "@lectern/adapters/batch"
import { jobQueueNames, messagingQueueName } from "@lectern/adapters/sqs"

/** What runs the encodes. */
export const videoNames = {
  jobQueue: batchVariables.jobQueue.default,
  jobDefinition: batchVariables.jobDefinition.default,
  computeEnvironment: batchComputeEnvironment,
  /** Second in the queue's order: Spot without capacity must not stop the encodes. */
  onDemandEnvironment: `${batchComputeEnvironment}-on-demand`,
  launchTemplate: "academy-video-batch",
  logGroup: batchLogGroup,
  repository: "lectern-worker-video"
} as const

/** What runs the schedules: small machines of its own, never the queue of the encodes (INCIDENTS.md, 17). */
export const operationsNames = {
  jobQueue: "academy-ops-queue",
  jobDefinition: "academy-ops-jobdef",
  computeEnvironment: "academy-ops-ce",
  logGroup: "/aws/batch/academy-ops",
  repository: "lectern-ops",
  sweepSchedule: "academy-ops-sweep",
  reconcileSchedule: "academy-ops-reconcile"
} as const

/** The name of a role is its purpose. */
export const roleNames = {
  instance: "academy-video-batch-instance",
  execution: "academy-video-batch-execution",
  job: "academy-video-batch-job",
  operations: "academy-ops-job",
  schedule: "academy-ops-schedule"
} as const

/** Policies for hands that these stacks do not make: whoever runs the origin, the AI worker, or asks the doctor. */
export const policyNames = {
  origin: "academy-origin",
  aiWorker: "academy-ai-worker",
  doctor: "academy-doctor",
  readiness: "academy-readiness",
  deadLetters: "academy-dead-letters"
} as const

export const queueNames = [...Object.values(jobQueueNames), messagingQueueName]
