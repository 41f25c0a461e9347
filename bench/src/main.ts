/**
 * `npm run bench`: the progress endpoint against its peers, in one run, as ratios to bare `node:http` + ioredis; then how
 * soon each answers after its start, how big the programs are, and what listeners to events cost.
 *
 *     node src/main.ts            5 rounds of 3 s for each server, 10,000 listeners
 *     node src/main.ts --quick    3 rounds of 1 s, 1,000 listeners
 *     node src/main.ts --variants the edge against itself without one of its parts, and nothing else
 */
import { signToken } from "@lectern/api/tokens"
import { PostgresServer, RedisServer } from "@lectern/harness"
import { Effect } from "effect"
import { keepBeside } from "./BenchServer.ts"
import { fillPostgres, fillRedis } from "./benchData.ts"
import { bundleEdge, printBundleSizes } from "./bundleSizes.ts"
import { peers, variants } from "./contenders.ts"
import { printListeners } from "./listeners.ts"
import { printStartup } from "./startup.ts"
import { printThroughput } from "./throughput.ts"

const quick = process.argv.includes("--quick")
const isOfVariants = process.argv.includes("--variants")
const rounds = quick ? 3 : 5
const seconds = quick ? 1 : 3
const secret = "the benchmark's secret, of more than 32 bytes"

const program = Effect.gen(function*() {
  bundleEdge()
  const redis = yield* RedisServer.make()
  keepBeside(yield* redis.pid)
  yield* fillRedis(redis.url)
  const postgres = PostgresServer.availability.available ? yield* PostgresServer.make() : null
  if (postgres !== null) {
    // Before anybody connects: each connection's process inherits it.
    keepBeside(yield* postgres.pid)
    yield* fillPostgres(postgres.url)
  }
  const token = yield* Effect.promise(() =>
    signToken({ tenantId: 7, subject: "bench", secret, expiresInSeconds: 3_600 }))
  const env = {
    REDIS_URL: redis.url,
    AUTH_JWT_SECRET: secret,
    DATABASE_URL: postgres?.url ?? "",
    PORT: "0",
    NODE_ENV: "production",
    DENO_NO_UPDATE_CHECK: "1"
  }
  const wanted = isOfVariants ? variants : peers
  const contenders = wanted.filter(({ needsDatabase }) => needsDatabase !== true || postgres !== null)
  for (const { name } of wanted.filter((one) => !contenders.includes(one))) {
    console.log(`NOT MEASURED: ${name}: there is no Postgres server on this machine`)
  }
  yield* printThroughput({ contenders, env, token, rounds, seconds })
  if (isOfVariants) return
  yield* printStartup({ contenders: contenders.filter(({ env }) => env === undefined), env, token, rounds })
  yield* Effect.promise(printBundleSizes)
  yield* printListeners(quick ? 1_000 : 10_000)
})

await Effect.runPromise(Effect.scoped(program))
