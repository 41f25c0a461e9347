import { assert, it } from "@effect/vitest"
import { jobQueueNames, messagingQueueName } from "@lectern/adapters/sqs"
import { describeIf, FauxqsServer, PostgresServer, RedisServer } from "@lectern/harness"
import { Effect } from "effect"
import { importResult, makeBrowser, send } from "./Browser.ts"
import { madeRoster, workbookOf } from "./madeRoster.ts"
import { madeVideo } from "./madeVideo.ts"
import { startSystem } from "./RunningSystem.ts"

const bucket = "lectern-media"
const createBucket = Effect.fnUntraced(function*(endpoint: string) {
  assert.strictEqual((yield* send(`${endpoint}/${bucket}`, { method: "PUT" })).status, 200)
})

const createQueue = Effect.fnUntraced(function*(endpoint: string, name: string) {
  const answer = yield* send(`${endpoint}/`, {
    method: "POST",
    headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.CreateQueue" },
    body: JSON.stringify({ QueueName: name })
  })
  assert.strictEqual(answer.status, 200, answer.body)
  // With the address that it is reached at: the answer names a host that only AWS's own resolver knows.
  return `${endpoint}/000000000000/${name}`
})

const playlist = Effect.fnUntraced(function*(url: string) {
  const answer = yield* send(url)
  assert.strictEqual(answer.status, 200, url)
  assert.match(answer.body, /^#EXTM3U/)
  return answer.body.split("\n").filter((line) => line !== "" && !line.startsWith("#")).map((line) => new URL(line, url).href)
})

const needed = PostgresServer.availability.available ? RedisServer.availability : PostgresServer.availability

describeIf(needed, "a system on real services", () => {
  it.live("takes a video to READY and a class list to DONE, and its addresses answer", () =>
    Effect.gen(function*() {
      const postgres = yield* PostgresServer.make()
      const redis = yield* RedisServer.make()
      const aws = yield* FauxqsServer.make
      yield* createBucket(aws.url)
      const queues: Record<string, string> = {}
      for (const [lane, { deadLetterQueue, queue }] of Object.entries({ ...jobQueueNames, messaging: messagingQueueName })) {
        queues[`SQS_QUEUE_URL_${lane.toUpperCase()}`] = yield* createQueue(aws.url, queue)
        yield* createQueue(aws.url, deadLetterQueue)
      }
      const system = yield* startSystem({
        env: {
          ...queues,
          DATABASE_URL: yield* postgres.createDatabase("lectern"),
          REDIS_URL: redis.url,
          S3_ENDPOINT: aws.url,
          S3_BUCKET: bucket,
          S3_ACCESS_KEY_ID: "test",
          S3_SECRET_ACCESS_KEY: "test",
          S3_REGION: "us-east-1",
          AWS_REGION: "us-east-1",
          AWS_ACCESS_KEY_ID: "test",
          AWS_SECRET_ACCESS_KEY: "test"
        }
      })
      const browser = yield* makeBrowser(system)
      const good = madeRoster(200)
      const roster = yield* browser.startImport(good)
      const faulty = yield* browser.startImport(workbookOf([
        ["이름", "학부모 연락처"],
        ["김하나", "010-1234-5678"],
        ["이두리", "전화 없음"]
      ]))
      const id = yield* browser.uploadVideo(yield* madeVideo({ seconds: 3 }))

      const video = yield* browser.endedVideo(id)
      assert.strictEqual(video.status, "READY")
      assert.strictEqual((yield* browser.videoProgress(id)).status, "READY")
      const [variant] = yield* playlist(video.hls_url ?? "")
      const [segment] = yield* playlist(variant ?? "")
      const media = yield* send(segment ?? "")
      assert.strictEqual(media.status, 200)
      assert.isAbove(media.body.length, 1_000)
      assert.strictEqual((yield* send(video.thumbnail_url ?? "")).status, 200)

      const imported = yield* browser.endedJob(roster)
      assert.strictEqual(imported.status, "DONE")
      assert.deepInclude(yield* importResult(imported), { created: 200, duplicates: 0, failed_rows: 0 })
      assert.strictEqual((yield* browser.jobProgress(roster)).status, "DONE")

      const result = yield* importResult(yield* browser.endedJob(faulty))
      assert.deepInclude(result, { created: 1, failed_rows: 1, total: 2 })
      assert.strictEqual(result.failed[0]?.cell, "B3")
      const download = yield* Effect.promise(() => fetch(result.download_url))
      assert.strictEqual(download.status, 200)
      // It opens: handed in again as it is, it says the same of its rows.
      const workbook = Buffer.from(yield* Effect.promise(() => download.arrayBuffer()))
      const again = yield* browser.endedJob(yield* browser.startImport(workbook, "again.xlsx"))
      assert.strictEqual(again.status, "DONE")
      assert.deepInclude(yield* importResult(again), { created: 0, duplicates: 1, failed_rows: 1, total: 2 })
    }), 120_000)
})
