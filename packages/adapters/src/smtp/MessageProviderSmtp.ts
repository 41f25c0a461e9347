import {
  type MessageProvider,
  newUuid,
  ProviderRefused,
  ProviderUnavailable,
  SubmissionDoubtful
} from "@lectern/domain"
import { Effect } from "effect"
import MailComposer from "nodemailer/lib/mail-composer"
import { deliverMail, type SmtpServer } from "./SmtpSession.ts"

export interface MessageProviderSmtpOptions extends SmtpServer {
  /** Whom mails come from: an address, or `이름 <address>`. */
  readonly sender: string
}

const name = "SMTP"

const fallbackSubject = "안내"

/** The bare address of a sender. */
const addressOf = (sender: string): string => /<([^<>]+)>\s*$/.exec(sender)?.[1] ?? sender.trim()

/**
 * E-mail by SMTP, one mail at a time. SMTP knows no two phases and no question afterwards: what is in doubt stays so.
 * The ticket is the mail's `Message-ID`, by which people can look for it in the server's log.
 */
export const makeMessageProviderSmtp = (options: MessageProviderSmtpOptions): MessageProvider => {
  const from = addressOf(options.sender)
  const domain = from.slice(from.lastIndexOf("@") + 1)

  return {
    name,
    reaches: true,
    maxBatch: 1,
    prepare: Effect.fn("MessageProvider.prepare")(function*({ messages, mode }) {
      yield* Effect.annotateCurrentSpan({ provider: name, mode, messages: messages.length })
      if (mode !== "email") {
        return yield* new ProviderRefused({ provider: name, operation: "prepare messages", code: `no_${mode}` })
      }
      const ticket = `<${yield* newUuid}@${domain}>`
      return { ticket, taken: messages.map(({ number }) => ({ number, providerId: ticket })), refused: [] }
    }),
    submit: Effect.fn("MessageProvider.submit")(function*({ ticket }, { messages, subject }) {
      yield* Effect.annotateCurrentSpan({ provider: name, messages: messages.length })
      const unavailable = (detail: string) =>
        new ProviderUnavailable({
          provider: name,
          operation: "send a mail",
          retryAfterMillis: null,
          cause: new Error(detail)
        })
      const [message] = messages
      if (message === undefined) return []
      const mail = yield* Effect.tryPromise({
        try: () =>
          new MailComposer({
            from: options.sender,
            to: message.address,
            subject: subject ?? fallbackSubject,
            text: message.text,
            messageId: ticket
          }).compile().build(),
        catch: () => unavailable("the mail could not be composed")
      })
      const outcome = yield* deliverMail(options, { from, to: message.address }, mail)
      switch (outcome._tag) {
        case "taken":
          return []
        case "refused":
          return [{ number: message.number, reason: outcome.code }]
        case "notSent":
          return yield* unavailable(outcome.detail)
        case "doubtful":
          return yield* new SubmissionDoubtful({ provider: name, ticket, cause: new Error(outcome.detail) })
      }
    }),
    resolve: () => Effect.succeed("Unknown")
  }
}
