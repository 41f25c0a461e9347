/**
 * Who may read what, and how often, on every runtime: keys of an address, limits, and what a foreign job looks like.
 */
import { assert, it } from "@effect/vitest"
import { makeLazyRedis } from "@lectern/adapters/redis"
import { describeIf, RedisServer } from "@lectern/harness"
import { Effect } from "effect"
import { exportJWK, generateKeyPair, SignJWT } from "jose"
import { createServer } from "node:http"
import { unknownMessages } from "../../src/edge/unknownMessages.ts"
import { foreignToken, token, videoPath } from "../edge/edgeSubject.ts"
import { patiently, withRedis } from "../edge/patientRedis.ts"
import { contenders, type EdgeRuntime, redisHolding, startRuntime, until } from "./edgeRuntime.ts"

const ready = { "tenant:7:video:42:status": `{"status":"READY","hls_path":"a.m3u8","revision":5,"attempt":1}` }
const [listed, unlisted] = await Promise.all([generateKeyPair("EdDSA"), generateKeyPair("EdDSA")])
const publicKey = await exportJWK(listed.publicKey)

const sign = (key: CryptoKey, kid: string) =>
  new SignJWT({ tenant_id: 7 }).setProtectedHeader({ alg: "EdDSA", kid }).setExpirationTime("1h").sign(key)

