/** One mail in one SMTP session, and what is known of it afterwards. */
import { Effect, Redacted } from "effect"
import { Readable } from "node:stream"
import SMTPConnection from "nodemailer/lib/smtp-connection"

export interface SmtpServer {
  /** `smtp://user:password@host:port` or `smtps://…`; STARTTLS is used wherever a server offers it. */
  readonly url: Redacted.Redacted<string>
  /** How long the server may be silent, in milliseconds; 20,000 by default. */
  readonly silenceMillis?: number
}

/** What became of a mail. `notSent`: the server has not got all of it, and threw away what it has. */
export type MailOutcome =
  | { readonly _tag: "taken" }
  /** A permanent refusal, by its code, of the recipient or of the mail. */
  | { readonly _tag: "refused"; readonly code: string }
  | { readonly _tag: "notSent"; readonly detail: string }
  | { readonly _tag: "doubtful"; readonly detail: string }

interface Fault extends Error {
  readonly code?: string | undefined
  readonly responseCode?: number | undefined
  /** What the server was asked when it refused. */
  readonly command?: string | undefined
}

const defaultSilenceMillis = 20_000

/** The code alone: a server's words repeat the recipient. */
const detailOf = (error: Fault): string =>
  error.responseCode === undefined ? error.code ?? error.name : `status ${error.responseCode}`

const connectionOf = (server: SmtpServer) => {
  const { hostname, password, port, protocol, username } = new URL(Redacted.value(server.url))
  const silence = server.silenceMillis ?? defaultSilenceMillis
  const connection = new SMTPConnection({
    host: hostname,
    secure: protocol === "smtps:",
    connectionTimeout: silence,
    greetingTimeout: silence,
    socketTimeout: silence,
    dnsTimeout: silence,
    socketCloseTimeout: 0,
    ...(port === "" ? {} : { port: Number(port) })
  })
  return {
    connection,
    credentials: username === "" ? null : { user: decodeURIComponent(username), pass: decodeURIComponent(password) }
  }
}

/** The mail's bytes, and whether anybody has begun to take them: the server asks for them last. */
const watched = (bytes: Uint8Array) => {
  let begun = false
  const stream = new Readable({
    read() {
      begun = true
      this.push(bytes)
      this.push(null)
    }
  })
  return { stream, begun: () => begun }
}

/**
 * Delivers one mail.
 *
 * A server answers for a mail after its last byte. Whoever loses the connection between the first byte and that answer
 * cannot know whether it was taken; before the first byte it was not.
 */
export const deliverMail = (
  server: SmtpServer,
  envelope: { readonly from: string; readonly to: string },
  mail: Uint8Array
): Effect.Effect<MailOutcome> =>
  Effect.callback<MailOutcome>((resume) => {
    const { connection, credentials } = connectionOf(server)
    const { begun, stream } = watched(mail)
    let over = false
    const end = (outcome: MailOutcome): void => {
      if (over) return
      over = true
      connection.close()
      stream.destroy()
      resume(Effect.succeed(outcome))
    }
    // Until the recipient is named a refusal is one of us, and passes or is mended by people.
    const keptOut = (error: Fault): void => end({ _tag: "notSent", detail: detailOf(error) })
    const failed = (error: Fault): void => {
      const { command, responseCode } = error
      // A sender that is refused is our fault and not a recipient's.
      if (command === "MAIL FROM") return keptOut(error)
      if (responseCode !== undefined && responseCode >= 500) return end({ _tag: "refused", code: String(responseCode) })
      const answered = responseCode !== undefined && responseCode >= 400
      end({ _tag: begun() && !answered ? "doubtful" : "notSent", detail: detailOf(error) })
    }
    connection.once("error", failed)
    connection.once("end", () => failed(Object.assign(new Error("The connection was closed"), { code: "ECONNECTION" })))
    const send = (): void => {
      connection.send({ from: envelope.from, to: [envelope.to] }, stream, (error) => {
        if (error) failed(error)
        else end({ _tag: "taken" })
      })
    }
    connection.connect((error) => {
      if (error) keptOut(error)
      else if (credentials === null) send()
      else connection.login({ credentials }, (refused) => refused ? keptOut(refused) : send())
    })
    return Effect.sync(() => {
      over = true
      connection.close()
      stream.destroy()
    })
  })
