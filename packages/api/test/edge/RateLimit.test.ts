import { makeLazyRedis, makeRedisHitCounter } from "@lectern/adapters/redis"
import { TenantId } from "@lectern/domain"
import { ClosedPort, describeIf, RedisServer } from "@lectern/harness"
import { it as effectIt } from "@effect/vitest"
import { Effect } from "effect"
import { describe, expect, it } from "vitest"
import { type CountHits, makeRateLimit } from "../../src/edge/index.ts"
import { exchangeMillis, windowMillis } from "../../src/edge/RateLimit.ts"
import { ask, edgeOver, foreignToken, holding, token, videoPath } from "./edgeSubject.ts"

const seven = TenantId.make(7)
const eight = TenantId.make(8)
const [first, second] = ["Bearer a.b.the-signature-of-the-first", "Bearer a.b.the-signature-of-a-second"]

/** Counters that processes of a test share, and the clock of all. */
const sharing = () => {
  const totals = new Map<string, number>()
  let clock = 1_800_000_000_000
  let isAway = false
  const tasks: Array<() => void> = []
  const count: CountHits = async (hits) => {
    if (isAway) throw new Error("away")
    return hits.map(({ count, key }) => {
      totals.set(key, (totals.get(key) ?? 0) + count)
      return totals.get(key) ?? 0
    })
  }
  return {
    totals,
    count,
    process: (perToken: number, perTenant = 1_000, shared: CountHits = count) =>
      makeRateLimit({
        count: shared,
        perToken,
        perTenant,
        now: () => clock,
        after: (_millis, task) => void tasks.push(task)
      }),
    pass: (millis: number) => clock += millis,
    away: (is: boolean) => isAway = is,
    /** What all processes do after a second. */
    exchange: async () => {
      for (const task of tasks.splice(0)) task()
      await new Promise(setImmediate)
    }
  }
}

const passed = (limit: ReturnType<typeof makeRateLimit>, times: number, authorization = first, tenant = seven) =>
  Array.from({ length: times }, () => limit(tenant, authorization, 1)).filter((seconds) => seconds === null).length

describe("The limit of a token", () => {
  it("lets so many pass in ten seconds, says when to come back, and then lets as many pass again", () => {
    const test = sharing()
    const limit = test.process(5)
    test.pass(3_000)
    expect(passed(limit, 20)).toBe(5)
    expect(limit(seven, first, 1)).toBe(7)
    test.pass(6_999)
    expect(limit(seven, first, 1)).toBe(1)
    test.pass(1)
    expect(passed(limit, 20)).toBe(5)
  })

  it("is its own: neither another token nor another tenant has any of it", () => {
    const limit = sharing().process(5)
    expect(passed(limit, 20)).toBe(5)
    expect(passed(limit, 20, second)).toBe(5)
    expect(passed(limit, 20, first, eight)).toBe(5)
  })

  it("holds for all processes together, as soon as they have told each other", async () => {
    const test = sharing()
    const [one, other] = [test.process(10), test.process(10)]
    expect([passed(one, 4), passed(other, 4)]).toEqual([4, 4])
    await test.exchange()
    passed(one, 1)
    await test.exchange()
    // Nine have passed; one that knows of five in the other, and one that knows of four, leave one each.
    expect(passed(one, 20)).toBe(1)
    await test.exchange()
    expect([passed(one, 20), passed(other, 20)]).toEqual([0, 2])
  })

  it("counts a request by its weight", () => {
    const limit = sharing().process(10)
    expect(limit(seven, first, 8)).toBeNull()
    expect(limit(seven, first, 3)).toBeGreaterThan(0)
    expect(limit(seven, first, 2)).toBeNull()
  })

  it("shares nothing of a token but the end of its signature", async () => {
    const test = sharing()
    passed(test.process(5), 1, `Bearer header.claims.${"s".repeat(20)}${"t".repeat(22)}`)
    await test.exchange()
    expect([...test.totals.keys()].join()).toContain("t".repeat(22))
    expect([...test.totals.keys()].join()).not.toMatch(/claims|st/)
  })
})

