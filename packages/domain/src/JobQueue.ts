import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { JobId } from "./Job.ts"
import { JobKind } from "./JobKind.ts"
import { TenantId } from "./Tenant.ts"
import { Tier } from "./Tier.ts"

/** CONTRACT.md, section 7. `created_at` is ISO 8601; `attempt` the one that is to be claimed, from 1. */
export class JobMessage extends Schema.Class<JobMessage>("@lectern/domain/JobMessage")({
  job_id: JobId,
  job_type: JobKind,
  tier: Tier,
  tenant_id: TenantId,
  payload: Schema.Json,
  created_at: Schema.String,
  attempt: Schema.Int
}) {}

/** The text of a message as it stands in a queue. */
export const JobMessageJson = Schema.fromJsonString(JobMessage)

export class QueueUnavailable extends Schema.TaggedError<QueueUnavailable>()("QueueUnavailable", {
  operation: Schema.String,
  retryable: Schema.Boolean,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Cannot ${this.operation}: the queue is unavailable`
  }
}

/** A message that is none of ours: to be put aside at once, so that it blocks nobody (INCIDENTS.md, 36). */
export class MalformedMessage extends Schema.TaggedError<MalformedMessage>()("MalformedMessage", {
  detail: Schema.String
}) {}

/** A message in our hands until its visibility ends. */
export interface Delivery {
  readonly message: Result.Result<JobMessage, MalformedMessage>
  /** 1 for the first time that it was handed out. */
  readonly receiveCount: number
  /** It is dealt with: never hand it out again. */
  readonly acknowledge: Effect.Effect<void, QueueUnavailable>
  /** Hand it out again after so long: somebody else holds the job, or we are told to stop. */
  readonly release: (delaySeconds: number) => Effect.Effect<void, QueueUnavailable>
  /** We need so many more seconds, from now. */
  readonly extend: (seconds: number) => Effect.Effect<void, QueueUnavailable>
  /** Put it aside for people to look at. */
  readonly bury: Effect.Effect<void, QueueUnavailable>
}

/**
 * At-least-once delivery of job messages, in no order. What is sent after the commit is handed out at least once; a message
 * handed out and neither acknowledged nor extended comes back after its visibility.
 */
export class JobQueue extends Context.Service<JobQueue, {
  /** Answers the queue's own id of the message. */
  readonly send: (message: JobMessage) => Effect.Effect<string, QueueUnavailable>
  /** Waits up to `waitSeconds` (0..20) for up to `max` (1..10) messages; empty when none came. */
  readonly receive: (
    options: { readonly max: number; readonly waitSeconds: number; readonly visibilitySeconds: number }
  ) => Effect.Effect<ReadonlyArray<Delivery>, QueueUnavailable>
  /** Fails when the queue cannot be asked; receives nothing (INCIDENTS.md, 45). */
  readonly ping: Effect.Effect<void, QueueUnavailable>
}>()("@lectern/domain/JobQueue") {}
