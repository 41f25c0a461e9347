/** Job messages on SQS. */
export { type DeadLetter, type DeadLetterQueue, visitDeadLetters } from "./deadLetters.ts"
export * as JobQueueSqs from "./JobQueueSqs.ts"
export type { JobQueueSqsOptions, SqsQueue, SqsQueues } from "./JobQueueSqs.ts"
export {
  jobQueueNames,
  type Lane,
  laneOf,
  lanes,
  maxReceiveCount,
  messagingQueueName,
  type QueueNames
} from "./QueueNames.ts"
export { probeQueue, type QueueProbeOptions, type QueueTrip } from "./QueueProbe.ts"
