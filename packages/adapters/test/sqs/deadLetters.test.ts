import { CreateQueueCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs"
import { assert, it } from "@effect/vitest"
import { JobId, JobMessage, JobMessageJson, TenantId } from "@lectern/domain"
import { ClosedPort } from "@lectern/harness"
import { Effect, Option, Redacted, Schema } from "effect"
import { clientConfig } from "../../src/aws/index.ts"
import { type DeadLetter, type DeadLetterQueue, visitDeadLetters } from "../../src/sqs/index.ts"
import { startFauxqsInMemory } from "./FauxqsInMemory.ts"

const queueAt = (endpoint: string): DeadLetterQueue => ({
  url: `${endpoint}/000000000000/jobs-dlq`,
  endpoint,
  region: "us-east-1",
  credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") }
})

const encode = Schema.encodeSync(JobMessageJson)
const messageOf = (jobId: string): string =>
  encode(
    new JobMessage({
      job_id: JobId.make(jobId),
      job_type: "student_import",
      tier: "basic",
      tenant_id: TenantId.make(7),
      payload: {},
      created_at: "2026-11-21T00:00:00.000Z",
      attempt: 1
    })
  )

const nameOf = ({ body, message }: DeadLetter): string => Option.match(message, { onNone: () => body, onSome: ({ job_id }) => job_id })

it.live("Every dead letter is met once, and is there again afterwards unless it was removed", () =>
  Effect.gen(function*() {
    const { url } = yield* startFauxqsInMemory
    const queue = queueAt(url)
    const bodies = [...Array.from({ length: 23 }, (_, n) => messageOf(`job-${n}`)), "not one of ours"]
    yield* Effect.promise(async () => {
      const sqs = new SQSClient(clientConfig(queue))
      await sqs.send(new CreateQueueCommand({ QueueName: "jobs-dlq" }))
      for (const MessageBody of bodies) await sqs.send(new SendMessageCommand({ QueueUrl: queue.url, MessageBody }))
      sqs.destroy()
    })
    const all = [...Array.from({ length: 23 }, (_, n) => `job-${n}`), "not one of ours"].sort()
    const look = visitDeadLetters(queue, (letter) => Effect.succeed(nameOf(letter)))
    assert.deepStrictEqual([...(yield* look)].sort(), all)
    yield* visitDeadLetters(queue, (letter) => nameOf(letter).endsWith("1") ? letter.remove : Effect.void)
    const left = all.filter((name) => !name.endsWith("1"))
    assert.deepStrictEqual([...(yield* look)].sort(), left)
    // A visit that fails gives everything back as well.
    yield* Effect.flip(visitDeadLetters(queue, () => Effect.fail("stop")))
    assert.deepStrictEqual([...(yield* look)].sort(), left)
  }))

it.live("Dead letters that cannot be reached are told as what they are", () =>
  Effect.gen(function*() {
    const { port } = yield* ClosedPort.make
    const error = yield* Effect.flip(visitDeadLetters({ ...queueAt(`http://127.0.0.1:${port}`), maxAttempts: 1 }, Effect.succeed))
    assert.strictEqual(error._tag, "QueueUnavailable")
  }))
