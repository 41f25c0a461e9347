/** SQS's own protocol, without the client that the product uses. */
import { jobQueueNames, maxReceiveCount, messagingQueueName, type QueueNames } from "@lectern/adapters/sqs"
import { assert } from "@effect/vitest"
import { Effect, Schema } from "effect"

const Answer = Schema.fromJsonString(Schema.Struct({
  Messages: Schema.optionalKey(Schema.Array(Schema.Struct({ Body: Schema.String, ReceiptHandle: Schema.String }))),
  Attributes: Schema.optionalKey(Schema.Record(Schema.String, Schema.String))
}))
const decodeAnswer = Schema.decodeUnknownSync(Answer)

const ask = (endpoint: string, action: string, body: Readonly<Record<string, unknown>>) =>
  Effect.promise(async () => {
    const response = await fetch(`${endpoint}/`, {
      method: "POST",
      headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": `AmazonSQS.${action}` },
      body: JSON.stringify(body)
    })
    const text = await response.text()
    assert.isTrue(response.ok, `${action} answered ${response.status}: ${text}`)
    return decodeAnswer(text === "" ? "{}" : text)
  })

export const queueUrl = (endpoint: string, name: string): string => `${endpoint}/000000000000/${name}`

/** The contract's queues with their dead letters, and the variables that name them. */
export const createQueues = Effect.fnUntraced(function*(endpoint: string) {
  const pairs: ReadonlyArray<readonly [string, QueueNames]> = [
    ...Object.entries(jobQueueNames),
    ["messaging", messagingQueueName]
  ]
  const variables: Record<string, string> = {}
  for (const [lane, { deadLetterQueue, queue }] of pairs) {
    yield* ask(endpoint, "CreateQueue", { QueueName: deadLetterQueue })
    const deadLetterTargetArn = `arn:aws:sqs:us-east-1:000000000000:${deadLetterQueue}`
    yield* ask(endpoint, "CreateQueue", {
      QueueName: queue,
      Attributes: { RedrivePolicy: JSON.stringify({ deadLetterTargetArn, maxReceiveCount }) }
    })
    variables[`SQS_QUEUE_URL_${lane.toUpperCase()}`] = queueUrl(endpoint, queue)
  }
  return variables
})

export const sendText = (url: string, text: string) =>
  ask(new URL(url).origin, "SendMessage", { QueueUrl: url, MessageBody: text })

/** Messages in a queue, in hand or not. */
export const messagesIn = (url: string) =>
  Effect.map(
    ask(new URL(url).origin, "GetQueueAttributes", {
      QueueUrl: url,
      AttributeNames: ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    }),
    ({ Attributes = {} }) => Object.values(Attributes).reduce((sum, count) => sum + Number(count), 0)
  )

/** Takes every message out of a queue. */
export const drain = Effect.fnUntraced(function*(url: string) {
  const texts: Array<string> = []
  while (true) {
    const { Messages = [] } = yield* ask(new URL(url).origin, "ReceiveMessage", {
      QueueUrl: url,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 0
    })
    if (Messages.length === 0) return texts
    for (const { Body, ReceiptHandle } of Messages) {
      texts.push(Body)
      yield* ask(new URL(url).origin, "DeleteMessage", { QueueUrl: url, ReceiptHandle })
    }
  }
})