/** An address that gives the listed key, and counts who asks. */
const keyAddress = Effect.acquireRelease(
  Effect.callback<{ readonly url: string; readonly asked: () => number; readonly close: () => void }>((resume) => {
    let asked = 0
    const server = createServer((_, response) => {
      asked += 1
      response.writeHead(200, { "content-type": "application/json" })
      response.end(JSON.stringify({ keys: [{ ...publicKey, kid: "listed" }] }))
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = address !== null && typeof address === "object" ? address.port : 0
      const close = (): void => {
        server.close()
        server.closeAllConnections()
      }
      resume(Effect.succeed({ url: `http://127.0.0.1:${port}/keys.json`, asked: () => asked, close }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

interface Told {
  readonly status: number
  readonly headers: ReadonlyArray<readonly [string, string]>
  readonly body: string
}

/** All that an answer tells. Of the time alone nothing: that is another one anyway. */
const tell = (edge: EdgeRuntime, path: string, bearer: string) =>
  Effect.promise(async (): Promise<Told> => {
    const init = { headers: { authorization: `Bearer ${bearer}` } }
    const response = await fetch(`http://127.0.0.1:${edge.port}${path}`, init)
    const headers = [...response.headers].filter(([name]) => name !== "date").sort(([a], [b]) => a < b ? -1 : 1)
    return { status: response.status, headers, body: await response.text() }
  })

/** The commands that Redis is sent while something is done. */
const commandsDuring = <A, E, R>(url: string, run: Effect.Effect<A, E, R>) =>
  Effect.scoped(Effect.gen(function*() {
    const redis = makeLazyRedis(url)
    yield* Effect.addFinalizer(() => Effect.sync(redis.close))
    const commands: Array<string> = []
    const monitor = yield* Effect.acquireRelease(
      patiently(() => redis.use((client) => client.monitor())),
      (it) => Effect.sync(() => it.disconnect())
    )
    const { promise: marked, resolve: onMarked } = Promise.withResolvers<void>()
    monitor.on("monitor", (_time: string, args: ReadonlyArray<string>) => {
      if (args.includes("the end")) onMarked()
      else if (args[0]?.toLowerCase() !== "ping") commands.push(args.join(" "))
    })
    const answer = yield* run
    yield* patiently(() => redis.use((client) => client.echo("the end")))
    yield* Effect.promise(() => marked)
    return { answer, commands }
  }))

for (const contender of contenders) {
  describeIf(RedisServer.availability, `The edge on ${contender.name}`, () => {
    it.live("takes keys from their address, asks it once for all, and outlives it", () =>
      Effect.gen(function*() {
        const redis = yield* redisHolding(ready)
        const { asked, close, url } = yield* keyAddress
        const edge = yield* startRuntime(contender, redis.url, { AUTH_JWT_SECRET: "", AUTH_JWKS_URL: url })
        const good = yield* Effect.promise(() => sign(listed.privateKey, "listed"))
        const answers = yield* Effect.forEach(
          Array.from({ length: 20 }),
          () => edge.ask(videoPath, { authorization: `Bearer ${good}` }),
          { concurrency: "unbounded" }
        )
        for (const { status } of answers) assert.strictEqual(status, 200)
        assert.strictEqual(asked(), 1)
        for (const [key, kid] of [[unlisted.privateKey, "listed"], [listed.privateKey, "another"]] as const) {
          const bad = yield* Effect.promise(() => sign(key, kid))
          assert.strictEqual((yield* edge.ask(videoPath, { authorization: `Bearer ${bad}` })).status, 401)
        }
        assert.strictEqual((yield* edge.ask(videoPath, { authorization: `Bearer ${token}` })).status, 401)
        close()
        const later = yield* Effect.promise(() => sign(listed.privateKey, "listed"))
        assert.strictEqual((yield* edge.ask(videoPath, { authorization: `Bearer ${later}` })).status, 200)
      }))

    it.live("refuses a token that asks too often, tells the others in Redis, and nobody while Redis is away", () =>
      Effect.gen(function*() {
        const redis = yield* redisHolding(ready)
        const edge = yield* startRuntime(contender, redis.url, { RATE_LIMIT_PER_TOKEN: "5" })
        const status = Effect.map(edge.ask(videoPath), (answer) => answer.status)
        const dozen = Effect.forEach(Array.from({ length: 12 }), () => status)
        // Ten of twelve pass at the most, where they are of two windows.
        assert.sameMembers([...new Set(yield* dozen)], [200, 429])
        assert.strictEqual((yield* edge.ask(videoPath, { authorization: `Bearer ${foreignToken}` })).status, 200)
        const counted = withRedis(redis.url, (client) => client.keys("limit:*"))
        yield* until(counted, (keys) => keys.some((key) => key.includes(":tenant:7:token:")))
        yield* redis.kill
        yield* until(dozen, (all) => all.every((status) => status === 200))
      }))

    it.live("does for a foreign job what it does for one that is not there, and answers the same", () =>
      Effect.gen(function*() {
        const redis = yield* redisHolding({ ...ready, "tenant:7:job:job-1:status": `{"status":"DONE"}` })
        const edge = yield* startRuntime(contender, redis.url)
        // On a busy machine Redis may seem to be away for a moment: that says nothing of what it holds.
        const askedFor = (path: string) =>
          until(commandsDuring(redis.url, tell(edge, path, foreignToken)), ({ answer: { body } }) =>
            !body.includes(unknownMessages.unreachable))
        // The first use of a token is verified, and the first use of Redis opens it.
        yield* askedFor(videoPath)
        for (const path of [videoPath, "/api/v1/jobs/job-1/progress/", "/api/v1/progress/?videos=42&jobs=job-1"]) {
          const absent = path.replaceAll("42", "43").replaceAll("job-1", "job-2")
          const asIfPresent = (text: string) => text.replaceAll("43", "42").replaceAll("job-2", "job-1")
          const foreign = yield* askedFor(path)
          const missing = yield* askedFor(absent)
          assert.strictEqual(foreign.answer.status, 200)
          assert.include(foreign.answer.body, "UNKNOWN")
          assert.deepStrictEqual({ ...missing.answer, body: asIfPresent(missing.answer.body) }, foreign.answer)
          assert.deepStrictEqual(missing.commands.map(asIfPresent), foreign.commands)
          assert.strictEqual(foreign.commands.length, 1)
          assert.match(foreign.commands[0] ?? "", /^mget tenant:8:/i)
        }
      }))
  })
}
