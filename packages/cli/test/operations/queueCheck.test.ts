import { assert, it } from "@effect/vitest"
import { ClosedPort, FauxqsServer, SilentPort } from "@lectern/harness"
import { Effect, Schema } from "effect"
import { afterAll, beforeAll, vi } from "vitest"
import { queueCheck } from "../../src/operations/queueCheck.ts"
import { causeOf, passOf } from "./outcomes.ts"

beforeAll(() => {
  vi.stubEnv("AWS_ACCESS_KEY_ID", "key")
  vi.stubEnv("AWS_SECRET_ACCESS_KEY", "s3cret")
})
afterAll(() => vi.unstubAllEnvs())

const variablesAt = (port: number) => ({
  SQS_QUEUE_URL_LITE: `http://127.0.0.1:${port}/000000000000/jobs-lite`,
  SQS_QUEUE_URL_BASIC: `http://127.0.0.1:${port}/000000000000/jobs-basic`,
  SQS_QUEUE_URL_PREMIUM: `http://127.0.0.1:${port}/000000000000/jobs-premium`,
  SQS_QUEUE_URL_MESSAGING: `http://127.0.0.1:${port}/000000000000/messaging-jobs`,
  AWS_REGION: "us-east-1"
})

const Answer = Schema.Struct({
  QueueUrls: Schema.optionalKey(Schema.Array(Schema.String)),
  Messages: Schema.optionalKey(Schema.Array(Schema.Struct({
    Body: Schema.String,
    Attributes: Schema.optionalKey(Schema.Struct({ ApproximateReceiveCount: Schema.String }))
  })))
})
const decodeAnswer = Schema.decodeUnknownSync(Answer)

/** SQS's own protocol, without the SDK that the check uses. */
const ask = (port: number, action: string, body: Readonly<Record<string, unknown>>) =>
  Effect.promise(async () => {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${action}` },
      body: JSON.stringify(body)
    })
    assert.isTrue(response.ok, `${action} answered ${response.status}`)
    const text = await response.text()
    return decodeAnswer(text === "" ? {} : Schema.decodeSync(Schema.fromJsonString(Schema.Unknown))(text))
  })

const names = ["jobs-lite", "jobs-basic", "jobs-premium", "messaging-jobs"]

const receiveAll = (port: number, queue: string) =>
  ask(port, "ReceiveMessage", {
    QueueUrl: `http://127.0.0.1:${port}/000000000000/${queue}`,
    MaxNumberOfMessages: 10,
    MessageSystemAttributeNames: ["ApproximateReceiveCount"]
  })

it.live("A message goes through each queue and back, and nothing is left in them", () =>
  Effect.gen(function*() {
    const { port } = yield* FauxqsServer.make
    for (const QueueName of names) yield* ask(port, "CreateQueue", { QueueName })
    assert.match(passOf(yield* queueCheck(variablesAt(port), false)).detail.en, /^jobs-lite: through the queue and back; /)
    for (const name of names) assert.deepStrictEqual((yield* receiveAll(port, name)).Messages ?? [], [])
  }))

it.live("A live message is not received: it is there at once, handed out for the first time", () =>
  Effect.gen(function*() {
    const { port } = yield* FauxqsServer.make
    for (const QueueName of names) yield* ask(port, "CreateQueue", { QueueName })
    yield* ask(port, "SendMessage", { QueueUrl: `http://127.0.0.1:${port}/000000000000/jobs-basic`, MessageBody: "live" })
    assert.match(passOf(yield* queueCheck(variablesAt(port), false)).detail.en, /jobs-basic: holds 1 messages of others/)
    const { Messages = [] } = yield* receiveAll(port, "jobs-basic")
    const live = Messages.filter(({ Body }) => Body === "live")
    assert.deepStrictEqual(live.map(({ Attributes }) => Attributes?.ApproximateReceiveCount), ["1"])
    const { QueueUrls = [] } = yield* ask(port, "ListQueues", {})
    assert.strictEqual(QueueUrls.length, names.length, "the queue beside the busy one is gone")
  }))

it.live("A missing queue, a closed port and a silent port are told apart", () =>
  Effect.gen(function*() {
    const { port } = yield* FauxqsServer.make
    const closed = yield* ClosedPort.make
    const silent = yield* SilentPort.make
    for (const QueueName of names.slice(1)) yield* ask(port, "CreateQueue", { QueueName })
    const causes = yield* Effect.all([port, closed.port, silent.port].map((at) =>
      Effect.map(queueCheck(variablesAt(at), false), causeOf)), { concurrency: "unbounded" })
    assert.match(causes[0] ?? "", /no SQS queue jobs-lite/)
    assert.match(causes[1] ?? "", /refused the connection/)
    assert.match(causes[2] ?? "", /gave no answer in time/)
  }))

it.live("One queue that is not named fails the check, even where only this machine is looked at", () =>
  Effect.gen(function*() {
    const { SQS_QUEUE_URL_LITE } = variablesAt(1)
    assert.match(causeOf(yield* queueCheck({ SQS_QUEUE_URL_LITE }, false)), /SQS_QUEUE_URL_BASIC, SQS_QUEUE_URL_PREMIUM, SQS_QUEUE_URL_MESSAGING is not set/)
    assert.strictEqual((yield* queueCheck({ SQS_QUEUE_URL_LITE }, true))._tag, "Fail")
    assert.strictEqual((yield* queueCheck({}, true))._tag, "Skip")
  }))
