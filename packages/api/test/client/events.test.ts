import { describe, expect, it } from "vitest"
import type { Subject } from "../../src/client/index.ts"
import { clientUnderTest, listener } from "./clientUnderTest.ts"
import { settle } from "./FakeClock.ts"
import { type Asked, json, movingVideo, type Reply, unknown, video, videoBody } from "./ScriptedServer.ts"
import { ScriptedStream } from "./ScriptedStream.ts"

const minute = 60_000
const isEvents = ({ path }: Pick<Asked, "path">): boolean => path.endsWith("/events/")

/** A client that has events: each stream in its turn, and after the last one the answer of a server without. */
const withEvents = (streams: ReadonlyArray<ScriptedStream | Reply>, poll: Reply, random = 0) => {
  let opened = 0
  const none: Reply = () => json({ detail: "no such path" }, { status: 404 })
  const under = clientUnderTest([
    (asked) => {
      if (!isEvents(asked)) return poll(asked)
      const stream = streams[opened] ?? none
      opened += 1
      return stream instanceof ScriptedStream ? stream.reply(asked) : stream(asked)
    }
  ], { events: true, random: () => random })
  const { server } = under
  return {
    ...under,
    streams: () => server.asked.filter(isEvents),
    polls: () => server.asked.filter((asked) => !isEvents(asked))
  }
}

