/** The queues of CONTRACT.md, section 7. Infrastructure and documents are made from this file (INCIDENTS.md, 32). */
import type { Tier } from "@lectern/domain"

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
