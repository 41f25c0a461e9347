import { assert, layer } from "@effect/vitest"
import { LedgerMessage, type MessageBatch, type MessageMode } from "@lectern/domain"
import { ClosedPort, type SolapiFault, SolapiServer } from "@lectern/harness"
import { Effect, Redacted } from "effect"
import { makeMessageProviderSolapi } from "../../src/solapi/index.ts"

const sender = "0212345678"

const batchOf = (addresses: ReadonlyArray<string>, mode: MessageMode = "sms", text = "내일은 쉽니다"): MessageBatch => ({
  mode,
  subject: mode === "lms" ? "안내" : null,
  templateId: mode === "alimtalk" ? "KA01TP" : null,
  messages: addresses.map((address, index) =>
    new LedgerMessage({ number: index + 1, address, text, state: "pending", ticket: null, providerId: null, reason: null })
  )
})

let last = 0
/** A number that no other test writes to. */
const somebody = (): string => `010${String(10_000_001 + (last += 3))}`.replace(/0000$/, "0001")

const providerAt = (options: { readonly url: string; readonly apiKey: string; readonly apiSecret: string }, timeout = 10_000) =>
  makeMessageProviderSolapi({
    apiKey: options.apiKey,
    apiSecret: Redacted.make(options.apiSecret),
    baseUrl: options.url,
    sender,
    kakaoChannel: "KA01PF",
    requestTimeoutMillis: timeout
  })

const withServer = Effect.gen(function*() {
  const server = yield* SolapiServer
  const sentTo = (address: string): number => server.deliveries.filter(({ to }) => to === address).length
  return { server, sentTo, provider: providerAt(server), impatient: providerAt(server, 300) }
})

