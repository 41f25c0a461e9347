/** From a template and its recipients to the messages that are sent: each recipient once, each text whole. */
import * as Result from "effect/Result"
import { messageAddress } from "./MessageAddress.ts"
import { channelOf, type MessageMode } from "./MessageMode.ts"
import { carrierBytes, fillTemplate, maxSubjectBytes, type TextFault, textFault } from "./MessageText.ts"

export interface MessageDraft {
  readonly mode: MessageMode
  readonly template: string
  readonly subject: string | null
  readonly templateId: string | null
  /** Values of placeholders for everybody; a recipient's own come first. */
  readonly values: Readonly<Record<string, string>>
}

export interface DraftRecipient {
  readonly address: string
  readonly values: Readonly<Record<string, string>>
}

/** What keeps a whole mailing from being accepted. `recipient` counts from 1, as they were given. */
export type DraftFault =
  | { readonly _tag: "NoSuchAddress"; readonly recipient: number }
  | { readonly _tag: "MissingValue"; readonly recipient: number; readonly placeholder: string }
  | { readonly _tag: "BadText"; readonly recipient: number; readonly fault: TextFault }
  | { readonly _tag: "SubjectTooLong"; readonly length: number; readonly most: number }
  | { readonly _tag: "NoTemplateId" }

export interface ComposedMessages {
  readonly messages: ReadonlyArray<{ readonly address: string; readonly text: string }>
  /** Recipients who were given more than once; the first mention counts. */
  readonly duplicates: number
}

const draftFault = ({ mode, subject, templateId }: MessageDraft): DraftFault | null => {
  if (mode === "alimtalk" && templateId === null) return { _tag: "NoTemplateId" }
  if (mode !== "lms" || subject === null) return null
  const length = carrierBytes(subject)
  return length > maxSubjectBytes ? { _tag: "SubjectTooLong", length, most: maxSubjectBytes } : null
}

/** All messages of a draft, or the first reason why none is sent: half a mailing helps nobody. */
export const composeMessages = (
  draft: MessageDraft,
  recipients: ReadonlyArray<DraftRecipient>
): Result.Result<ComposedMessages, DraftFault> => {
  const fault = draftFault(draft)
  if (fault !== null) return Result.fail(fault)
  const channel = channelOf(draft.mode)
  const messages = new Map<string, string>()
  for (const [index, { address: given, values }] of recipients.entries()) {
    const recipient = index + 1
    const address = messageAddress(channel, given)
    if (address === null) return Result.fail({ _tag: "NoSuchAddress", recipient })
    if (messages.has(address)) continue
    const text = fillTemplate(draft.template, { ...draft.values, ...values })
    if (Result.isFailure(text)) return Result.fail({ _tag: "MissingValue", recipient, ...text.failure })
    const bad = textFault(draft.mode, text.success)
    if (bad !== null) return Result.fail({ _tag: "BadText", recipient, fault: bad })
    messages.set(address, text.success)
  }
  return Result.succeed({
    messages: Array.from(messages, ([address, text]) => ({ address, text })),
    duplicates: recipients.length - messages.size
  })
}
