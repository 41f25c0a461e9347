import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { LedgerMessage } from "./LedgerMessage.ts"
import type { MessageChannel, MessageMode } from "./MessageMode.ts"

/** The provider did not do it now, and nothing was sent by it. */
export class ProviderUnavailable extends Schema.TaggedError<ProviderUnavailable>()("ProviderUnavailable", {
  provider: Schema.String,
  operation: Schema.String,
  /** How long it wants to be left alone, in milliseconds, where it says so. */
  retryAfterMillis: Schema.NullOr(Schema.Int),
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Cannot ${this.operation}: ${this.provider} is unavailable`
  }
}

/**
 * The provider takes nothing from us: the account, its balance or its sender is at fault. Nothing was sent; only people
 * can help.
 */
export class ProviderRefused extends Schema.TaggedError<ProviderRefused>()("ProviderRefused", {
  provider: Schema.String,
  operation: Schema.String,
  /** The provider's own code. */
  code: Schema.String
}) {
  override get message(): string {
    return `Cannot ${this.operation}: ${this.provider} refuses it (${this.code})`
  }
}

/** The request to send went out, and no answer that can be trusted came back. Ask `resolve`; never send again. */
export class SubmissionDoubtful extends Schema.TaggedError<SubmissionDoubtful>()("SubmissionDoubtful", {
  provider: Schema.String,
  ticket: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `Cannot tell whether ${this.provider} sent batch "${this.ticket}"`
  }
}

export interface MessageBatch {
  readonly mode: MessageMode
  readonly subject: string | null
  /** The provider's id of an approved template; for `alimtalk`. */
  readonly templateId: string | null
  readonly messages: ReadonlyArray<LedgerMessage>
}

/**
 * A message that the provider will never send, by its number, and why: a code of the provider or a word, no personal
 * data.
 */
export const RefusedMessage = Schema.Struct({ number: Schema.Int, reason: Schema.String })
export type RefusedMessage = typeof RefusedMessage.Type

/** A message that the provider has laid in, and its own id of it. */
export const TakenMessage = Schema.Struct({ number: Schema.Int, providerId: Schema.String })
export type TakenMessage = typeof TakenMessage.Type

export interface PreparedBatch {
  /** Names the batch at the provider. */
  readonly ticket: string
  readonly taken: ReadonlyArray<TakenMessage>
  readonly refused: ReadonlyArray<RefusedMessage>
}

/**
 * Somebody who sends messages, in two phases, so that there is a moment at which everything is known and nothing is
 * sent.
 *
 * A ticket is submitted once. Whoever does not know whether it was asks `resolve`.
 */
export interface MessageProvider {
  /** As it is named in logs and to users. */
  readonly name: string
  /** Whether what it sends reaches anybody: nobody may be told "sent" otherwise (INCIDENTS.md, 44). */
  readonly reaches: boolean
  /** The most messages of one batch. */
  readonly maxBatch: number
  /** Lays a batch in without sending it; one that is never submitted has no effect on anybody. */
  readonly prepare: (batch: MessageBatch) => Effect.Effect<PreparedBatch, ProviderUnavailable | ProviderRefused>
  /**
   * Sends what was laid in: the one call that cannot be taken back. Answers what was refused on the way. Unavailable
   * says, as everywhere, that nothing was sent, and here that nothing will be.
   */
  readonly submit: (
    prepared: PreparedBatch,
    batch: MessageBatch
  ) => Effect.Effect<ReadonlyArray<RefusedMessage>, SubmissionDoubtful | ProviderUnavailable>
  /**
   * Whether a batch went out. `Withdrawn`: it did not, and cannot any more, not even by a request that is still on its
   * way. `Unknown`: the provider cannot tell, and never will.
   */
  readonly resolve: (ticket: string) => Effect.Effect<"Sent" | "Withdrawn" | "Unknown", ProviderUnavailable>
}

/** Who sends what, by the way in which recipients are reached. */
export class MessageProviders extends Context.Service<
  MessageProviders,
  Readonly<Record<MessageChannel, MessageProvider>>
>()("@lectern/domain/MessageProviders") {}
