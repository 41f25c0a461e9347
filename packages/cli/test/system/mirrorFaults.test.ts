import { assert, describe, it } from "@effect/vitest"
import { ClosedPort, describeIf, RedisServer, SilentPort } from "@lectern/harness"
import { Effect, Fiber, Ref } from "effect"
import { type Browser, isVideoEnd, makeBrowser } from "./Browser.ts"
import { madeOutcome, type Outcome } from "./madeOutcome.ts"
import { madeRoster } from "./madeRoster.ts"
import { madeVideo } from "./madeVideo.ts"
import { startSystem } from "./RunningSystem.ts"
import { frozenEncode } from "./systemProcesses.ts"
import { until } from "./until.ts"

const accept = Effect.fnUntraced(function*(browser: Browser) {
  const roster = yield* browser.startImport(madeRoster(2_000))
  const video = yield* browser.uploadVideo(yield* madeVideo({ seconds: 6, size: "1280x720" }))
  return { roster, video }
})

/** Polls both progress endpoints without a pause, for as long as the scope is open; an answer other than 200 fails the poller. */
const polling = Effect.fnUntraced(function*(browser: Browser, { roster, video }: { readonly roster: string; readonly video: number }) {
  const statuses = yield* Ref.make<ReadonlySet<string>>(new Set())
  const polls = Effect.gen(function*() {
    const seen = [(yield* browser.videoProgress(video)).status, (yield* browser.jobProgress(roster)).status]
    yield* Ref.update(statuses, (all) => new Set([...all, ...seen]))
  })
  const fiber = yield* Effect.forkScoped(Effect.forever(Effect.andThen(polls, Effect.sleep("50 millis"))))
  return {
    /** Waits until a status has been shown: the copy follows the record by a moment. */
    shows: (status: string) => until(`status ${status}`, Ref.get(statuses), (all) => all.has(status)),
    /** Every status that was shown, up to now. */
    ended: Effect.gen(function*() {
      // A poller that failed would say so here.
      assert.isUndefined(fiber.pollUnsafe())
      yield* Fiber.interrupt(fiber)
      return [...(yield* Ref.get(statuses))].sort()
    })
  }
})

const life = Effect.fnUntraced(function*(env: Readonly<Record<string, string>>, shown: ReadonlyArray<string> = []) {
  const system = yield* startSystem({ env })
  const browser = yield* makeBrowser(system)
  const accepted = yield* accept(browser)
  const poller = yield* polling(browser, accepted)
  yield* browser.endedVideo(accepted.video)
  yield* browser.endedJob(accepted.roster)
  yield* Effect.forEach(shown, poller.shows)
  const statuses = yield* poller.ended
  return { outcome: yield* madeOutcome(system, browser, accepted), statuses }
}, Effect.scoped)

describe("a system whose mirror is faulty", () => {
  let healthy: Outcome | undefined

  it.live("ends well with a mirror that works", () =>
    Effect.gen(function*() {
      const { outcome, statuses } = yield* life({}, ["READY", "DONE"])
      healthy = outcome
      assert.strictEqual(outcome.video.status, "READY")
      assert.deepInclude(outcome.roster, { status: "DONE", created: 2_000 })
      assert.includeMembers(statuses, ["DONE", "PROCESSING", "READY"])
    }), 120_000)

  it.live("ends the same with Redis at a closed port, and shows progress as unknown", () =>
    Effect.gen(function*() {
      const { port } = yield* ClosedPort.make
      const { outcome, statuses } = yield* life({ REDIS_URL: `redis://127.0.0.1:${port}` })
      assert.deepStrictEqual(outcome, healthy)
      assert.deepStrictEqual(statuses, ["UNKNOWN"])
    }), 120_000)

  it.live("ends the same with Redis at a port that never answers, and shows progress as unknown", () =>
    Effect.gen(function*() {
      const { port } = yield* SilentPort.make
      const { outcome, statuses } = yield* life({ REDIS_URL: `redis://127.0.0.1:${port}` })
      assert.deepStrictEqual(outcome, healthy)
      assert.deepStrictEqual(statuses, ["UNKNOWN"])
    }), 120_000)

  describeIf(RedisServer.availability, "and that is a Redis", () => {
    it.live("ends the same when Redis is flushed, killed and frozen meanwhile, and its bars come back each time", () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make()
        const system = yield* startSystem({ env: { REDIS_URL: redis.url } })
        const browser = yield* makeBrowser(system)
        const accepted = yield* accept(browser)
        yield* browser.endedJob(accepted.roster)
        yield* until("the transcoding", browser.videoProgress(accepted.video), ({ encoding_step_index }) => encoding_step_index === 4)
        // An encode that stands still says nothing: what comes back is the system's own repair.
        const { thaw } = yield* frozenEncode(system.data)

        const video = browser.videoProgress(accepted.video)
        const job = browser.jobProgress(accepted.roster)
        const unknown = (what: string) => Effect.all([
          until(`an unknown video after ${what}`, video, ({ status }) => status === "UNKNOWN"),
          until(`an unknown import after ${what}`, job, ({ status }) => status === "UNKNOWN")
        ])
        const back = (what: string) => Effect.all([
          until(`the video's bar after ${what}`, video, ({ status }) => status === "PROCESSING"),
          until(`the import's end after ${what}`, job, ({ status }) => status === "DONE")
        ])
        yield* back("its start")
        yield* redis.flushAll
        yield* back("a flush")
        yield* redis.kill
        yield* unknown("a kill")
        yield* redis.restart
        yield* back("a restart")
        yield* redis.freeze
        yield* unknown("a freeze")
        yield* redis.thaw
        yield* back("a thaw")

        yield* thaw
        yield* until("the end on the progress endpoint", video, ({ status }) => isVideoEnd(status))
        assert.deepStrictEqual(yield* madeOutcome(system, browser, accepted), healthy)
      }), 180_000)
  })
})
