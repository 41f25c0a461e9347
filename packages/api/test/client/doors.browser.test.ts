/** The doors for React and TanStack Query in a real browser, in strict mode, at the real edge over a real Redis. */
import { describeIf, RedisServer } from "@lectern/harness"
import { chromiumAvailability, openChromium } from "@lectern/harness/chromium"
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { once } from "node:events"
import type { Page } from "playwright-core"
import { type EdgeProcess, startEdge } from "../edge/edgeProcess.ts"
import { jobPath } from "../edge/edgeSubject.ts"
import { mirroredVideos } from "./mirroredVideos.ts"
import { openTab, servedPage, show } from "./servedPage.ts"

const bars = (tab: Page, count: number) => Effect.promise(() => tab.evaluate(`window.showBars(${count})`))

/** Waits until the page's components show these lines, and no others. */
const shows = (tab: Page, ...lines: ReadonlyArray<string>) =>
  Effect.promise(() =>
    tab.waitForFunction(
      (wanted) => Array.from(document.querySelectorAll("p"), (bar) => bar.textContent).join() === wanted,
      lines.join()
    )
  )

/** The ends that the page saw, as soon as there are so many. */
const ends = (tab: Page, count: number) =>
  Effect.promise(async () => {
    await tab.waitForFunction((wanted) => window.ends.length >= wanted, count)
    return tab.evaluate(() => window.ends)
  })

/** Waits until the page's witness was answered so many times more: a poller that runs was answered as often. */
const witness = (tab: Page, times: number) =>
  Effect.promise(async () => {
    const before = await tab.evaluate(() => window.witnessed)
    await tab.waitForFunction((wanted) => window.witnessed >= wanted, before + times)
  })

/** Ends the edge in good order, and returns its requests in their order: the route and the status of each, in lines. */
const requestsOf = (edge: EdgeProcess) =>
  Effect.promise(async () => {
    const closed = once(edge.process, "close")
    edge.process.kill("SIGTERM")
    await closed
    const requests = edge.output().matchAll(/"message":"request".*"method":"GET","route":"(\w+)","status":(\d+)/g)
    return Array.from(requests, ([, route, status]) => `${route} ${status}\n`).join("")
  })

/** How often a route was asked. */
const asked = (requests: string, route: string) => requests.split(`${route} `).length - 1

/** The video, and those that the witness watches. */
const withWitness = [42, 43, 44]
const each = { ACCESS_LOG: "each" }

/** Milliseconds after which a test hangs: the witness alone asks for fifteen seconds, on a busy machine for more. */
const patience = 120_000

const chromiumAndRedis = chromiumAvailability.available ? RedisServer.availability : chromiumAvailability

describeIf(chromiumAndRedis, "Components in a real browser", () => {
  for (const [door, program] of [["useProgress", "react"], ["the query", "tanstackQuery"]] as const) {
    it.live(`that show ${door} share one stream, find an edge again that has died, and see the end once`, () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make()
        const change = mirroredVideos(redis.url)
        yield* change("PROCESSING", 10)
        // A second stream at the same time would be refused.
        const edge = yield* startEdge(redis.url, 0, { ...each, EVENT_STREAMS_PER_TOKEN: "1" })
        const url = yield* servedPage(program, { edgePort: edge.port })
        const tab = yield* openTab(yield* openChromium, url)
        yield* bars(tab, 2)
        yield* Effect.promise(() => tab.evaluate(() => window.watchBeside()))
        yield* shows(tab, "PROCESSING 10", "PROCESSING 10")
        yield* change("PROCESSING", 20)
        yield* shows(tab, "PROCESSING 20", "PROCESSING 20")
        const requests = yield* requestsOf(edge)
        expect(requests).toContain("events 200")
        expect(requests).not.toContain("events 429")

        yield* change("PROCESSING", 30)
        const next = yield* startEdge(redis.url, edge.port)
        yield* shows(tab, "PROCESSING 30", "PROCESSING 30")
        yield* next.kill
        yield* change("PROCESSING", 40)
        yield* startEdge(redis.url, edge.port)
        yield* shows(tab, "PROCESSING 40", "PROCESSING 40")
        yield* change("READY", 100)
        yield* shows(tab, "READY 100", "READY 100")
        expect(yield* ends(tab, 3)).toEqual(["succeeded", "succeeded", "succeeded"])
      }).pipe(Effect.scoped))

    it.live(`that show ${door} share one poller, which rests while the page is hidden or none is shown`, () =>
      Effect.gen(function*() {
        const redis = yield* RedisServer.make()
        const change = mirroredVideos(redis.url)
        yield* change("PROCESSING", 10, withWitness)
        const edge = yield* startEdge(redis.url, 0, each)
        const url = yield* servedPage(program, { edgePort: edge.port, hasEvents: false })
        const tab = yield* openTab(yield* openChromium, url)
        /** A request of its own kind, by which a moment is found among the edge's requests. */
        const mark = edge.ask(jobPath)

        yield* Effect.promise(() => tab.evaluate(() => window.startWitness()))
        yield* bars(tab, 2)
        yield* shows(tab, "PROCESSING 10", "PROCESSING 10")
        yield* change("PROCESSING", 20, withWitness)
        yield* shows(tab, "PROCESSING 20", "PROCESSING 20")
        yield* witness(tab, 5)
        yield* show(tab, "hidden")
        yield* mark
        yield* change("PROCESSING", 30, withWitness)
        yield* witness(tab, 3)
        yield* shows(tab, "PROCESSING 20", "PROCESSING 20")
        yield* mark
        yield* show(tab, "visible")
        yield* shows(tab, "PROCESSING 30", "PROCESSING 30")
        yield* bars(tab, 1)
        yield* change("PROCESSING", 40, withWitness)
        yield* shows(tab, "PROCESSING 40")
        yield* bars(tab, 0)
        yield* mark
        yield* witness(tab, 3)
        yield* mark
        yield* bars(tab, 2)
        yield* change("READY", 100)
        yield* shows(tab, "READY 100", "READY 100")
        yield* mark
        yield* witness(tab, 3)
        expect(yield* ends(tab, 2)).toEqual(["succeeded", "succeeded"])

        const requests = yield* requestsOf(edge)
        const [together = "", hidden = "", , unmounted = "", , over = ""] = requests.split("job 200\n")
        // Two pollers would have asked twice as often as the witness, which asked six times and more.
        expect(asked(together, "video")).toBeLessThanOrEqual(asked(together, "tray") + 2)
        for (const rest of [hidden, unmounted, over]) {
          expect(asked(rest, "tray")).toBeGreaterThanOrEqual(3)
          // One may have been on its way.
          expect(asked(rest, "video")).toBeLessThanOrEqual(1)
        }
      }).pipe(Effect.scoped), patience)
  }
})
