import { assert, describe, it } from "@effect/vitest"
import { Effect, Redacted } from "effect"
import { readWorkerSettings } from "../src/index.ts"

const queueUrl = (name: string) => `http://127.0.0.1:1/000000000000/${name}`

const complete = {
  DATABASE_URL: "postgres://u:p@127.0.0.1:1/d",
  REDIS_URL: "redis://127.0.0.1:1",
  SQS_QUEUE_URL_LITE: queueUrl("lite"),
  SQS_QUEUE_URL_BASIC: queueUrl("basic"),
  SQS_QUEUE_URL_PREMIUM: queueUrl("premium"),
  SQS_QUEUE_URL_MESSAGING: queueUrl("messaging"),
  S3_ENDPOINT: "http://127.0.0.1:1",
  S3_BUCKET: "b",
  S3_ACCESS_KEY_ID: "k",
  S3_SECRET_ACCESS_KEY: "s3cret"
}

describe("the settings of a worker", () => {
  it.effect("are whole with the services alone, and then serve every queue, the most urgent first", () =>
    Effect.gen(function*() {
      const settings = yield* readWorkerSettings(complete)
      assert.deepStrictEqual(settings.receiveFrom, ["premium", "messaging", "basic", "lite"])
      assert.deepStrictEqual([settings.concurrency, settings.leaseMillis, settings.graceMillis], [2, 60_000, 15_000])
      assert.strictEqual(settings.queues.messaging.deadLetterUrl, queueUrl("messaging-dlq"))
      assert.strictEqual(Redacted.value(settings.redis), complete.REDIS_URL)
    }))

  it.effect("serve the tiers that they name, in the order of their urgency", () =>
    Effect.gen(function*() {
      const { receiveFrom } = yield* readWorkerSettings({ ...complete, WORKER_TIERS: "lite, messaging" })
      assert.deepStrictEqual(receiveFrom, ["messaging", "lite"])
    }))

  it.effect("name every fault at once, and no secret", () =>
    Effect.gen(function*() {
      const missing = yield* Effect.flip(readWorkerSettings({}))
      assert.deepStrictEqual(missing.faults.map((fault) => fault.split(":")[0]), [
        "DATABASE_URL",
        "REDIS_URL",
        "SQS_QUEUE_URL_LITE, _BASIC, _PREMIUM and _MESSAGING",
        "R2_ENDPOINT or S3_ENDPOINT"
      ])
      const wrong = yield* Effect.flip(
        readWorkerSettings({ ...complete, WORKER_TIERS: "gold", WORKER_CONCURRENCY: "0", REDIS_URL: "s3cret" })
      )
      assert.sameMembers(wrong.faults.map((fault) => fault.split(":")[0]), ["WORKER_TIERS", "WORKER_CONCURRENCY", "REDIS_URL"])
      assert.notInclude(wrong.message, "s3cret")
    }))
})