describe("Events", () => {
  it("come first: a job of ten minutes costs one request, and each change is told when it happens", async () => {
    const stream = new ScriptedStream()
    const { client, clock, server } = withEvents([stream], () => video("PENDING"))
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await settle()
    stream.write("retry: 3000\n\n")
    for (let second = 0; second < 600; second += 1) {
      if (second % 15 === 14) stream.heartbeat()
      stream.event("progress", videoBody("PROCESSING", 1 + Math.floor(second / 6.2)))
      await clock.advance(1_000)
    }
    expect(told).toHaveLength(97)
    stream.event("progress", videoBody("READY"))
    stream.event("end", {})
    stream.end()
    await clock.advance(minute)
    expect(told.slice(-2)).toEqual(["READY 100", "succeeded"])
    expect(server.paths).toEqual(["/api/v1/media/videos/42/progress/events/"])
    expect(server.asked[0]?.headers.get("authorization")).toBe("Bearer a token")
    expect(clock.pending).toBe(0)
  })

  it("may arrive in pieces, in the middle of a character too", async () => {
    const stream = new ScriptedStream()
    const { client, clock } = withEvents([stream], () => video("PENDING"))
    const watch = client.watch({ video: 42 })
    await settle()
    const body = JSON.stringify(videoBody("FAILED", null, { error_reason: "손상된 파일" }))
    const bytes = new TextEncoder().encode(`id: 1-3.1\nevent: progress\ndata: ${body}\n\n`)
    for (const byte of bytes) stream.write(byte)
    await clock.advance(0)
    expect((await watch.next()).value?.error).toBe("손상된 파일")
  })

  it.each<[string, Reply]>([
    ["404", () => json({ detail: "no such path" }, { status: 404 })],
    ["503", () => json({ detail: "too many" }, { status: 503 })],
    ["429", () => json({ detail: "too many" }, { status: 429 })],
    ["the page of a captive portal", () => new Response("<html>")],
    ["an answer without a body", () => new Response(null)],
    ["a fault of the network", () => Promise.reject(new TypeError("fetch failed"))]
  ])("that are answered with %s cost no time: the poll follows at once", async (_name, reply) => {
    const { client, clock, server } = withEvents([reply], () => video("PROCESSING", 4))
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(0)
    expect(server.times).toEqual([0, 0])
    expect(told).toEqual(["PROCESSING 4"])
  })

  it("that cannot be had are looked for ever more seldom: ten minutes cost at most 150 requests", async () => {
    const { client, clock, server, streams } = withEvents([], movingVideo())
    const watch = client.watch({ video: 42 })
    await clock.advance(10 * minute)
    watch.stop()
    expect(server.asked.length).toBeLessThanOrEqual(150)
    const tries = streams().map(({ at }) => at)
    const gaps = tries.slice(1).map((at, index) => at - (tries[index] ?? 0))
    expect(gaps.length).toBeGreaterThan(4)
    expect(gaps).toEqual(gaps.toSorted((a, b) => a - b))
  })

  it("that are full are looked for no sooner than the server says", async () => {
    const full: Reply = () => json({}, { status: 503, headers: { "retry-after": "120" } })
    const { client, clock, streams } = withEvents([full], () => video("PROCESSING", 4), 0.5)
    const watch = client.watch({ video: 42 })
    await clock.advance(10 * minute)
    watch.stop()
    expect((streams()[1]?.at ?? 0) - (streams()[0]?.at ?? 0)).toBeGreaterThanOrEqual(120_000)
  })

  it("that a proxy keeps to itself are given up for polls after 3 s", async () => {
    const { client, clock, polls } = withEvents([new ScriptedStream()], () => video("READY"))
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(3_000)
    expect(polls().map(({ at }) => at)).toEqual([3_000])
    expect(told).toEqual(["READY 100", "succeeded"])
  })

  it("are given up when the heartbeats that the server announced stay away, and looked for again", async () => {
    const quiet = new ScriptedStream()
    const again = new ScriptedStream()
    const { client, clock, polls, streams } = withEvents([quiet, again], () => video("PROCESSING", 9))
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await settle()
    quiet.event("hello", { heartbeatMs: 4_000 })
    quiet.event("progress", videoBody("PROCESSING", 4))
    await clock.advance(8_000)
    quiet.heartbeat()
    await clock.advance(9_999)
    expect(polls()).toHaveLength(0)
    await clock.advance(2_000)
    expect(polls()).toHaveLength(1)
    expect(quiet.isLeft).toBe(true)
    while (streams().length < 2) await clock.advance(500)
    again.event("progress", videoBody("READY"))
    await clock.advance(0)
    expect(told).toEqual(["PROCESSING 4", "PROCESSING 9", "READY 100", "succeeded"])
    expect(clock.pending).toBe(0)
  })

  it("that break off lose nothing: a poll tells what happened, and the next stream goes on from there", async () => {
    const first = new ScriptedStream()
    const second = new ScriptedStream()
    const { client, clock, polls, streams } = withEvents(
      [first, second],
      () => json(videoBody("PROCESSING", 60), { headers: { etag: '"1-3.1-3.1.61"' } })
    )
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await settle()
    first.event("progress", videoBody("PROCESSING", 4), "1-3.1-3.1.5")
    await clock.advance(minute / 2)
    first.end()
    while (streams().length < 2) await clock.advance(500)
    expect(polls()[0]?.headers.get("if-none-match")).toBe('"1-3.1-3.1.5"')
    expect(streams().map(({ headers }) => headers.get("last-event-id"))).toEqual([null, "1-3.1-3.1.61"])
    const before = polls().length
    // Nothing new since: the server says nothing but that it is there.
    second.write("retry: 3000\n\n")
    await clock.advance(10_000)
    second.event("progress", videoBody("PROCESSING", 30), "1-3.1-3.1.31")
    second.event("progress", videoBody("READY"))
    await clock.advance(0)
    expect(polls()).toHaveLength(before)
    expect(told).toEqual(["PROCESSING 4", "PROCESSING 60", "READY 100", "succeeded"])
  })

  it("end with the watch when a poll is refused", async () => {
    const refuse: Reply = () => json({ detail: "expired", code: "token_expired" }, { status: 401 })
    const { client, clock } = withEvents([refuse], refuse)
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await clock.advance(minute)
    expect([told, clock.pending]).toEqual([["Unauthorized"], 0])
  })

  it("of a hidden page are none, and when it is shown they begin with what is known", async () => {
    const streams = [new ScriptedStream(), new ScriptedStream()]
    const { client, clock, page, server } = withEvents(streams, () => video("PENDING"))
    const watch = client.watch({ video: 42 })
    await settle()
    streams[0]?.event("progress", videoBody("PROCESSING", 4), "1-3.1-3.1.5")
    await clock.advance(2_000)
    page.hidden = true
    await clock.advance(60 * minute)
    expect([streams[0]?.isLeft, server.asked.length, clock.pending]).toEqual([true, 1, 0])
    page.hidden = false
    await clock.advance(0)
    expect(server.asked[1]?.headers.get("last-event-id")).toBe("1-3.1-3.1.5")
    watch.stop()
    await settle()
    expect([streams[1]?.isLeft, clock.pending]).toEqual([true, 0])
  })

  it("of a page that flickers are opened once a second at most", async () => {
    const stream = new ScriptedStream()
    const { client, clock, page, server } = withEvents(Array.from({ length: 20 }, () => stream), () => video("PENDING"))
    const watch = client.watch({ video: 42 })
    for (let turn = 0; turn < 300; turn += 1) {
      page.hidden = turn % 2 === 1
      await clock.advance(10)
    }
    watch.stop()
    expect(server.asked.length).toBeLessThanOrEqual(4)
  })
})

