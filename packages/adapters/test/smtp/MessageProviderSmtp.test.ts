import { assert, layer } from "@effect/vitest"
import { LedgerMessage, type MessageBatch } from "@lectern/domain"
import { ClosedPort, SilentPort } from "@lectern/harness"
import { Effect, Redacted } from "effect"
import { makeMessageProviderSmtp } from "../../src/smtp/index.ts"
import { MailServer } from "./MailServer.ts"

const text = "내일은 쉽니다.\n어머님께"

const batchTo = (address: string): MessageBatch => ({
  mode: "email",
  subject: "휴원 안내",
  templateId: null,
  messages: [
    new LedgerMessage({ number: 7, address, text, state: "pending", ticket: null, providerId: null, reason: null })
  ]
})

const providerAt = (url: string, sender = "라임 학원 <office@lime.example>") =>
  makeMessageProviderSmtp({ url: Redacted.make(url), sender, silenceMillis: 500 })

const sent = Effect.fnUntraced(function*(address: string, at?: string, sender?: string) {
  const { mails, url } = yield* MailServer
  const provider = providerAt(at ?? url, sender)
  const batch = batchTo(address)
  const prepared = yield* provider.prepare(batch)
  const before = mails.get(address)?.length ?? 0
  const outcome = yield* Effect.result(provider.submit(prepared, batch))
  const after = mails.get(address) ?? []
  return { outcome, ticket: prepared.ticket, mails: after, taken: after.length - before }
})

layer(MailServer.layer, { excludeTestServices: true })("SMTP as a provider of messages", (it) => {
  it.effect("delivers a mail whose Message-ID is its ticket, with its Korean text whole", () =>
    Effect.gen(function*() {
      const { mails, outcome, ticket } = yield* sent("mother@lime.example")
      assert.deepInclude(outcome, { _tag: "Success", success: [] })
      const [mail = ""] = mails
      const [head = "", body = ""] = mail.split("\r\n\r\n", 2)
      assert.include(head, `Message-ID: ${ticket}`)
      assert.match(head, /^Subject: =\?UTF-8\?/m)
      assert.match(head, /^Content-Transfer-Encoding: base64/m)
      assert.strictEqual(Buffer.from(body, "base64").toString("utf8").replaceAll("\r\n", "\n").trimEnd(), text)
    }))

  it.effect("names a recipient whom the server refuses for good, before or after it has seen the mail", () =>
    Effect.gen(function*() {
      assert.deepInclude((yield* sent("nobody@lime.example")).outcome, { success: [{ number: 7, reason: "550" }] })
      assert.deepInclude((yield* sent("spam@lime.example")).outcome, { success: [{ number: 7, reason: "554" }] })
    }))

  for (const name of ["busy", "full"]) {
    it.effect(`is unavailable, and has sent nothing, when the server wants it later: ${name}`, () =>
      Effect.gen(function*() {
        const { outcome, taken } = yield* sent(`${name}@lime.example`)
        assert.deepInclude(outcome, { _tag: "Failure" })
        assert.strictEqual(outcome._tag === "Failure" ? outcome.failure._tag : "", "ProviderUnavailable")
        assert.strictEqual(taken, 0)
      }))
  }

  for (const name of ["silent", "cut"]) {
    it.effect(`is in doubt for ever when the server took the mail and did not say so: ${name}`, () =>
      Effect.gen(function*() {
        const { outcome, taken, ticket } = yield* sent(`${name}@lime.example`)
        assert.strictEqual(outcome._tag === "Failure" ? outcome.failure._tag : "", "SubmissionDoubtful")
        assert.strictEqual(taken, 1)
        assert.strictEqual(yield* providerAt("smtp://127.0.0.1:1").resolve(ticket), "Unknown")
      }))
  }

  it.effect("logs in, and is unavailable when it may not, or its sender may not", () =>
    Effect.gen(function*() {
      const { url } = yield* MailServer
      const as = (password: string): string => url.replace("://", `://school:${password}@`)
      assert.deepInclude((yield* sent("father@lime.example", as("right"))).outcome, { _tag: "Success" })
      for (const kept of [sent("a@lime.example", as("wrong")), sent("a@lime.example", url, "stranger@lime.example")]) {
        const { outcome } = yield* kept
        assert.strictEqual(outcome._tag === "Failure" ? outcome.failure._tag : "", "ProviderUnavailable")
      }
    }))

  it.effect("is unavailable where nobody listens or answers, and never says whom it was to write to", () =>
    Effect.gen(function*() {
      const closed = yield* ClosedPort.make
      const silent = yield* SilentPort.make
      for (const { port } of [closed, silent]) {
        const { outcome } = yield* sent("mother@lime.example", `smtp://127.0.0.1:${port}`)
        if (outcome._tag !== "Failure") return assert.fail("the mail was taken")
        assert.strictEqual(outcome.failure._tag, "ProviderUnavailable")
        assert.notInclude(`${outcome.failure.message} ${String(outcome.failure.cause)}`, "mother")
      }
    }))
})
