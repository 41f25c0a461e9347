/** The commands as an operator starts them, in processes of their own. */
import { NodeServices } from "@effect/platform-node"
import { assert, it } from "@effect/vitest"
import { layerTcp, migrate } from "@lectern/adapters/postgres"
import { describeIf, FauxqsServer, PostgresServer, RedisServer } from "@lectern/harness"
import { Effect, Redacted, Schema } from "effect"
import { fileURLToPath } from "node:url"
import { runProgram } from "../../src/operations/runProgram.ts"

const program = fileURLToPath(new URL("../../bin/lectern.mjs", import.meta.url))

const lectern = (args: ReadonlyArray<string>, env: Readonly<Record<string, string>> = {}) =>
  runProgram(process.execPath, [program, ...args], { env: { PATH: process.env["PATH"] ?? "", ...env }, limit: "50 seconds" }).pipe(
    Effect.provide(NodeServices.layer)
  )

const decodeReport = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({
  passed: Schema.Int,
  ok: Schema.Boolean,
  checks: Schema.Array(Schema.Struct({ id: Schema.String, outcome: Schema.String }))
})))

it.live("An old worker option says \"Batch only\" on standard error and ends with 64", () =>
  Effect.gen(function*() {
    const { exitCode, stderr, stdout } = yield* lectern(["worker", "--video"])
    assert.deepStrictEqual([exitCode, stdout], [64, ""])
    assert.match(stderr, /Batch only/)
    assert.strictEqual((yield* lectern(["up"], { SQS_QUEUE_URL_VIDEO: "http://127.0.0.1/q" })).exitCode, 64)
  }))

it.live("Readiness on a machine without services skips three checks, and that is no pass", () =>
  Effect.gen(function*() {
    const { exitCode, stdout } = yield* lectern(["readiness", "--local"])
    assert.strictEqual(exitCode, 1)
    assert.deepStrictEqual(stdout.match(/^\[[A-Z]+\] \[\d\]/gm), ["[PASS] [1]", "[SKIP] [2]", "[SKIP] [3]", "[SKIP] [4]"])
    assert.match(stdout, /^통과: 1\/4$/m)
  }))

it.live("Each command of operators has its help", () =>
  Effect.gen(function*() {
    const commands = [
      ["readiness"],
      ["preflight"],
      ["ops", "sweep"],
      ["ops", "reconcile"],
      ["ops", "dead-letters", "list"],
      ["ops", "dead-letters", "redrive"],
      ["ops", "drill", "redis-flush"]
    ]
    for (const args of commands) {
      const { exitCode, stdout } = yield* lectern([...args, "--help"])
      assert.strictEqual(exitCode, 0)
      assert.include(stdout, "--json")
    }
  }))

describeIf(
  PostgresServer.availability.available ? RedisServer.availability : PostgresServer.availability,
  "Operators' commands on a whole deployment",
  () => {
    it.live("readiness passes 4/4; sweep, reconcile and drill do their work, and say what they may not do", () =>
      Effect.gen(function*() {
        const postgres = yield* PostgresServer.make()
        const redis = yield* RedisServer.make()
        const { port } = yield* FauxqsServer.make
        const database = yield* postgres.createDatabase("deployment")
        yield* Effect.provide(migrate, layerTcp({ url: Redacted.make(database) }))
        const nameOf = (lane: string) => lane === "messaging" ? "academy-messaging-jobs" : `academy-ai-jobs-${lane}`
        const queue = (lane: string) => `http://127.0.0.1:${port}/000000000000/${nameOf(lane)}`
        for (const lane of ["lite", "basic", "premium", "messaging"]) {
          yield* Effect.promise(() =>
            fetch(`http://127.0.0.1:${port}/`, {
              method: "POST",
              headers: { "content-type": "application/x-amz-json-1.0", "x-amz-target": "AmazonSQS.CreateQueue" },
              body: JSON.stringify({ QueueName: nameOf(lane) })
            })
          )
        }
        const env = {
          DATABASE_URL: database,
          REDIS_URL: redis.url,
          SQS_QUEUE_URL_LITE: queue("lite"),
          SQS_QUEUE_URL_BASIC: queue("basic"),
          SQS_QUEUE_URL_PREMIUM: queue("premium"),
          SQS_QUEUE_URL_MESSAGING: queue("messaging"),
          AWS_REGION: "us-east-1",
          AWS_ACCESS_KEY_ID: "key",
          AWS_SECRET_ACCESS_KEY: "s3cret"
        }
        const ready = yield* lectern(["readiness"], env)
        assert.match(ready.stdout, /^통과: 4\/4$/m)
        assert.deepStrictEqual([ready.exitCode, ready.stdout.match(/^\[PASS\]/gm)?.length], [0, 4])

        const asJson = yield* lectern(["readiness", "--json"], { ...env, REDIS_URL: "redis://:s3cret@127.0.0.1:1" })
        const report = decodeReport(asJson.stdout)
        assert.deepStrictEqual([asJson.exitCode, report.passed, report.ok], [1, 3, false])
        assert.strictEqual(report.checks.find(({ id }) => id === "redis")?.outcome, "FAIL")
        assert.notInclude(asJson.stdout + asJson.stderr, "s3cret")

        const names = yield* lectern(["preflight", "--lang", "en"], { ...env, SQS_QUEUE_URL_LITE: queue("light") })
        assert.strictEqual(names.exitCode, 1)
        assert.match(names.stdout, /\[FAIL\] \[3\] Names: .*SQS_QUEUE_URL_LITE=academy-ai-jobs-light \(academy-ai-jobs-lite\)/)

        const [one, two, sweep] = yield* Effect.all([
          lectern(["ops", "reconcile"], env),
          lectern(["ops", "reconcile"], env),
          lectern(["ops", "sweep"], env)
        ], { concurrency: "unbounded" })
        assert.deepStrictEqual([one.exitCode, two.exitCode, sweep.exitCode], [0, 0, 0], one.stderr + two.stderr + sweep.stderr)
        assert.match(sweep.stdout, /^Swept: 0 leases had ended/)

        assert.strictEqual((yield* lectern(["ops", "drill", "redis-flush"], env)).exitCode, 64)
        assert.match((yield* lectern(["ops", "drill", "redis-flush", "--yes"], env)).stdout, /^Removed 0 keys/)
      }), 120_000)
  }
)