describe("What nobody knows", () => {
  it("is asked of the database once a minute at most while the stream says nothing else", async () => {
    const stream = new ScriptedStream()
    const { client, clock, polls } = withEvents([stream], () => video("PROCESSING"))
    const { told, ...callbacks } = listener()
    const watch = client.watch({ video: 42 }, callbacks)
    await settle()
    stream.event("progress", videoBody("UNKNOWN"))
    for (let second = 0; second < 180; second += 1) {
      stream.heartbeat()
      await clock.advance(1_000)
    }
    watch.stop()
    expect(polls().map(({ path }) => path)).toEqual(Array.from({ length: 3 }, () => "/api/v1/media/videos/42/"))
    const times = polls().map(({ at }) => at)
    for (const [index, at] of times.entries()) expect(at - (times[index - 1] ?? -Infinity)).toBeGreaterThanOrEqual(minute)
    expect(told).toEqual(["PROCESSING null"])
  })

  it("is also what is known while the mirror is away: the end is seen all the same", async () => {
    const stream = new ScriptedStream()
    const { client, clock, polls } = withEvents([stream], () => video("READY"))
    const { told, ...callbacks } = listener()
    client.watch({ video: 42 }, callbacks)
    await settle()
    stream.event("progress", videoBody("PROCESSING", 4))
    await clock.advance(30_000)
    expect(polls()).toEqual([])
    stream.event("away", {})
    await clock.advance(30_000)
    expect(polls().map(({ path }) => path)).toEqual(["/api/v1/media/videos/42/"])
    expect(told).toEqual(["PROCESSING 4", "READY 100", "succeeded"])
  })

  it("is known again when the mirror is back", async () => {
    const stream = new ScriptedStream()
    const { client, clock, polls } = withEvents([stream], () => video("READY"))
    const watch = client.watch({ video: 42 })
    await settle()
    stream.event("progress", videoBody("PROCESSING", 4))
    stream.event("away", {})
    await clock.advance(4_000)
    stream.event("back", {})
    await clock.advance(30_000)
    watch.stop()
    expect(polls()).toEqual([])
  })
})

