import { describe, expect, it } from "vitest"
import { clientUnderTest, listener } from "./clientUnderTest.ts"
import { json, movingVideo, type Reply, unknown, video, videoBody } from "./ScriptedServer.ts"

const minute = 60_000

/** How many requests a job of ten minutes costs, and how late its end is seen. */
const tenMinutes = async (reply: Reply) => {
  const length = 10 * minute
  const { client, clock, server } = clientUnderTest([(asked) => asked.at >= length ? video("READY") : reply(asked)])
  let seenAt = NaN
  client.watch({ video: 42 }, { onTerminal: () => void (seenAt = clock.now()) })
  await clock.advance(length + minute)
  return { requests: server.asked.length, late: seenAt - length }
}

describe("A job of ten minutes", () => {
  it("costs at most 150 requests when it moves with every answer, and its end is seen within 6 s", async () => {
    const { late, requests } = await tenMinutes(movingVideo())
    expect(requests).toBeLessThanOrEqual(150)
    // More than one each 6 s: a bar that moves is watched.
    expect(requests).toBeGreaterThan(100)
    expect(late).toBeLessThanOrEqual(6_000)
  })

  it("costs no more when it moves as an encode does", async () => {
    const { late, requests } = await tenMinutes(({ at }) => video("PROCESSING", Math.floor(5 + 90 * at / (10 * minute))))
    expect(requests).toBeLessThanOrEqual(150)
    expect(late).toBeLessThanOrEqual(6_000)
  })

  it("costs less when it stands still", async () => {
    const { late, requests } = await tenMinutes(() => video("PROCESSING", 50))
    expect(requests).toBeLessThan(65)
    expect(late).toBeLessThanOrEqual(15_000)
  })

  it("costs less when nobody knows of it, the questions to the database included", async () => {
    const { client, clock, server } = clientUnderTest([unknown])
    const watch = client.watch({ video: 42 })
    await clock.advance(10 * minute)
    watch.stop()
    expect(server.asked.length).toBeLessThan(75)
  })
})

describe("The interval", () => {
  it("is a second at first, grows while nothing moves, and is short again when something does", async () => {
    const { client, clock, server } = clientUnderTest([
      ({ at }) => video("PROCESSING", at < 59_000 ? 20 : 21)
    ])
    const watch = client.watch({ video: 42 })
    await clock.advance(80_000)
    watch.stop()
    const { times } = server
    const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0))
    expect(gaps.slice(0, 3)).toEqual([1_000, 1_000, 1_000])
    const moved = times.findIndex((time) => time >= 59_000)
    expect(gaps[moved - 1]).toBeGreaterThan(10_000)
    expect(gaps[moved]).toBeLessThan(4_000)
  })

  it("is the server's nextPollMs while it gives one", async () => {
    const { client, clock, server } = clientUnderTest([
      () => video("PROCESSING", 1, { nextPollMs: 7_000 }),
      () => video("PROCESSING", 2, { nextPollMs: 3_000 }),
      () => video("PROCESSING", 3)
    ])
    const watch = client.watch({ video: 42 })
    await clock.advance(11_500)
    watch.stop()
    expect(server.times).toEqual([0, 7_000, 10_000, 11_000])
  })

  it("is never under a second, whatever the server asks", async () => {
    const { client, clock, server } = clientUnderTest([() => video("PROCESSING", 1, { nextPollMs: -5 })])
    const watch = client.watch({ video: 42 })
    await clock.advance(2_500)
    watch.stop()
    expect(server.times).toEqual([0, 1_000, 2_000])
  })

  it("is at least the server's Retry-After, with an answer and without", async () => {
    const wait = (seconds: string): ResponseInit => ({ headers: { "retry-after": seconds } })
    const { client, clock, server } = clientUnderTest([
      () => json(videoBody("PROCESSING", 1, { nextPollMs: 1_000 }), wait("5")),
      () => json({ detail: "slow down" }, { status: 429, ...wait("20") }),
      () => json({}, { status: 503, ...wait(new Date(Date.now() + 40_000).toUTCString()) }),
      () => video("READY")
    ])
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(2 * minute)
    const [first, second, third, fourth] = server.times
    expect([first, second, third]).toEqual([0, 5_000, 25_000])
    // The date has whole seconds, and is of the machine's clock.
    expect(fourth).toBeGreaterThan(25_000 + 37_000)
    expect(fourth).toBeLessThanOrEqual(25_000 + 40_000)
    expect(told).toContain("Status 429: again in 20000")
    expect(told.at(-1)).toBe("succeeded")
  })

  it("spreads those who were told to wait together", async () => {
    const { client, clock, server } = clientUnderTest(
      [() => json({}, { status: 429, headers: { "retry-after": "20" } }), () => video("READY")],
      { random: () => 0.5 }
    )
    client.watch({ video: 42 })
    await clock.advance(minute)
    expect(server.times).toEqual([0, 22_500])
  })
})

