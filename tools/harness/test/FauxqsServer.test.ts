import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from "@aws-sdk/client-s3"
import { CreateQueueCommand, ReceiveMessageCommand, SendMessageCommand, SQSClient } from "@aws-sdk/client-sqs"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { networkInterfaces } from "node:os"
import { connect } from "node:net"
import { FauxqsServer } from "../src/index.ts"

const clients = (endpoint: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const common = { endpoint, region: "us-east-1", credentials: { accessKeyId: "a", secretAccessKey: "b" } }
      return { sqs: new SQSClient(common), s3: new S3Client({ ...common, forcePathStyle: true }) }
    }),
    ({ sqs, s3 }) =>
      Effect.sync(() => {
        sqs.destroy()
        s3.destroy()
      })
  )

describe("FauxqsServer", () => {
  it.effect("keeps a queue's messages and a bucket's objects through a kill and a restart", () =>
    Effect.gen(function*() {
      const server = yield* FauxqsServer.make
      const { s3, sqs } = yield* clients(server.url)
      const { QueueUrl } = yield* Effect.promise(() => sqs.send(new CreateQueueCommand({ QueueName: "jobs" })))
      yield* Effect.promise(() => sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: "one" })))
      yield* Effect.promise(() => s3.send(new CreateBucketCommand({ Bucket: "media" })))
      yield* Effect.promise(() => s3.send(new PutObjectCommand({ Bucket: "media", Key: "a/b", Body: "bytes" })))
      yield* server.kill
      yield* server.restart
      const received = yield* Effect.promise(() => sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1 })))
      assert.deepStrictEqual(received.Messages?.map(({ Body }) => Body), ["one"])
      const object = yield* Effect.promise(() => s3.send(new GetObjectCommand({ Bucket: "media", Key: "a/b" })))
      assert.strictEqual(yield* Effect.promise(async () => object.Body?.transformToString()), "bytes")
    }))

  it.effect("listens on the loopback interface alone", ({ skip }) =>
    Effect.gen(function*() {
      const outside = Object.values(networkInterfaces()).flat().find((face) => face?.family === "IPv4" && !face.internal)
      if (outside === undefined) return skip("this machine has no other interface than loopback")
      const server = yield* FauxqsServer.make
      const outcome = yield* Effect.callback<string>((resume) => {
        const socket = connect({ host: outside.address, port: server.port })
        socket.once("connect", () => {
          socket.destroy()
          resume(Effect.succeed("connected"))
        })
        socket.once("error", (cause: NodeJS.ErrnoException) => resume(Effect.succeed(cause.code ?? cause.message)))
      })
      assert.strictEqual(outcome, "ECONNREFUSED")
    }))
})