layer(SolapiServer.layer, { excludeTestServices: true })("Solapi as a provider of messages", (it) => {
  for (const mode of ["sms", "lms", "alimtalk"] as const) {
    it.effect(`lays a batch in without sending it, and sends it when told to: ${mode}`, () =>
      Effect.gen(function*() {
        const { provider, sentTo, server } = yield* withServer
        const [one, two] = [somebody(), somebody()]
        const batch = batchOf([one, two], mode)
        const prepared = yield* provider.prepare(batch)
        assert.deepStrictEqual(prepared.taken.map(({ number }) => number), [1, 2])
        assert.deepStrictEqual([sentTo(one), sentTo(two)], [0, 0])
        assert.deepStrictEqual(yield* provider.submit(prepared, batch), [])
        assert.deepStrictEqual([sentTo(one), sentTo(two)], [1, 1])
        const type = { sms: "SMS", lms: "LMS", alimtalk: "ATA" }[mode]
        assert.deepInclude(server.deliveries.find(({ to }) => to === one), { text: "내일은 쉽니다", type })
        assert.strictEqual(yield* provider.resolve(prepared.ticket), "Sent")
      }))
  }

  it.effect("names each recipient whom Solapi refuses, and sends to the others", () =>
    Effect.gen(function*() {
      const { provider, sentTo } = yield* withServer
      const [good, nobody] = [somebody(), "01099990000"]
      const batch = batchOf([nobody, good])
      const prepared = yield* provider.prepare(batch)
      assert.deepStrictEqual(prepared.refused, [{ number: 1, reason: "3032" }])
      yield* provider.submit(prepared, batch)
      assert.deepStrictEqual([sentTo(nobody), sentTo(good)], [0, 1])
    }))

  it.effect("refuses for good when the account is at fault: a wrong secret, a sender that is not registered, no money", () =>
    Effect.gen(function*() {
      const { provider, server } = yield* withServer
      const batch = batchOf([somebody()])
      const forged = yield* Effect.flip(providerAt({ ...server, apiSecret: "another" }).prepare(batch))
      assert.deepInclude(forged, { _tag: "ProviderRefused", code: "SignatureDoesNotMatch" })
      const unregistered = makeMessageProviderSolapi({
        apiKey: server.apiKey,
        apiSecret: Redacted.make(server.apiSecret),
        baseUrl: server.url,
        sender: "01000000001"
      })
      assert.deepInclude(yield* Effect.flip(unregistered.prepare(batch)), { _tag: "ProviderRefused", code: "1062" })
      assert.deepInclude(yield* Effect.flip(unregistered.prepare(batchOf([somebody()], "alimtalk"))), {
        _tag: "ProviderRefused",
        code: "no_alimtalk"
      })
      server.script("add", ["refused"])
      assert.deepInclude(yield* Effect.flip(provider.prepare(batch)), { _tag: "ProviderRefused", code: "NotEnoughBalance" })
    }))

  for (const fault of ["throttled", "broken", "malformed", "reset", "silent", "done-broken", "done-reset"] as const) {
    for (const operation of ["create", "add"] as const) {
      it.effect(`is unavailable, and has sent nothing, when "${operation}" is answered by "${fault}"`, () =>
        Effect.gen(function*() {
          const { impatient, sentTo, server } = yield* withServer
          const address = somebody()
          server.script(operation, [fault])
          const error = yield* Effect.flip(impatient.prepare(batchOf([address])))
          assert.deepInclude(error, {
            _tag: "ProviderUnavailable",
            retryAfterMillis: fault === "throttled" ? 1_000 : null
          })
          assert.strictEqual(sentTo(address), 0)
        }))
    }
  }

  const doubts: ReadonlyArray<readonly [SolapiFault, "Sent" | "Withdrawn"]> = [
    ["throttled", "Withdrawn"],
    ["refused", "Withdrawn"],
    ["broken", "Withdrawn"],
    ["malformed", "Withdrawn"],
    ["reset", "Withdrawn"],
    ["silent", "Withdrawn"],
    ["done-silent", "Sent"],
    ["done-reset", "Sent"],
    ["done-broken", "Sent"],
    ["done-malformed", "Sent"]
  ]
  for (const [fault, truth] of doubts) {
    it.effect(`calls a submission doubtful that is answered by "${fault}", and finds out that it was ${truth.toLowerCase()}`, () =>
      Effect.gen(function*() {
        const { impatient, provider, sentTo, server } = yield* withServer
        const address = somebody()
        const batch = batchOf([address])
        const prepared = yield* provider.prepare(batch)
        server.script("send", [fault])
        const error = yield* Effect.flip(impatient.submit(prepared, batch))
        assert.deepInclude(error, { _tag: "SubmissionDoubtful", ticket: prepared.ticket })
        assert.strictEqual(yield* provider.resolve(prepared.ticket), truth)
        assert.strictEqual(yield* provider.resolve(prepared.ticket), truth)
        assert.strictEqual(sentTo(address), truth === "Sent" ? 1 : 0)
      }))
  }

  it.effect("lets nobody send what was withdrawn, not even a request that was on its way", () =>
    Effect.gen(function*() {
      const { provider, sentTo } = yield* withServer
      const address = somebody()
      const batch = batchOf([address])
      const prepared = yield* provider.prepare(batch)
      assert.strictEqual(yield* provider.resolve(prepared.ticket), "Withdrawn")
      assert.strictEqual((yield* Effect.flip(provider.submit(prepared, batch)))._tag, "SubmissionDoubtful")
      assert.strictEqual(yield* provider.resolve(prepared.ticket), "Withdrawn")
      assert.strictEqual(sentTo(address), 0)
    }))

  it.effect("says what is so when a batch is sent just while it is asked for", () =>
    Effect.gen(function*() {
      const { provider, sentTo, server } = yield* withServer
      const address = somebody()
      const batch = batchOf([address])
      const prepared = yield* provider.prepare(batch)
      let raced: Promise<unknown> = Promise.resolve()
      server.watch((operation, moment) => {
        if (operation !== "look" || moment !== "done") return
        server.watch(() => undefined)
        raced = Effect.runPromise(Effect.exit(provider.submit(prepared, batch)))
        return raced.then(() => undefined)
      })
      assert.strictEqual(yield* provider.resolve(prepared.ticket), "Sent")
      assert.strictEqual(sentTo(address), 1)
    }))

  it.effect("cannot tell of a group that it does not know, and is unavailable while it cannot be asked", () =>
    Effect.gen(function*() {
      const { impatient, provider, server } = yield* withServer
      assert.strictEqual(yield* provider.resolve("G4VUNKNOWN"), "Unknown")
      const prepared = yield* provider.prepare(batchOf([somebody()]))
      server.script("look", ["silent"])
      assert.strictEqual((yield* Effect.flip(impatient.resolve(prepared.ticket)))._tag, "ProviderUnavailable")
      server.script("remove", ["broken"])
      assert.strictEqual((yield* Effect.flip(provider.resolve(prepared.ticket)))._tag, "ProviderUnavailable")
      server.script("remove", ["done-reset"])
      assert.strictEqual(yield* provider.resolve(prepared.ticket), "Withdrawn")
    }))

  it.effect("is unavailable where nobody listens, and never says whom it was to write to", () =>
    Effect.gen(function*() {
      const { server } = yield* withServer
      const { port } = yield* ClosedPort.make
      const address = somebody()
      const error = yield* Effect.flip(providerAt({ ...server, url: `http://127.0.0.1:${port}` }).prepare(batchOf([address])))
      assert.strictEqual(error._tag, "ProviderUnavailable")
      assert.notInclude(JSON.stringify([error, error.message, String(error.cause)]), address)
    }))
})
