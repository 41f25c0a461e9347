/**
 * A message to one recipient, and the state machine of its life.
 *
 *     pending ──begin──▶ sending ──confirm──▶ sent
 *        ▲ │                │ ├───refuse────▶ failed
 *        │ └──refuse──▶ failed└───doubt─────▶ ambiguous ──confirm, refuse──▶ sent, failed
 *        └──withdraw────────┘                     │
 *        └──withdraw (it is proved that it never went out)
 *
 * `sending` is committed before the provider is told to send. So what is `pending` was never sent, and a message is
 * sent again only after `withdraw`, which says that the provider has not sent it and cannot any more. Nobody may say
 * that of a message because time has passed (INCIDENTS.md, 44).
 */
import * as Schema from "effect/Schema"
import { isTerminal, type JobStatus } from "./Job.ts"

export const MessageState = Schema.Literals(["pending", "sending", "sent", "failed", "ambiguous"])
export type MessageState = typeof MessageState.Type

/** A message as its sender needs it. It holds personal data: it belongs into no log, span, result or queue. */
export class LedgerMessage extends Schema.Class<LedgerMessage>("@lectern/domain/LedgerMessage")({
  /** The message's place in its job, from 1: how everybody else names it. */
  number: Schema.Int,
  /** As `messageAddress` spells it. */
  address: Schema.String,
  text: Schema.String,
  state: MessageState,
  /** The batch that it was laid in for; `null` before the first. */
  ticket: Schema.NullOr(Schema.String),
  /** The provider's own id of it. */
  providerId: Schema.NullOr(Schema.String),
  /** Why it failed or is in doubt: the provider's word, without the recipient. */
  reason: Schema.NullOr(Schema.String)
}) {}

export type MessageEvent =
  /** It is about to be sent. */
  | "begin"
  /** The provider has taken it. */
  | "confirm"
  /** The provider will never send it. */
  | "refuse"
  /** The provider has not sent it and cannot any more: it may be laid in again. */
  | "withdraw"
  /** Nobody knows whether the provider has taken it. */
  | "doubt"

/** Which states an event may meet, and what it makes of them. A message in any other state stays as it is. */
export const messageTransitions: Readonly<
  Record<MessageEvent, { readonly from: ReadonlyArray<MessageState>; readonly to: MessageState }>
> = {
  begin: { from: ["pending"], to: "sending" },
  confirm: { from: ["sending", "ambiguous"], to: "sent" },
  refuse: { from: ["pending", "sending", "ambiguous"], to: "failed" },
  withdraw: { from: ["sending", "ambiguous"], to: "pending" },
  doubt: { from: ["sending"], to: "ambiguous" }
}

/** The state after an event; `null` when the event makes no sense in this state. */
export const messageAfter = (state: MessageState, event: MessageEvent): MessageState | null => {
  const { from, to } = messageTransitions[event]
  return from.includes(state) ? to : null
}

/** What people may decide on: doubts, and once the job has ended also what it left unsettled, for nobody else will. */
export const openStates = (status: JobStatus): ReadonlyArray<MessageState> =>
  isTerminal(status) ? ["ambiguous", "sending"] : ["ambiguous"]

/** How many messages of a job are in each state. */
export const MessageCounts = Schema.Struct({
  pending: Schema.Int,
  sending: Schema.Int,
  sent: Schema.Int,
  failed: Schema.Int,
  ambiguous: Schema.Int
})
export type MessageCounts = typeof MessageCounts.Type

export const noMessages: MessageCounts = { pending: 0, sending: 0, sent: 0, failed: 0, ambiguous: 0 }
