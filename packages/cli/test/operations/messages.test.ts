/** `lectern ops messages` as an operator starts it, on a real database and a provider that behaves like Solapi. */
import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { JobStorePostgres, layerTcp, MessageLedgerPostgres, migrate } from "@lectern/adapters/postgres"
import { makeMessageProviderSolapi } from "@lectern/adapters/solapi"
import {
  defaultMessageLimits,
  JobStore,
  type LedgerMessage,
  MessageLedger,
  newJobId,
  noMessages,
  type PreparedBatch,
  TenantId
} from "@lectern/domain"
import { describeIf, PostgresServer, SolapiServer } from "@lectern/harness"
import { Effect, Layer, Redacted, Schema } from "effect"
import { fileURLToPath } from "node:url"
import { runProgram } from "../../src/operations/runProgram.ts"

const program = fileURLToPath(new URL("../../bin/lectern.mjs", import.meta.url))
const tenant = TenantId.make(5)
const sender = "0212345678"

const decodeAnswer = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({
  done: Schema.NullOr(Schema.String),
  counts: Schema.Record(Schema.String, Schema.Int),
  messages: Schema.Array(Schema.Struct({ number: Schema.Int, to: Schema.String, state: Schema.String }))
})))

describeIf(PostgresServer.availability, "lectern ops messages", () => {
  it.live("shows nobody's number, lets Solapi and people settle doubts, and sends what was never sent in a new job", () =>
    Effect.gen(function*() {
      const postgres = yield* PostgresServer
      const solapi = yield* SolapiServer
      const database = yield* postgres.createDatabase("operated")
      const env = {
        PATH: process.env["PATH"] ?? "",
        DATABASE_URL: database,
        SOLAPI_API_KEY: solapi.apiKey,
        SOLAPI_API_SECRET: solapi.apiSecret,
        SOLAPI_SENDER: sender,
        SOLAPI_BASE_URL: solapi.url
      }
      const lectern = (...args: ReadonlyArray<string>) =>
        runProgram(process.execPath, [program, "ops", "messages", ...args], { env, limit: "50 seconds" }).pipe(
          Effect.provide(NodeServices.layer)
        )
      const stores = Layer.merge(JobStorePostgres.layer, MessageLedgerPostgres.layer).pipe(
        Layer.provide(Layer.effectDiscard(migrate).pipe(Layer.provideMerge(layerTcp({ url: Redacted.make(database) }))))
      )

      yield* Effect.gen(function*() {
        const ledger = yield* MessageLedger
        const store = yield* JobStore
        const provider = makeMessageProviderSolapi({
          apiKey: solapi.apiKey,
          apiSecret: Redacted.make(solapi.apiSecret),
          baseUrl: solapi.url,
          sender
        })
        const jobId = yield* newJobId
        const addresses = Array.from({ length: 8 }, (_, index) => `0101234${5_001 + index}`)
        yield* ledger.accept(tenant, {
          jobId,
          businessKey: "k",
          digest: "",
          mode: "sms",
          subject: null,
          templateId: null,
          urgentReason: null,
          recipients: addresses.map((address) => ({ address, text: "비밀 이야기" }))
        }, defaultMessageLimits)
        const claimed = yield* store.claim(tenant, jobId, { owner: "worker", leaseMillis: 60_000 })
        if (claimed._tag !== "Claimed") return assert.fail(claimed._tag)
        const { lease } = claimed

        /** Brings two messages into doubt: as a batch that Solapi has, or as one that nobody has. */
        const doubtful = Effect.fnUntraced(function*(fate: "submitted" | "prepared" | "unknown") {
          const next = yield* ledger.next(lease, 2, defaultMessageLimits)
          const messages: ReadonlyArray<LedgerMessage> = next._tag === "Next" ? next.messages : []
          const batch = { mode: "sms", subject: null, templateId: null, messages } as const
          const prepared: PreparedBatch = fate === "unknown"
            ? { ticket: "G4VNOBODYKNOWS", taken: messages.map(({ number }) => ({ number, providerId: "M" })), refused: [] }
            : yield* provider.prepare(batch)
          yield* ledger.begin(lease, prepared, defaultMessageLimits)
          if (fate === "submitted") yield* provider.submit(prepared, batch)
          yield* ledger.settle(lease, prepared.ticket, "doubt", [])
        })
        yield* doubtful("submitted")
        yield* doubtful("prepared")
        yield* doubtful("unknown")
        const job = ["--tenant", String(tenant), jobId]

        const early = yield* lectern(...job, "--resend")
        assert.strictEqual(early.exitCode, 64, early.stderr)
        assert.match(early.stderr, /still at work/)
        yield* store.transition(lease, { _tag: "Fail", code: "provider_refused", message: "x", retryable: false })

        const text = yield* lectern(...job)
        assert.strictEqual(text.exitCode, 0, text.stderr)
        assert.include(text.stdout, "0 sent, 0 failed, 6 in doubt, 0 unsettled, 2 not sent")
        assert.include(text.stdout, "010-****-5001")
        for (const secret of [...addresses, "비밀"]) assert.notInclude(text.stdout + text.stderr, secret)

        const asked = decodeAnswer((yield* lectern(...job, "--ask", "--json")).stdout)
        assert.strictEqual(asked.done, "Solapi settled 4 of 6 messages")
        assert.deepStrictEqual(asked.counts, { ...noMessages, sent: 2, ambiguous: 2, pending: 4 })

        const settled = decodeAnswer((yield* lectern(...job, "--settle", "sent", "--numbers", "5", "--json")).stdout)
        assert.deepStrictEqual(settled.counts, { ...noMessages, sent: 3, ambiguous: 1, pending: 4 })
        assert.strictEqual((yield* lectern(...job, "--settle", "sent", "--numbers", "five")).exitCode, 64)

        const resent = decodeAnswer((yield* lectern(...job, "--resend", "--numbers", "6", "--json")).stdout)
        const [, newJob = ""] = /^Job (\S+) sends them/.exec(resent.done ?? "") ?? []
        assert.deepStrictEqual(resent.counts, { ...noMessages, sent: 3, failed: 5 })
        const again = decodeAnswer((yield* lectern("--tenant", String(tenant), newJob, "--json")).stdout)
        assert.deepStrictEqual(again.counts, { ...noMessages, pending: 5 })
        assert.deepStrictEqual(again.messages.map(({ to }) => to.slice(-4)), ["5003", "5004", "5006", "5007", "5008"])

        const stranger = yield* lectern("--tenant", "6", jobId)
        assert.strictEqual(stranger.exitCode, 64)
        assert.strictEqual(solapi.deliveries.length, 2)
      }).pipe(Effect.provide(stores))
    }).pipe(Effect.provide(Layer.merge(PostgresServer.layer, SolapiServer.layer))), 180_000)
})
