/**
 * Ten thousand people get one message each while the worker that writes to them is killed ten times, at moments that
 * are seen from the provider's side: the place where a message is sent twice, if it is.
 */
import { CreateQueueCommand, SQSClient } from "@aws-sdk/client-sqs"
import { assert, it } from "@effect/vitest"
import { JobStorePostgres, layerTcp, MessageLedgerPostgres, migrate } from "@lectern/adapters/postgres"
import { JobQueueSqs } from "@lectern/adapters/sqs"
import {
  isTerminal,
  JobMessage,
  JobQueue,
  JobRecorder,
  JobStore,
  MessageLedger,
  newJobId,
  noMessages,
  TenantId,
  type Undispatched
} from "@lectern/domain"
import { ProgressMirrorMemory } from "@lectern/domain/memory"
import { describeIf, FauxqsServer, PostgresServer, type SolapiListener, SolapiServer, Warden } from "@lectern/harness"
import { Context, Effect, Layer, Redacted, Schedule } from "effect"
import { type ChildProcess, spawn } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { shortLives } from "./shortLives.ts"

const people = 10_000
const tenant = TenantId.make(7)
const limits = { perMinute: 1_000_000, perDay: 1_000_000 }
const program = fileURLToPath(new URL("workerProgram.ts", import.meta.url))

/** What the provider was just doing when the worker died, by how many messages had gone out. */
const deaths: ReadonlyArray<readonly [...seen: Parameters<SolapiListener>, sent: number]> = [
  ["create", "done", 0],
  ["add", "done", 0],
  ["send", "asked", 200],
  ["send", "done", 1_000],
  ["send", "done", 2_200],
  ["add", "asked", 3_400],
  ["send", "asked", 4_600],
  ["send", "done", 6_000],
  ["look", "done", 6_000],
  ["send", "done", 9_600]
]

interface Places {
  readonly database: string
  readonly queue: string
}

class World extends Context.Service<World, Places>()("test/World") {}

const world = Layer.effect(
  World,
  Effect.gen(function*() {
    const postgres = yield* PostgresServer
    const fauxqs = yield* FauxqsServer
    const sqs = yield* Effect.acquireRelease(
      Effect.sync(() =>
        new SQSClient({
          endpoint: fauxqs.url,
          region: "us-east-1",
          credentials: { accessKeyId: "key", secretAccessKey: "secret" }
        })
      ),
      (client) => Effect.sync(() => client.destroy())
    )
    yield* Effect.promise(() => sqs.send(new CreateQueueCommand({ QueueName: "messages" })))
    // By the address that it is reached at: the queue's own has a host that no resolver knows.
    return { database: yield* postgres.createDatabase("messages"), queue: `${fauxqs.url}/000000000000/messages` }
  })
).pipe(Layer.provide(Layer.merge(PostgresServer.layer, FauxqsServer.layer)))

const services = Layer.unwrap(Effect.map(World, ({ database, queue }) => {
  const lane = { url: queue, deadLetterUrl: `${queue}-dlq` }
  return JobRecorder.layer.pipe(
    Layer.provide(ProgressMirrorMemory.layer),
    Layer.provideMerge(Layer.mergeAll(
      Layer.merge(JobStorePostgres.layerWith(shortLives), MessageLedgerPostgres.layer).pipe(
        Layer.provide(Layer.effectDiscard(migrate).pipe(Layer.provideMerge(layerTcp({ url: Redacted.make(database) }))))
      ),
      JobQueueSqs.layer({
        region: "us-east-1",
        endpoint: new URL(queue).origin,
        credentials: { accessKeyId: "key", secretAccessKey: Redacted.make("secret") },
        queues: { lite: lane, basic: lane, premium: lane, messaging: lane },
        receiveFrom: ["messaging"]
      })
    ))
  )
}))