describe("A tag", () => {
  it("is sent with the next question, and 304 is the same answer again", async () => {
    const { client, clock, server } = clientUnderTest([
      () => json(videoBody("PROCESSING", 4, { nextPollMs: 2_000 }), { headers: { etag: '"a"' } }),
      () => new Response(null, { status: 304 }),
      () => video("PROCESSING", 5),
      () => video("READY")
    ])
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(10_000)
    expect(server.asked.map(({ headers }) => headers.get("if-none-match"))).toEqual([null, '"a"', '"a"', null])
    expect(server.times).toEqual([0, 2_000, 4_000, 5_000])
    expect(told).toEqual(["PROCESSING 4", "PROCESSING 5", "READY 100", "succeeded"])
  })
})

describe("A failure", () => {
  const down: Reply = () => {
    throw new TypeError("fetch failed")
  }

  it("is tried again after pauses that double up to half a minute, and the watch goes on where it was", async () => {
    const { client, clock, server } = clientUnderTest([
      () => video("PROCESSING", 4),
      ...Array.from({ length: 7 }, () => down),
      () => json({}, { status: 502 }),
      () => video("READY")
    ])
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(5 * minute)
    expect(told).toEqual([
      "PROCESSING 4",
      ...[1, 2, 4, 8, 16, 30, 30].map((seconds) => `Network: again in ${seconds * 1_000}`),
      "Status 502: again in 30000",
      "READY 100",
      "succeeded"
    ])
    expect(server.asked).toHaveLength(10)
  })

  it("begins again at a second after an answer", async () => {
    const { client, clock } = clientUnderTest([down, down, () => video("PENDING"), down, () => video("READY")])
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(minute)
    expect(told.filter((line) => line.startsWith("Network"))).toEqual([
      "Network: again in 1000",
      "Network: again in 2000",
      "Network: again in 1000"
    ])
  })

  it("is spread over the second half of its pause", async () => {
    const { client, clock, server } = clientUnderTest([down, down, () => video("READY")], { random: () => 0.999 })
    client.watch({ video: 42 })
    await clock.advance(minute)
    expect(server.times.map(Math.round)).toEqual([0, 1_000, 2_001])
  })

  it.each<[string, Reply, string]>([
    ["the page of a captive portal", () => new Response("<html>", { headers: { "content-type": "text/html" } }), "Body 200"],
    ["an answer without a status", () => json({ id: 42 }), "Body 200"],
    ["a path that is not there", () => json({ detail: "no path" }, { status: 404 }), "Status 404"],
    ["a server that hangs", () => new Promise<Response>(() => undefined), "Network"]
  ])("is also %s", async (_name, reply, reason) => {
    const { client, clock } = clientUnderTest([reply, () => video("READY")])
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(minute)
    expect(told[0]?.split(":")[0]).toBe(reason)
    expect(told.slice(1)).toEqual(["READY 100", "succeeded"])
  })

  it("is also a token that cannot be had, and each request asks for the token anew", async () => {
    let asked = 0
    const { client, clock, server } = clientUnderTest([() => video("PENDING"), () => video("READY")], {
      token: async () => {
        asked += 1
        if (asked === 1) throw new Error("no session yet")
        return `token ${asked}`
      }
    })
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(minute)
    expect(told[0]).toBe("Token: again in 1000")
    expect(server.asked.map(({ headers }) => headers.get("authorization"))).toEqual(["Bearer token 2", "Bearer token 3"])
  })
})

