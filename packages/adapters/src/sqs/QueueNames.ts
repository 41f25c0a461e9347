/** The queues of CONTRACT.md, section 7. Infrastructure and documents are made from this file (INCIDENTS.md, 32). */
import type { JobMessage, Tier } from "@lectern/domain"

export interface QueueNames {
  readonly queue: string
  readonly deadLetterQueue: string
}

const withDeadLetterQueue = (queue: string): QueueNames => ({ queue, deadLetterQueue: `${queue}-dlq` })

export const jobQueueNames: { readonly [tier in Tier]: QueueNames } = {
  lite: withDeadLetterQueue("academy-ai-jobs-lite"),
  basic: withDeadLetterQueue("academy-ai-jobs-basic"),
  premium: withDeadLetterQueue("academy-ai-jobs-premium")
}

export const messagingQueueName: QueueNames = withDeadLetterQueue("academy-messaging-jobs")

/** How often a message is handed out before it is put aside. */
export const maxReceiveCount = 3

/** One of the queues: each tier has one, and messages to people have one of their own whatever their tier. */
export type Lane = Tier | "messaging"

/** The most urgent first. */
export const lanes: readonly [Lane, ...ReadonlyArray<Lane>] = ["premium", "messaging", "basic", "lite"]

export const laneOf = (message: Pick<JobMessage, "job_type" | "tier">): Lane =>
  message.job_type === "messaging" ? "messaging" : message.tier
