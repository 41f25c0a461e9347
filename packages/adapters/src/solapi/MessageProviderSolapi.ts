import {
  type LedgerMessage,
  type MessageBatch,
  type MessageMode,
  type MessageProvider,
  ProviderRefused,
  ProviderUnavailable,
  type RefusedMessage,
  SubmissionDoubtful,
  type TakenMessage
} from "@lectern/domain"
import { Effect, Schema } from "effect"
import { makeSolapiCall, type SolapiOptions, type SolapiRefused, type SolapiUnanswered } from "./SolapiCall.ts"

export interface MessageProviderSolapiOptions extends SolapiOptions {
  /** The registered number that messages come from, digits alone. */
  readonly sender: string
  /** The KakaoTalk channel that templates belong to; without it `alimtalk` is refused. */
  readonly kakaoChannel?: string
}

/** Solapi takes 10,000; small ones keep what a crash leaves in the air small. */
const maxBatch = 200

const name = "Solapi"

const types: Readonly<Record<Exclude<MessageMode, "email">, string>> = { sms: "SMS", lms: "LMS", alimtalk: "ATA" }

/** "Taken, will go to the carrier". */
const taken = "2000"

/** Codes that speak of our account and not of a recipient: wrong account, no money, sender not registered, blocked. */
const accountCodes: ReadonlySet<string> = new Set(["1020", "1030", "1062", "2062", "2063", "2230"])

const Group = Schema.Struct({
  groupId: Schema.NonEmptyString,
  status: Schema.String,
  dateSent: Schema.optionalKey(Schema.NullOr(Schema.String))
})

const Added = Schema.Struct({
  resultList: Schema.Array(
    Schema.Struct({ to: Schema.String, messageId: Schema.NonEmptyString, statusCode: Schema.String })
  )
})

const groups = "/messages/v4/groups"
const groupPath = (id: string): string => `${groups}/${encodeURIComponent(id)}`

/**
 * Solapi's HTTP API, by its groups: a group is filled, then sent by one request that names nothing but the group, and
 * can be asked for afterwards. A group that was removed can never be sent, which is what makes `resolve` an end to
 * every doubt.
 */
export const makeMessageProviderSolapi = (options: MessageProviderSolapiOptions): MessageProvider => {
  const call = makeSolapiCall(options)

  const unavailable = (operation: string) => (cause: SolapiRefused | SolapiUnanswered): ProviderUnavailable =>
    new ProviderUnavailable({
      provider: name,
      operation,
      retryAfterMillis: cause._tag === "SolapiRefused" ? cause.retryAfterMillis : null,
      cause
    })

  /** While nothing has been sent: a refusal of the request is one of the account, unless it says to come again. */
  const harmless = (operation: string) => (cause: SolapiRefused | SolapiUnanswered) =>
    cause._tag === "SolapiUnanswered" || cause.status === 429
      ? unavailable(operation)(cause)
      : new ProviderRefused({ provider: name, operation, code: cause.code })

  const wireMessage = ({ mode, subject, templateId }: MessageBatch, message: LedgerMessage): Schema.JsonObject => ({
    to: message.address,
    from: options.sender,
    text: message.text,
    type: mode === "email" ? "" : types[mode],
    autoTypeDetect: false,
    ...(mode === "lms" && subject !== null ? { subject } : {}),
    ...(mode === "alimtalk"
      ? { kakaoOptions: { pfId: options.kakaoChannel ?? "", templateId: templateId ?? "", disableSms: true } }
      : {})
  })

  const prepare = Effect.fn("MessageProvider.prepare")(function*(batch: MessageBatch) {
    yield* Effect.annotateCurrentSpan({ provider: name, mode: batch.mode, messages: batch.messages.length })
    if (batch.mode === "email" || (batch.mode === "alimtalk" && options.kakaoChannel === undefined)) {
      return yield* new ProviderRefused({ provider: name, operation: "prepare messages", code: `no_${batch.mode}` })
    }
    const { groupId } = yield* call("POST", groups, Group, { allowDuplicates: false, sdkVersion: "lectern/1" }).pipe(
      Effect.mapError(harmless("open a group"))
    )
    const { resultList } = yield* call("PUT", `${groupPath(groupId)}/messages`, Added, {
      messages: batch.messages.map((message) => wireMessage(batch, message))
    }).pipe(Effect.mapError(harmless("fill a group")))

    const results = new Map(resultList.map((result) => [result.to, result]))
    const prepared = { taken: new Array<TakenMessage>(), refused: new Array<RefusedMessage>() }
    for (const { address, number } of batch.messages) {
      const result = results.get(address)
      if (result === undefined) {
        const cause = new Error("The answer leaves out a message that was laid in")
        const operation = "fill a group"
        return yield* new ProviderUnavailable({ provider: name, operation, retryAfterMillis: null, cause })
      }
      const { messageId, statusCode } = result
      if (accountCodes.has(statusCode)) {
        return yield* new ProviderRefused({ provider: name, operation: "fill a group", code: statusCode })
      }
      if (statusCode === taken) prepared.taken.push({ number, providerId: messageId })
      else prepared.refused.push({ number, reason: statusCode })
    }
    return { ticket: groupId, ...prepared }
  })

  const look = (ticket: string) => call("GET", groupPath(ticket), Group)

  /** `null`: it was not sent yet. */
  const verdict = ({ dateSent, status }: typeof Group.Type): "Sent" | "Withdrawn" | "Unknown" | null => {
    if (typeof dateSent === "string") return "Sent"
    switch (status) {
      case "PENDING":
        return null
      case "SENDING":
      case "COMPLETE":
        return "Sent"
      case "DELETED":
        return "Withdrawn"
      default:
        return "Unknown"
    }
  }

  const resolve = Effect.fn("MessageProvider.resolve")(function*(ticket: string) {
    yield* Effect.annotateCurrentSpan({ provider: name })
    const found = yield* Effect.map(look(ticket), verdict).pipe(
      Effect.catchTag("SolapiRefused", (error) =>
        // Kept for six months, and for this account alone.
        error.status === 404 ? Effect.succeed("Unknown" as const) : Effect.fail(error)),
      Effect.mapError(unavailable("ask for a group"))
    )
    if (found !== null) return found
    // A request to send it may still be on its way. Whether it or the removal came first is what the answers say.
    return yield* Effect.matchEffect(call("DELETE", groupPath(ticket), Group), {
      onSuccess: (group) => Effect.succeed(verdict(group) ?? "Unknown" as const),
      onFailure: (error) =>
        Effect.flatMap(Effect.mapError(look(ticket), unavailable("ask for a group")), (group) => {
          const now = verdict(group)
          return now === null ? Effect.fail(unavailable("remove a group")(error)) : Effect.succeed(now)
        })
    })
  })

  return {
    name,
    reaches: true,
    maxBatch,
    prepare,
    // Whatever else than a clear answer comes back, a refusal too: the group is asked, not the answer.
    submit: Effect.fn("MessageProvider.submit")(function*({ taken, ticket }) {
      yield* Effect.annotateCurrentSpan({ provider: name, messages: taken.length })
      yield* call("POST", `${groupPath(ticket)}/send`, Group).pipe(
        Effect.mapError((cause) => new SubmissionDoubtful({ provider: name, ticket, cause }))
      )
      return []
    }),
    resolve
  }
}