/** Hands a job over and takes back what dead workers hold, as the system's own sweep does. */
const upkeep = Effect.gen(function*() {
  const store = yield* JobStore
  const queue = yield* JobQueue
  const handOver = Effect.fnUntraced(function*(job: Undispatched) {
    const id = yield* queue.send(
      new JobMessage({
        job_id: job.jobId,
        job_type: job.kind,
        tier: job.tier,
        tenant_id: job.tenantId,
        payload: job.payload,
        created_at: new Date(job.createdAt).toISOString(),
        attempt: job.attempt + 1
      })
    )
    yield* store.markDispatched(job, job.attempt, id)
  })
  return yield* Effect.forever(Effect.gen(function*() {
    for (const row of yield* store.findExpired(10)) {
      yield* store.intervene(row, { _tag: "Expire", attempt: row.attempt, message: "멈췄습니다" })
    }
    for (const job of yield* store.findUndispatched({ olderThanMillis: 2_500, limit: 10 })) yield* handOver(job)
    yield* Effect.sleep("200 millis")
  }))
})

/** One worker at a time, and another one as soon as it is killed. */
const workers = Effect.fnUntraced(function*(
  places: Places & { readonly solapi: string; readonly apiKey: string; readonly apiSecret: string }
) {
  let current: ChildProcess | null = null
  let kills = 0
  let over = false
  const start = (): void => {
    if (over) return
    current = Warden.held(
      spawn(process.execPath, [program, JSON.stringify(places)], { stdio: ["ignore", "ignore", "inherit"] })
    )
  }
  const kill = async (): Promise<void> => {
    const child = current
    if (child === null) return
    const ended = once(child, "exit")
    child.kill("SIGKILL")
    await ended
    kills += 1
    start()
  }
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      over = true
      current?.kill("SIGKILL")
    }))
  start()
  return { kill, kills: () => kills }
})

describeIf(PostgresServer.availability, "A worker of messages that is killed again and again", () => {
  it.live("has written to each of ten thousand people exactly once, and knows it", () =>
    Effect.gen(function*() {
      const { database, queue } = yield* World
      const solapi = yield* SolapiServer
      const store = yield* JobStore
      const ledger = yield* MessageLedger
      const jobId = yield* newJobId
      const addresses = Array.from(
        { length: people },
        (_, index) => `010${2_000 + Math.floor(index / 9_000)}${1_000 + index % 9_000}`
      )
      yield* ledger.accept(tenant, {
        jobId,
        businessKey: "notice",
        digest: "",
        mode: "sms",
        subject: null,
        templateId: null,
        urgentReason: null,
        recipients: addresses.map((address, index) => ({ address, text: `${index} 학생은 내일 쉽니다` }))
      }, limits)

      const { apiKey, apiSecret, url } = solapi
      const hands = yield* workers({ database, queue, apiKey, apiSecret, solapi: url })
      const plan = [...deaths]
      solapi.script("send", ["ok", "broken", "ok", "done-broken", "ok", "ok", "throttled", "done-malformed"])
      solapi.watch(async (operation, moment) => {
        const [next] = plan
        if (next === undefined || next[0] !== operation || next[1] !== moment) return
        if (solapi.deliveries.length < next[2]) return
        plan.shift()
        await hands.kill()
      })

      const { job } = yield* store.getJob(tenant, jobId).pipe(
        Effect.repeat({ until: ({ job }) => isTerminal(job.status), schedule: Schedule.spaced("250 millis") }),
        Effect.raceFirst(upkeep)
      )

      assert.deepStrictEqual(plan, [])
      assert.strictEqual(hands.kills(), deaths.length)
      const times = new Map<string, number>()
      for (const { to } of solapi.deliveries) times.set(to, (times.get(to) ?? 0) + 1)
      assert.deepStrictEqual([...times].filter(([, count]) => count !== 1), [])
      assert.deepStrictEqual(addresses.filter((address) => !times.has(address)), [])
      assert.strictEqual(solapi.deliveries.length, people)
      assert.deepInclude(job, { status: "DONE", errorMessage: null })
      assert.deepStrictEqual((yield* ledger.list(tenant, jobId, [], 0)).mailing.counts, { ...noMessages, sent: people })
    }).pipe(
      Effect.provide(services.pipe(Layer.provideMerge(world), Layer.provideMerge(SolapiServer.layer))),
      Effect.scoped
    ), 240_000)
})