describe("A tray", () => {
  const subjects: ReadonlyArray<Subject> = [{ video: 1 }, { job: "a" }, { video: 2 }, { job: "b c" }]
  const jobBody = (id: string, status: string, percent = 0) => ({ job_id: id, status, progress: { percent } })

  it("of many subjects costs one stream, and each watch is told its own", async () => {
    const stream = new ScriptedStream()
    const { client, clock, server } = withEvents([stream], () => video("PENDING"))
    const heard = subjects.map((subject) => {
      const { told, ...callbacks } = listener()
      client.watch(subject, callbacks)
      return told
    })
    await settle()
    stream.event("progress", { ...videoBody("PROCESSING", 7), id: 2 })
    stream.event("progress", jobBody("b c", "RUNNING", 30))
    stream.event("progress", { ...videoBody("READY"), id: 1 })
    stream.event("progress", jobBody("a", "DONE"))
    await clock.advance(minute / 3)
    stream.event("progress", { ...videoBody("READY"), id: 2 })
    stream.event("progress", jobBody("b c", "FAILED"))
    await clock.advance(0)
    expect(server.urls).toEqual(["/api/v1/progress/events/?videos=1,2&jobs=a,b%20c"])
    expect(heard).toEqual([
      ["READY 100", "succeeded"],
      ["DONE 100", "succeeded"],
      ["PROCESSING 7", "READY 100", "succeeded"],
      ["RUNNING 30", "FAILED 30", "failed"]
    ])
    expect([stream.isLeft, clock.pending]).toEqual([true, 0])
  })

  it("of many subjects costs one poll where there are no events", async () => {
    const { client, clock, server } = clientUnderTest([
      () =>
        json({
          videos: [{ ...videoBody("READY"), id: 2 }, { ...videoBody("PROCESSING", 5), id: 1 }],
          jobs: [jobBody("a", "DONE")]
        }),
      () => json({ ...videoBody("READY"), id: 1 })
    ])
    const heard = ([{ video: 1 }, { video: 2 }, { job: "a" }] satisfies ReadonlyArray<Subject>).map((subject) => {
      const { told, ...callbacks } = listener()
      client.watch(subject, callbacks)
      return told
    })
    await clock.advance(minute)
    expect(server.urls).toEqual(["/api/v1/progress/?videos=1,2&jobs=a", "/api/v1/media/videos/1/progress/"])
    expect(heard).toEqual([
      ["PROCESSING 5", "READY 100", "succeeded"],
      ["READY 100", "succeeded"],
      ["DONE 100", "succeeded"]
    ])
  })

  it("that grows is asked for again at once, as one", async () => {
    const streams = [new ScriptedStream(), new ScriptedStream()]
    const { client, clock, server } = withEvents(streams, () => video("PENDING"))
    client.watch({ video: 1 })
    await clock.advance(300)
    client.watch({ video: 2 })
    client.watch({ video: 3 })
    await clock.advance(0)
    expect(server.urls).toEqual([
      "/api/v1/media/videos/1/progress/events/",
      "/api/v1/progress/events/?videos=1,2,3&jobs="
    ])
    expect([server.times, streams[0]?.isLeft]).toEqual([[0, 300], true])
  })

  it("of more than a hundred is two, and an id with a comma is asked for by its own path", async () => {
    const streams = Array.from({ length: 3 }, () => new ScriptedStream())
    const { client, server } = withEvents(streams, () => video("PENDING"))
    for (let video = 1; video <= 101; video += 1) client.watch({ video })
    client.watch({ job: "one, two" })
    await settle()
    const [first, second, third] = server.urls
    expect(first?.match(/[\d,]+/g)?.at(-1)?.split(",")).toHaveLength(100)
    expect([second, third]).toEqual([
      "/api/v1/media/videos/101/progress/events/",
      "/api/v1/jobs/one%2C%20two/progress/events/"
    ])
  })

  it("of one unknown subject does not ask the database for the others", async () => {
    const { client, clock, server } = clientUnderTest([
      ({ path }) =>
        path.startsWith("/api/v1/progress/")
          ? json({ videos: [{ ...videoBody("PROCESSING", 5), id: 1 }, { ...videoBody("UNKNOWN"), id: 2 }], jobs: [] })
          : unknown()
    ])
    client.watch({ video: 1 })
    client.watch({ video: 2 })
    await clock.advance(30_000)
    expect(server.paths.filter((path) => !path.endsWith("/progress/"))).toEqual(["/api/v1/media/videos/2/"])
  })

  it("that grows while the database is asked asks it again", async () => {
    const { client, clock, server } = clientUnderTest([
      ({ path, signal }) => {
        if (path.endsWith("/progress/")) return unknown()
        return new Promise<Response>((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
      }
    ])
    client.watch({ video: 1 })
    await clock.advance(4_000)
    const details = () => server.paths.filter((path) => path === "/api/v1/media/videos/1/").length
    expect(details()).toBe(1)
    const other = client.watch({ video: 2 })
    await clock.advance(0)
    other.stop()
    await clock.advance(15_000)
    expect(details()).toBeGreaterThan(1)
  })

  it("that the server answers with something else is trouble of each", async () => {
    const { client, clock } = clientUnderTest([() => json({ hello: 1 })])
    const heard = [1, 2].map((video) => {
      const { told, ...callbacks } = listener()
      client.watch({ video }, callbacks)
      return told
    })
    await clock.advance(0)
    expect(heard).toEqual([["Body 200: again in 1000"], ["Body 200: again in 1000"]])
  })
})
