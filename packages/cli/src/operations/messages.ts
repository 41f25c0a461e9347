import {
  messageContradictions,
  messageSettings,
  messageVariables,
  readEnvironment,
  serviceContradictions,
  serviceVariables
} from "@lectern/adapters/environment"
import { MessageLedgerPostgres } from "@lectern/adapters/postgres"
import {
  JobDispatcher,
  JobId,
  JobRecorder,
  type LedgerMessage,
  type MailingState,
  maskedAddress,
  MessageLedger,
  type MessageProvider,
  newJobId,
  TenantId,
  undispatched
} from "@lectern/domain"
import { solapiProvider } from "@lectern/worker-ai"
import { Console, Effect, Layer, Option, Schema } from "effect"
import process from "node:process"
import { exitCodes, fail } from "../CommandFailed.ts"
import { badConfiguration, withLogs } from "../logs.ts"
import { databaseAway } from "./deployment.ts"
import { operatorLayer } from "./OperatorSystem.ts"

export interface MessagesRequest {
  readonly job: string
  readonly tenant: number
  readonly ask: boolean
  readonly settle: Option.Option<"sent" | "failed">
  readonly resend: boolean
  readonly numbers: Option.Option<string>
  readonly json: boolean
}

/** Rows of a list: more than anybody settles by hand. */
const shownRows = 200

/** More than a job has. */
const everyMessage = 1_000_000

const Numbers = Schema.Array(Schema.NumberFromString.check(Schema.isInt(), Schema.isGreaterThan(0)))
const decodeNumbers = Schema.decodeUnknownEffect(Numbers)
const encodeJson = Schema.encodeSync(Schema.fromJsonString(Schema.Json))

const numbersOf = (text: Option.Option<string>) =>
  decodeNumbers(Option.isNone(text) ? [] : text.value.split(",").map((part) => part.trim())).pipe(
    Effect.catchTag("SchemaError", () =>
      fail(exitCodes.badInput, "--numbers takes numbers of messages with commas between them, such as 3,17"))
  )

/** What an operator may see of a message: never its text, and of its address enough to tell two apart. */
const shown = ({ address, number, reason, state, ticket }: LedgerMessage) => ({
  number,
  to: maskedAddress(address),
  state,
  reason,
  batch: ticket
})

const text = ({ counts }: MailingState, messages: ReadonlyArray<LedgerMessage>, done: string | null): string =>
  [
    ...done === null ? [] : [done],
    `${counts.sent} sent, ${counts.failed} failed, ${counts.ambiguous} in doubt, `
    + `${counts.sending} unsettled, ${counts.pending} not sent`,
    ...messages.map((message) => {
      const { batch, number, reason, state, to } = shown(message)
      return ["", number, to, state, ...reason === null ? [] : [reason], ...batch === null ? [] : [`(batch ${batch})`]]
        .join("  ")
    })
  ].join("\n")

/** Asks the provider about every batch in doubt; answers the sentence that says what came of it. */
const askProvider = Effect.fnUntraced(function*(provider: MessageProvider, tenantId: TenantId, jobId: JobId) {
  const ledger = yield* MessageLedger
  const { mailing, messages } = yield* ledger.list(tenantId, jobId, ["ambiguous", "sending"], everyMessage)
  if (mailing.mode === "email") {
    return "Nobody can be asked about e-mail: look for the batch, its Message-ID, in the mail server's log"
  }
  const batches = Map.groupBy(messages, ({ ticket }) => ticket)
  let settled = 0
  for (const [ticket, open] of batches) {
    if (ticket === null) continue
    const verdict = yield* provider.resolve(ticket)
    if (verdict === "Unknown") continue
    const numbers = open.map(({ number }) => number)
    settled += yield* ledger.decide(tenantId, jobId, numbers, verdict === "Sent" ? "confirm" : "withdraw")
  }
  return `${provider.name} settled ${settled} of ${messages.length} messages`
})

/** Shows the messages of a job that need a person, after doing what the person wants. */
export const operateMessages = Effect.fn(function*(request: MessagesRequest) {
  const environment = yield* readEnvironment({ ...serviceVariables, ...messageVariables }, process.env, (isSet) => [
    ...serviceContradictions(isSet),
    ...messageContradictions(isSet)
  ]).pipe(Effect.catchTag("BadConfiguration", badConfiguration))
  const { DATABASE_URL } = environment
  if (DATABASE_URL === undefined) {
    return yield* fail(exitCodes.configuration, "DATABASE_URL is not set: the messages are there")
  }
  const { solapi } = messageSettings(environment)
  if (request.ask && Option.isNone(solapi)) {
    return yield* fail(
      exitCodes.configuration,
      "SOLAPI_API_KEY, SOLAPI_API_SECRET and SOLAPI_SENDER are not set: nobody can be asked"
    )
  }
  const numbers = yield* numbersOf(request.numbers)
  const tenantId = TenantId.make(request.tenant)
  const jobId = JobId.make(request.job)

  const answer = yield* Effect.gen(function*() {
    const ledger = yield* MessageLedger
    let done: string | null = null
    if (request.ask && Option.isSome(solapi)) done = yield* askProvider(solapiProvider(solapi.value), tenantId, jobId)
    if (Option.isSome(request.settle)) {
      const event = request.settle.value === "sent" ? "confirm" : "refuse"
      const changed = yield* ledger.decide(tenantId, jobId, numbers, event)
      done = `${changed} of ${numbers.length} messages are ${request.settle.value} now`
    }
    if (request.resend) {
      const recorder = yield* JobRecorder
      const dispatcher = yield* JobDispatcher
      const { job } = yield* recorder.commit(ledger.resend(tenantId, jobId, numbers, yield* newJobId))
      const handedOver = yield* dispatcher.dispatchSoon(undispatched(job))
      done = `Job ${job.id} sends them${handedOver === "Dispatched" ? "" : " as soon as a sweep hands it over"}`
    }
    return { done, ...(yield* ledger.list(tenantId, jobId, ["ambiguous", "sending", "failed", "pending"], shownRows)) }
  }).pipe(
    Effect.provide(MessageLedgerPostgres.layer.pipe(Layer.provideMerge(operatorLayer(environment, DATABASE_URL)))),
    Effect.catchTags({
      JobNotFound: (error) => fail(exitCodes.badInput, `${error.message} with messages of tenant ${request.tenant}`),
      NothingToResend: (error) => fail(exitCodes.badInput, error.message),
      ProviderUnavailable: (error) =>
        fail(exitCodes.unavailable, `${error.message}; what it said before is written down`)
    }),
    Effect.catchIf((error) => error._tag !== "CommandFailed", databaseAway(DATABASE_URL))
  )
  const { done, mailing, messages } = answer
  yield* Console.log(request.json
    ? encodeJson({ done, counts: { ...mailing.counts }, messages: messages.map(shown) })
    : text(mailing, messages, done))
}, withLogs)
