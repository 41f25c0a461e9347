import { assert, it } from "@effect/vitest"
import { layerFor } from "@lectern/adapters/postgres"
import { describeIf, PostgresServer, RedisServer } from "@lectern/harness"
import { Effect, Redacted, Schema } from "effect"
import { SqlClient } from "effect/sql/SqlClient"
import { Agent, get } from "node:http"
import { makeBrowser } from "./Browser.ts"
import { madeVideo } from "./madeVideo.ts"
import { startSystem } from "./RunningSystem.ts"
import { encodesOf, frozenEncode } from "./systemProcesses.ts"
import { until } from "./until.ts"

const polls = 10_000
const atOnce = 16

const Statement = Schema.Struct({ query: Schema.String, calls: Schema.NumberFromString })
const decodeStatements = Schema.decodeUnknownEffect(Schema.Array(Statement))

/** Counts the statements of one database from within another one: what it asks itself does not count. */
const observe = (database: string) =>
  Effect.gen(function*() {
    const sql = yield* SqlClient
    return {
      reset: sql`SELECT pg_stat_statements_reset(0, (SELECT oid FROM pg_database WHERE datname = ${database}), 0)`,
      statements: Effect.flatMap(
        sql`SELECT query, sum(calls)::text AS calls FROM pg_stat_statements
          WHERE dbid = (SELECT oid FROM pg_database WHERE datname = ${database}) GROUP BY query`,
        decodeStatements
      )
    }
  })

const poll = (agent: Agent, url: string, token: string): Effect.Effect<number> =>
  Effect.callback<number>((resume) => {
    const outgoing = get(url, { agent, headers: { authorization: `Bearer ${token}` } }, (response) => {
      response.resume()
      response.once("end", () => resume(Effect.succeed(response.statusCode ?? 0)))
    })
    outgoing.once("error", (error) => resume(Effect.die(error)))
    return Effect.sync(() => outgoing.destroy())
  })

const needed = PostgresServer.availability.available ? RedisServer.availability : PostgresServer.availability

describeIf(needed, "polls of the progress endpoints", () => {
  it.live("issue no statement: 10,000 of them leave the database to its upkeep", (test) =>
    Effect.gen(function*() {
      const postgres = yield* PostgresServer.make()
      if (!postgres.countsStatements) {
        test.task.meta.notRun = "the Postgres server has no pg_stat_statements"
        return test.skip()
      }
      const redis = yield* RedisServer.make()
      const url = yield* postgres.createDatabase("lectern")
      const observer = yield* postgres.createDatabase("observer")
      const system = yield* startSystem({ env: { DATABASE_URL: url, REDIS_URL: redis.url } })
      const browser = yield* makeBrowser(system)
      const stranger = yield* makeBrowser(system, 2)

      yield* Effect.gen(function*() {
        const { reset, statements } = yield* observe("lectern")

        // What the system does by itself: its sweeps, and the repair of the mirror, which is seen by what it brings back.
        const short = yield* browser.uploadVideo(yield* madeVideo({ seconds: 2 }))
        assert.strictEqual((yield* browser.endedVideo(short)).status, "READY")
        yield* until("the end of the encode", encodesOf(system.data), (found) => found.length === 0)
        yield* reset
        // The first repair may have asked the database before the counters stood at zero; the second one has not.
        for (const repair of ["a repair of the mirror", "another one"]) {
          yield* redis.flushAll
          yield* until(repair, browser.videoProgress(short), ({ status }) => status === "READY")
        }
        const upkeep = new Set(
          // Sweeps take turns: who sees the third one begin has seen all of the second.
          (yield* until("two whole sweeps", statements, (found) => found.some(({ calls }) => calls >= 3)))
            .map(({ query }) => query)
        )

        // A job that is live and stands still: neither steps nor heartbeats, and 30 seconds to the end of its lease.
        const video = yield* browser.uploadVideo(yield* madeVideo({ seconds: 12, size: "1280x720" }))
        yield* until("its bar", browser.videoProgress(video), ({ encoding_step_index }) => encoding_step_index === 4)
        const job = system.log().findLast(({ message, step }) => message === "Step" && step === "transcoding")?.job
        assert.isDefined(job)
        const { thaw } = yield* frozenEncode(system.data)

        const api = `${system.url}/api/v1`
        const kinds = [
          { url: `${api}/media/videos/${video}/progress/`, token: browser.token },
          { url: `${api}/jobs/${job}/progress/`, token: browser.token },
          { url: `${api}/media/videos/999999/progress/`, token: browser.token },
          { url: `${api}/jobs/no-such-job/progress/`, token: browser.token },
          { url: `${api}/media/videos/${video}/progress/`, token: stranger.token },
          { url: `${api}/jobs/${job}/progress/`, token: stranger.token }
        ]
        const agent = new Agent({ keepAlive: true, maxSockets: atOnce })
        yield* reset
        const answers = yield* Effect.forEach(
          Array.from({ length: polls }, (_, index) => kinds[index % kinds.length]),
          (kind) => poll(agent, kind?.url ?? "", kind?.token ?? ""),
          { concurrency: atOnce }
        )
        const issued = yield* statements
        agent.destroy()
        yield* thaw

        assert.deepStrictEqual(new Set(answers), new Set([200]))
        assert.deepStrictEqual(issued.filter(({ query }) => !upkeep.has(query)), [])
        // A read that looked like upkeep would be as many as the polls.
        for (const { calls, query } of issued) assert.isBelow(calls, polls / 100, query)
        assert.strictEqual((yield* browser.endedVideo(video)).status, "READY")
      }).pipe(Effect.provide(layerFor(Redacted.make(observer))))
    }), 120_000)
})
