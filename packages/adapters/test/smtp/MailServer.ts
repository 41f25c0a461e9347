import { Context, Effect, Layer } from "effect"
import { SMTPServer } from "smtp-server"

/** What the server does to a mail for a recipient whose name starts with the key. */
export const mailboxes = {
  nobody: { code: 550, at: "RCPT TO" },
  busy: { code: 451, at: "RCPT TO" },
  spam: { code: 554, at: "DATA" },
  full: { code: 452, at: "DATA" }
} as const

/** A real SMTP server in this process. It keeps the mails that it took, by their recipient. */
export class MailServer extends Context.Service<MailServer, {
  readonly url: string
  readonly mails: ReadonlyMap<string, ReadonlyArray<string>>
}>()("test/MailServer") {
  static readonly layer = Layer.effect(
    MailServer,
    Effect.gen(function*() {
      const mails = new Map<string, Array<string>>()
      const verdict = (address: string, at: string): Error | null => {
        for (const [name, mailbox] of Object.entries(mailboxes)) {
          if (address.startsWith(name) && mailbox.at === at) {
            return Object.assign(new Error(`no ${address}`), { responseCode: mailbox.code })
          }
        }
        return null
      }
      const server = new SMTPServer({
        disabledCommands: ["STARTTLS"],
        authOptional: true,
        allowInsecureAuth: true,
        logger: false,
        onAuth: ({ password }, _session, done) =>
          password === "right" ? done(null, { user: "school" }) : done(new Error("no")),
        onMailFrom: ({ address }, _session, done) =>
          address.startsWith("stranger") ? done(Object.assign(new Error("no"), { responseCode: 550 })) : done(),
        onRcptTo: ({ address }, _session, done) => done(verdict(address, "RCPT TO")),
        onData: (stream, session, done) => {
          const address = session.envelope.rcptTo[0]?.address ?? ""
          const chunks: Array<Buffer> = []
          stream.on("data", (chunk: Buffer) => chunks.push(chunk))
          stream.on("end", () => {
            const refusal = verdict(address, "DATA")
            if (refusal !== null) return done(refusal)
            mails.set(address, [...mails.get(address) ?? [], Buffer.concat(chunks).toString("utf8")])
            if (address.startsWith("silent")) return
            if (!address.startsWith("cut")) return done()
            for (const connection of server.connections) connection._socket.destroy()
          })
        }
      })
      server.on("error", () => undefined)
      yield* Effect.acquireRelease(
        Effect.callback<void>((resume) => {
          server.listen(0, "127.0.0.1", () => resume(Effect.void))
        }),
        () =>
          Effect.callback<void>((resume) => {
            for (const connection of server.connections) connection._socket.destroy()
            server.close(() => resume(Effect.void))
          })
      )
      const address = server.server.address()
      const port = typeof address === "object" && address !== null ? address.port : 0
      return MailServer.of({ url: `smtp://127.0.0.1:${port}`, mails })
    })
  )
}