describe("The limit of a tenant", () => {
  it("holds for all its tokens together", () => {
    const limit = sharing().process(100, 10)
    expect(passed(limit, 7)).toBe(7)
    expect(passed(limit, 7, second)).toBe(3)
    expect(passed(limit, 7, second, eight)).toBe(7)
  })
})

describe("Counters that are away", () => {
  it("limit nobody, and do so again when they are back", async () => {
    const test = sharing()
    const limit = test.process(5)
    expect(passed(limit, 20)).toBe(5)
    test.away(true)
    await test.exchange()
    expect(passed(limit, 20)).toBe(20)
    test.away(false)
    await test.exchange()
    expect(passed(limit, 20)).toBe(0)
    test.pass(windowMillis)
    expect(passed(limit, 20)).toBe(5)
  })

  it("are asked once a second at the most, for all that passed in it", async () => {
    const test = sharing()
    const asked: Array<number> = []
    const limit = test.process(100, 100, async (hits) => {
      asked.push(hits.length)
      return hits.map(() => 0)
    })
    passed(limit, 10)
    passed(limit, 10, second)
    await test.exchange()
    await test.exchange()
    expect([asked, exchangeMillis]).toEqual([[3], 1_000])
  })
})

describe("Who asks too often", () => {
  it("gets 429 in words that a page can read, and when to come back; others go on", async () => {
    const test = sharing()
    const { counts, handler } = edgeOver(holding({ status: `{"status":"READY"}` }), { rateLimit: test.process(2), events: {} })
    expect((await ask(handler, videoPath)).status).toBe(200)
    expect((await ask(handler, "/api/v1/progress/?videos=1,2,3")).status).toBe(200)
    for (const path of [videoPath, "/api/v1/progress/?videos=1", `${videoPath}events/`]) {
      const { body, headers, status } = await ask(handler, path)
      expect([status, headers.get("retry-after"), headers.get("access-control-allow-origin")]).toEqual([429, "10", "*"])
      expect(body).toEqual({ detail: expect.any(String), code: "rate_limited" })
    }
    expect((await ask(handler, videoPath, { headers: { authorization: `Bearer ${foreignToken}` } })).status).toBe(200)
    expect(counts()).toMatchObject({ limited: 3 })
  })

  it("is asked for his token first: nobody can use up another's limit without it", async () => {
    const { handler } = edgeOver(holding({}), { rateLimit: sharing().process(1) })
    for (let n = 0; n < 5; n++) {
      expect((await ask(handler, videoPath, { headers: { authorization: `Bearer ${token}x` } })).status).toBe(401)
    }
    expect((await ask(handler, videoPath)).status).toBe(200)
  })
})

describeIf(RedisServer.availability, "Counters in Redis", () => {
  effectIt.live("add up what all processes tell, and go by themselves", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make()
      yield* Effect.promise(async () => {
        const redis = makeLazyRedis(server.url)
        const count = makeRedisHitCounter(redis)
        expect(await count([{ key: "a", count: 3 }, { key: "b", count: 1 }], 20)).toEqual([3, 1])
        expect(await count([{ key: "b", count: 4 }, { key: "a", count: 1 }], 20)).toEqual([5, 4])
        expect(await count([], 20)).toEqual([])
        const seconds = await redis.use((client) => client.ttl("a"))
        expect(seconds).toBeGreaterThan(0)
        expect(seconds).toBeLessThanOrEqual(20)
        await redis.use((client) => client.set("a", "garbage"))
        await expect(count([{ key: "a", count: 1 }], 20)).rejects.toThrow("not an integer")
        redis.close()
      })
    }))

  effectIt.live("that cannot be reached are said to be away", () =>
    Effect.gen(function*() {
      const { port } = yield* ClosedPort.make
      yield* Effect.promise(async () => {
        const redis = makeLazyRedis(`redis://127.0.0.1:${port}`)
        await expect(makeRedisHitCounter(redis)([{ key: "a", count: 1 }], 20)).rejects.toThrow("Cannot reach Redis")
        redis.close()
      })
    }))
})
