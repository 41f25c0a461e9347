import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { Committed } from "./internal/Committed.ts"
import { EpochMillis } from "./Epoch.ts"
import { JobId, type Lease, type LeaseLost } from "./Job.ts"
import type { JobNotFound, JobRecord, JobStoreUnavailable } from "./JobStore.ts"
import { type LedgerMessage, MessageCounts, type MessageState } from "./LedgerMessage.ts"
import { MessageMode } from "./MessageMode.ts"
import type { PreparedBatch, RefusedMessage } from "./MessageProvider.ts"
import type { Allowance, MessageLimits } from "./MessageQuota.ts"
import type { TenantId } from "./Tenant.ts"

/** The same key with other messages: a mistake of the caller, and nothing of it is sent. */
export class BusinessKeyReused extends Schema.TaggedError<BusinessKeyReused>()("BusinessKeyReused", {
  jobId: JobId
}) {
  override get message(): string {
    return `Cannot accept the messages: their key was used for other messages, by job "${this.jobId}"`
  }
}

/** The tenant's messages of the day, those that wait included, would be more than it may send. None was accepted. */
export class DailyCapReached extends Schema.TaggedError<DailyCapReached>()("DailyCapReached", {
  asked: Schema.Int,
  left: Schema.Int,
  until: EpochMillis
}) {
  override get message(): string {
    return `Cannot accept ${this.asked} messages: ${this.left} are left of today's`
  }
}

/** The job has no message that may be sent again, or has not ended. */
export class NothingToResend extends Schema.TaggedError<NothingToResend>()("NothingToResend", { jobId: JobId }) {
  override get message(): string {
    return `Cannot send messages of job "${this.jobId}" again: `
      + "it is still at work, or none of them is unsent or in doubt"
  }
}

/** How all messages of a job are sent. */
export const Mailing = Schema.Struct({
  mode: MessageMode,
  subject: Schema.NullOr(Schema.String),
  /** The provider's id of an approved template; for `alimtalk`. */
  templateId: Schema.NullOr(Schema.String),
  /** Why this does not wait for the end of the quiet hours; `null` where it does. */
  urgentReason: Schema.NullOr(Schema.String)
})
export type Mailing = typeof Mailing.Type

export interface NewMailing extends Mailing {
  readonly jobId: JobId
  /** What makes two requests one; unique within the tenant. */
  readonly businessKey: string
  /** Of all that is asked for, so that a key used for something else is noticed. */
  readonly digest: string
  /** Each address once, as `messageAddress` spells it, with its finished text. */
  readonly recipients: ReadonlyArray<{ readonly address: string; readonly text: string }>
}

export type Acceptance =
  | { readonly _tag: "Accepted"; readonly receipt: Committed<JobRecord> }
  /** The same request came before. */
  | { readonly _tag: "Known"; readonly jobId: JobId; readonly messages: number }

/** The tenant has sent as much as it may for now. */
export type NotNow = Extract<Allowance, { readonly _tag: "Wait" }>

export type NextMessages = NotNow | { readonly _tag: "Next"; readonly messages: ReadonlyArray<LedgerMessage> }

export const MailingState = Schema.Struct({ ...Mailing.fields, counts: MessageCounts })
export type MailingState = typeof MailingState.Type

export interface ListedMessages {
  readonly mailing: MailingState
  readonly messages: ReadonlyArray<LedgerMessage>
}

type Refused = LeaseLost | JobNotFound | JobStoreUnavailable

/**
 * What is to be sent to whom, and what became of it: one row for each recipient and business key, written before
 * anything is sent. It lives in the jobs' database, and what a worker says is taken under its job's lease alone.
 *
 * Addresses and texts are in these rows and nowhere else, until `purge` takes them away.
 */
export class MessageLedger extends Context.Service<MessageLedger, {
  /**
   * Writes a job and its messages in one transaction. Said again with the same key and digest it answers the first job.
   */
  readonly accept: (
    tenantId: TenantId,
    mailing: NewMailing,
    limits: MessageLimits
  ) => Effect.Effect<Acceptance, BusinessKeyReused | DailyCapReached | JobStoreUnavailable>

  /** How the job's messages are sent, and how far they are. */
  readonly look: (lease: Lease) => Effect.Effect<MailingState, Refused>
  /** The tickets of batches that were to be sent and of which nobody noted what became: of an attempt that died. */
  readonly unsettled: (lease: Lease) => Effect.Effect<ReadonlyArray<string>, Refused>
  /** Up to `max` messages that wait, in their order, and no more than may be sent now; none when none waits. */
  readonly next: (
    lease: Lease,
    max: number,
    limits: MessageLimits
  ) => Effect.Effect<NextMessages, Refused>
  /**
   * Notes, before it is sent, what a prepared batch is about to do: what was taken becomes `sending` and is counted,
   * what was refused becomes `failed`. Where the allowance has shrunk meanwhile nothing is noted, and it is the answer.
   */
  readonly begin: (
    lease: Lease,
    prepared: PreparedBatch,
    limits: MessageLimits
  ) => Effect.Effect<"Begun" | NotNow, Refused>
  /**
   * Notes what became of a batch; said again it changes nothing. What is withdrawn waits again and stays counted, so
   * that a provider in trouble cannot be asked without end.
   */
  readonly settle: (
    lease: Lease,
    ticket: string,
    event: "confirm" | "withdraw" | "doubt",
    refused: ReadonlyArray<RefusedMessage>
  ) => Effect.Effect<void, Refused>

  /** For operators: the messages of a job in these states, by their number, at most `limit`. */
  readonly list: (
    tenantId: TenantId,
    jobId: JobId,
    states: ReadonlyArray<MessageState>,
    limit: number
  ) => Effect.Effect<ListedMessages, JobNotFound | JobStoreUnavailable>
  /** For operators: what they found out about messages in doubt. Answers how many were. */
  readonly decide: (
    tenantId: TenantId,
    jobId: JobId,
    numbers: ReadonlyArray<number>,
    event: "confirm" | "refuse" | "withdraw"
  ) => Effect.Effect<number, JobNotFound | JobStoreUnavailable>
  /**
   * For operators: a new job for those messages of an ended one that were never sent, and for those in doubt or failed
   * that are named. In the old job they are `failed` from then on, so that no row is ever sent twice.
   */
  readonly resend: (
    tenantId: TenantId,
    jobId: JobId,
    numbers: ReadonlyArray<number>,
    newJobId: JobId
  ) => Effect.Effect<Committed<JobRecord>, NothingToResend | JobNotFound | JobStoreUnavailable>

  /** Removes addresses and texts of jobs that ended so long ago. All tenants; answers how many messages there were. */
  readonly purge: (endedMillisAgo: number) => Effect.Effect<number, JobStoreUnavailable>
}>()("@lectern/domain/MessageLedger") {}
