/** The client in real tabs, at the real edge over a real Redis, by the real clock. */
import { describeIf, RedisServer } from "@lectern/harness"
import { chromiumAvailability, openChromium } from "@lectern/harness/chromium"
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import type { Page } from "playwright-core"
import { startEdge } from "../edge/edgeProcess.ts"
import { mirroredVideos } from "./mirroredVideos.ts"
import { openTab, servedPage, show } from "./servedPage.ts"

/** Waits until the tab was told so. */
const hears = (tab: Page, line: string) =>
  Effect.promise(() => tab.waitForFunction(`window.told.includes(${JSON.stringify(line)})`))

const toldTo = (tab: Page) => Effect.promise(() => tab.evaluate<ReadonlyArray<string>>("window.told"))

describeIf(
  chromiumAvailability.available ? RedisServer.availability : chromiumAvailability,
  "Tabs of a real browser",
  () => {
    it.live("share one stream, rest while hidden, poll while there is none, and see the end once", () =>
      Effect.gen(function*() {
        const redisServer = yield* RedisServer.make()
        const change = mirroredVideos(redisServer.url)
        yield* change("PROCESSING", 10)

        const edge = yield* startEdge(redisServer.url)
        const url = yield* servedPage("plain", { edgePort: edge.port })
        const browser = yield* openChromium
        const asked: Array<{ readonly tab: Page; readonly isEvents: boolean }> = []
        browser.on("request", (request) => {
          const { pathname, port } = new URL(request.url())
          if (port !== String(edge.port) || request.method() !== "GET") return
          asked.push({ tab: request.frame().page(), isEvents: pathname.endsWith("/progress/events/") })
        })
        const streamsOf = (tab: Page) => asked.filter((one) => one.tab === tab && one.isEvents).length
        const askedBy = (tab: Page) => asked.filter((one) => one.tab === tab).length

        const first = yield* openTab(browser, url)
        yield* hears(first, "PROCESSING 10")
        const second = yield* openTab(browser, url)
        yield* hears(second, "PROCESSING 10")
        yield* change("PROCESSING", 20)
        yield* Effect.all([hears(first, "PROCESSING 20"), hears(second, "PROCESSING 20")])
        expect(asked[0]).toEqual({ tab: first, isEvents: true })
        expect(askedBy(second)).toBe(0)

        yield* show(first, "hidden")
        const askedWhileSeen = askedBy(first)
        yield* change("PROCESSING", 30)
        yield* hears(second, "PROCESSING 30")
        expect(streamsOf(second)).toBeGreaterThan(0)
        expect(askedBy(first)).toBe(askedWhileSeen)
        expect(yield* toldTo(first)).toEqual(["PROCESSING 10", "PROCESSING 20"])
        yield* show(first, "visible")
        yield* hears(first, "PROCESSING 30")

        const before = asked.length
        yield* edge.kill
        yield* change("PROCESSING", 40)
        yield* startEdge(redisServer.url, edge.port)
        yield* Effect.all([hears(first, "PROCESSING 40"), hears(second, "PROCESSING 40")])
        expect(asked.slice(before).some(({ isEvents }) => !isEvents)).toBe(true)
        while (!asked.slice(before).some(({ isEvents }) => isEvents)) {
          yield* Effect.promise(() => browser.waitForEvent("request"))
        }
        yield* change("READY", 100)
        yield* Effect.all([hears(first, "succeeded"), hears(second, "succeeded")])
        const wanted = ["PROCESSING 10", "PROCESSING 20", "PROCESSING 30", "PROCESSING 40", "READY 100", "succeeded"]
        expect([yield* toldTo(first), yield* toldTo(second)]).toEqual([wanted, wanted])
        expect(askedBy(first)).toBe(askedWhileSeen)
      }).pipe(Effect.scoped)
    )
  }
)
