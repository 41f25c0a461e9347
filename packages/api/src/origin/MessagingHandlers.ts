import {
  channelOf,
  type ComposedMessages,
  composeMessages,
  defaultMessageLimits,
  type DraftRecipient,
  estimatedWon,
  JobDispatcher,
  JobRecorder,
  jobSubject,
  maskedAddress,
  MessageLedger,
  type MessageLimits,
  type MessagePrices,
  newJobId,
  StudentContacts,
  type TenantId,
  undispatched
} from "@lectern/domain"
import { Clock, Context, Effect } from "effect"
import { HttpApiBuilder } from "effect/http-api"
import { createHash } from "node:crypto"
import { CurrentPrincipal } from "./Authorization.ts"
import { draftRefused, type MessagingRequest } from "./MessagingRequest.ts"
import { OriginApi } from "./OriginApi.ts"
import { BadRequest, Conflict, TooManyRequests } from "./Refusal.ts"
import { unavailable } from "./refusals.ts"
import { WatchTokens } from "./WatchTokens.ts"

/** What is agreed with whoever pays for messages. */
export interface MessagingTerms {
  readonly limits: MessageLimits
  readonly prices: MessagePrices
}

/** The terms of this installation. A reference: without any, the limits are the default and no price is known. */
export const CurrentMessagingTerms = Context.Reference<MessagingTerms>("@lectern/api/CurrentMessagingTerms", {
  defaultValue: () => ({ limits: defaultMessageLimits, prices: {} })
})

/** Messages that a preview shows. */
const sampleSize = 3

/** The placeholders that a student's or a recipient's name fills. */
const named = (name: string): Readonly<Record<string, string>> => ({ 이름: name, 학생이름: name, name })

const ofRecipients = ({ message_mode, recipients }: MessagingRequest): ReadonlyArray<DraftRecipient> =>
  (recipients ?? []).map((recipient) => {
    if (typeof recipient === "string") return { address: recipient, values: {} }
    const address = channelOf(message_mode) === "email" ? recipient.email : recipient.phone
    return {
      address: address ?? "",
      values: { ...(recipient.name == null ? {} : named(recipient.name)), ...recipient.variables }
    }
  })

/** Everything that makes two requests the same, in one short text. It cannot be read back. */
const digestOf = (request: MessagingRequest, messages: ComposedMessages["messages"]): string =>
  createHash("sha256").update(JSON.stringify([
    request.message_mode,
    request.subject ?? null,
    request.template_id ?? null,
    messages.map(({ address, text }) => [address, text])
  ])).digest("hex")

/** Accepts messages: composes them, writes them down with their job, and lets the worker send them. */
export const MessagingHandlers = HttpApiBuilder.group(
  OriginApi,
  "messaging",
  Effect.fnUntraced(function*(handlers) {
    const ledger = yield* MessageLedger
    const contacts = yield* StudentContacts
    const recorder = yield* JobRecorder
    const dispatcher = yield* JobDispatcher
    const watchTokens = yield* WatchTokens
    const { limits, prices } = yield* CurrentMessagingTerms

    const ofStudents = Effect.fnUntraced(function*(tenantId: TenantId, { send_to, student_ids }: MessagingRequest) {
      const wanted = [...new Set(student_ids ?? [])]
      if (wanted.length === 0) return { recipients: [], skipped: 0 }
      const found = yield* contacts.find(tenantId, wanted).pipe(
        Effect.catchTag("JobStoreUnavailable", unavailable("look up the students"))
      )
      const recipients = found.flatMap(({ guardianPhone, name, studentPhone }): ReadonlyArray<DraftRecipient> => {
        const address = send_to === "student" ? studentPhone ?? "" : guardianPhone
        return address === "" ? [] : [{ address, values: named(name) }]
      })
      return { recipients, skipped: wanted.length - recipients.length }
    })

    const compose = Effect.fnUntraced(function*(tenantId: TenantId, request: MessagingRequest) {
      if (request.message_mode === "email" && (request.student_ids ?? []).length > 0) {
        return yield* new BadRequest({
          detail: "Cannot send the messages: students have telephone numbers and no e-mail addresses here",
          code: "no_such_address"
        })
      }
      const students = yield* ofStudents(tenantId, request)
      const composed = yield* Effect.fromResult(composeMessages({
        mode: request.message_mode,
        template: request.raw_body,
        subject: request.subject ?? null,
        templateId: request.template_id ?? null,
        values: request.variables ?? {}
      }, [...ofRecipients(request), ...students.recipients])).pipe(Effect.mapError(draftRefused))
      if (composed.messages.length === 0) {
        return yield* new BadRequest({
          detail: "Cannot send the messages: nobody can be reached of those who were named",
          code: "no_recipients"
        })
      }
      const counts = {
        enqueued: composed.messages.length,
        skipped_no_phone: students.skipped,
        skipped_duplicate: composed.duplicates
      }
      return { messages: composed.messages, counts }
    })

    return handlers.handleAll({
      send: Effect.fn("Origin.sendMessages")(function*({ headers, payload: request }) {
        const { tenantId } = yield* CurrentPrincipal
        const { counts, messages } = yield* compose(tenantId, request)
        if (request.dry_run === true) {
          return {
            dry_run: true as const,
            detail: `${counts.enqueued}건을 보내게 됩니다. 아직 보내지 않았습니다`,
            ...counts,
            estimated_won: estimatedWon(prices, request.message_mode, messages.length),
            sample: messages.slice(0, sampleSize).map(({ address, text }) => ({ to: maskedAddress(address), text }))
          }
        }

        const jobId = yield* newJobId
        const header = headers["idempotency-key"]
        const businessKey = request.business_key != null
          ? `business:${request.business_key}`
          : header === undefined
          ? `job:${jobId}`
          : `request:${header}`
        const accepted = yield* ledger.accept(tenantId, {
          jobId,
          businessKey,
          digest: digestOf(request, messages),
          mode: request.message_mode,
          subject: request.subject ?? null,
          templateId: request.template_id ?? null,
          urgentReason: request.urgent_reason ?? null,
          recipients: messages
        }, limits).pipe(
          Effect.tap((acceptance) =>
            acceptance._tag === "Known" ? Effect.void : Effect.flatMap(
              recorder.commit(Effect.succeed(acceptance.receipt)),
              ({ job }) => dispatcher.dispatchSoon(undispatched(job))
            )
          ),
          Effect.uninterruptible,
          Effect.catchTags({
            BusinessKeyReused: (error) => Effect.fail(new Conflict({ detail: error.message, code: "key_reused" })),
            DailyCapReached: (error) =>
              Effect.flatMap(Clock.currentTimeMillis, (now) =>
                Effect.fail(
                  new TooManyRequests({
                    detail: error.message,
                    code: "daily_cap",
                    retry_after_seconds: Math.max(1, Math.ceil((error.until - now) / 1000))
                  })
                )),
            JobStoreUnavailable: unavailable("record the messages")
          })
        )
        const known = accepted._tag === "Known" ? accepted.jobId : jobId
        return {
          job_id: known,
          detail: accepted._tag === "Known" ? "이미 접수된 요청입니다" : `${counts.enqueued}건을 접수했습니다`,
          ...counts,
          ...(yield* watchTokens.field(tenantId, jobSubject(known)))
        }
      })
    })
  })
)
