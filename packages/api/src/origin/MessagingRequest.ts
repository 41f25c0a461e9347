import { type DraftFault, MessageMode } from "@lectern/domain"
import { Schema } from "effect"
import { BadRequest } from "./Refusal.ts"
import { storable } from "./storable.ts"

/** The most recipients of one request. */
export const maxRecipients = 10_000

/** Bytes of a request with so many recipients, each with values of its own. */
export const maxMessagingBytes = 8 * 1024 * 1024

const text = (maxLength: number) => Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(maxLength), storable)
const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

const isName = Schema.is(text(50))

/** Values of placeholders: `{"이름": "홍길동"}` fills `#{이름}`. */
const Values = Schema.Record(Schema.String, Schema.String.check(Schema.isMaxLength(1_000), storable)).check(
  // A record schema leaves out what is under a key that it does not know: the value would be missing without a word.
  Schema.makeFilter((values) =>
    Object.keys(values).every(isName) ? undefined : "names of placeholders, of 1 to 50 characters"
  )
)

const Recipient = Schema.Struct({
  phone: optional(text(40)),
  email: optional(text(320)),
  /** Fills `#{이름}`. */
  name: optional(text(100)),
  variables: optional(Values)
})

export const MessagingRequest = Schema.Struct({
  /** Numbers or addresses, bare or with values for their placeholders. */
  recipients: optional(Schema.Array(Schema.Union([text(320), Recipient])).check(Schema.isMaxLength(maxRecipients))),
  student_ids: optional(Schema.Array(Schema.Int).check(Schema.isMaxLength(maxRecipients))),
  /** Whose number is taken for `student_ids`; the parent's by default. */
  send_to: optional(Schema.Literals(["student", "parent"])),
  message_mode: MessageMode,
  raw_body: text(100_000),
  /** Of an LMS or a mail. */
  subject: optional(text(200)),
  /** The approved template of an `alimtalk`. */
  template_id: optional(text(100)),
  /** Values for everybody. */
  variables: optional(Values),
  /** What makes two requests one; so does an `Idempotency-Key`. */
  business_key: optional(text(100)),
  /** Sends in the quiet hours too, and says why. */
  urgent_reason: optional(text(200)),
  /** Checks everything, estimates the cost and sends nothing. */
  dry_run: optional(Schema.Boolean)
}).annotate({ identifier: "MessagingRequest" })
export type MessagingRequest = typeof MessagingRequest.Type

const Counts = {
  /** Messages: one for each recipient. */
  enqueued: Schema.Int,
  /** Students without the number that was asked for, or who are not this tenant's. */
  skipped_no_phone: Schema.Int,
  /** Recipients who were named more than once. */
  skipped_duplicate: Schema.Int
}

export const MessagingAccepted = Schema.Struct({
  job_id: Schema.String,
  detail: Schema.String,
  ...Counts,
  watch_token: Schema.optionalKey(Schema.String)
}).annotate({ identifier: "MessagingAccepted" })

export const MessagingPreview = Schema.Struct({
  dry_run: Schema.Literal(true),
  detail: Schema.String,
  ...Counts,
  /** In whole won; `null` where nobody has told us the prices. */
  estimated_won: Schema.NullOr(Schema.Int),
  /** The first messages, their addresses masked. */
  sample: Schema.Array(Schema.Struct({ to: Schema.String, text: Schema.String }))
}).annotate({ identifier: "MessagingPreview" })

const detailOf = (fault: DraftFault): string => {
  switch (fault._tag) {
    case "NoSuchAddress":
      return `recipient ${fault.recipient} has no address that can be written to`
    case "MissingValue":
      return `recipient ${fault.recipient} has no value for #{${fault.placeholder}}`
    case "SubjectTooLong":
      return `the subject has ${fault.length} bytes, and ${fault.most} are allowed`
    case "NoTemplateId":
      return "an alimtalk needs template_id, the approved template"
    case "BadText":
      switch (fault.fault._tag) {
        case "Empty":
          return `the text for recipient ${fault.recipient} is empty`
        case "UnsendableCharacter":
          return `the text for recipient ${fault.recipient} has "${fault.fault.character}", `
            + "which a text message cannot carry"
        case "TooLong":
          return `the text for recipient ${fault.recipient} has ${fault.fault.length} ${fault.fault.unit}, `
            + `and ${fault.fault.most} are allowed`
      }
  }
}

const codes: Readonly<Record<DraftFault["_tag"], string>> = {
  NoSuchAddress: "no_such_address",
  MissingValue: "missing_value",
  BadText: "bad_text",
  SubjectTooLong: "subject_too_long",
  NoTemplateId: "no_template_id"
}

export const draftRefused = (fault: DraftFault): BadRequest =>
  new BadRequest({ detail: `Cannot send the messages: ${detailOf(fault)}`, code: codes[fault._tag] })