describe("A hidden page", () => {
  it("stops at once and asks at once when it is shown", async () => {
    const { client, clock, page, server } = clientUnderTest([() => video("PROCESSING", 4)])
    const watch = client.watch({ video: 42 })
    await clock.advance(500)
    page.hidden = true
    await clock.advance(60 * minute)
    expect(server.times).toEqual([0])
    expect(clock.pending).toBe(0)
    page.hidden = false
    await clock.advance(0)
    expect(server.times).toEqual([0, 500 + 60 * minute])
    watch.stop()
  })

  it("starts nothing until it is shown", async () => {
    const { client, clock, page, server } = clientUnderTest([() => video("READY")])
    page.hidden = true
    client.watch({ video: 42 })
    await clock.advance(minute)
    expect(server.asked).toEqual([])
    page.hidden = false
    await clock.advance(0)
    expect(server.asked).toHaveLength(1)
  })

  it("that flickers neither asks more than once a second nor forgets what the server asked for", async () => {
    const { client, clock, page, server } = clientUnderTest([
      () => video("PROCESSING", 4),
      () => json({}, { status: 429, headers: { "retry-after": "30" } }),
      () => video("READY")
    ])
    client.watch({ video: 42 })
    for (let turn = 0; turn < 200; turn += 1) {
      page.hidden = turn % 2 === 0
      await clock.advance(10)
    }
    expect(server.times.length).toBe(2)
    page.hidden = false
    await clock.advance(minute)
    expect(server.times[2]).toBeGreaterThanOrEqual((server.times[1] ?? 0) + 30_000)
  })
})

describe("UNKNOWN", () => {
  it("is told to nobody, and the third in a row asks the detail, once a minute at most", async () => {
    const { client, clock, server } = clientUnderTest([
      ({ path }) => path.endsWith("/progress/") ? unknown() : video("PROCESSING")
    ], { originUrl: "https://school.example/" })
    const { told, ...callbacks } = listener()
    const watch = client.watch({ video: 42 }, callbacks)
    await clock.advance(10 * minute)
    watch.stop()
    const details = server.asked.filter(({ path }) => !path.endsWith("/progress/")).map(({ at }) => at)
    expect(server.paths.slice(0, 4).map((path) => path.endsWith("/progress/"))).toEqual([true, true, true, false])
    for (const [index, at] of details.slice(1).entries()) expect(at - (details[index] ?? 0)).toBeGreaterThanOrEqual(minute)
    expect(details.length).toBeGreaterThan(7)
    expect(told).toEqual(["PROCESSING null"])
  })

  it("counts only in a row", async () => {
    const { client, clock, server } = clientUnderTest([
      unknown,
      unknown,
      () => video("PROCESSING", 3),
      unknown,
      unknown,
      () => video("READY")
    ])
    client.watch({ video: 42 })
    await clock.advance(minute)
    expect(server.paths.every((path) => path.endsWith("/progress/"))).toBe(true)
    expect(server.asked).toHaveLength(6)
  })

  it("ends when the database knows the end", async () => {
    const { client, clock, server } = clientUnderTest([unknown, unknown, unknown, () => video("READY")])
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(minute)
    expect(told).toEqual(["READY 100", "succeeded"])
    expect(server.asked).toHaveLength(4)
  })
})
