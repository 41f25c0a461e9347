/** The client in real tabs, at the real edge over a real Redis, by the real clock. */
import { makeLazyRedis } from "@lectern/adapters/redis"
import { describeIf, RedisServer } from "@lectern/harness"
import { chromiumAvailability, openChromium } from "@lectern/harness/chromium"
import { expect, it } from "@effect/vitest"
import { Effect } from "effect"
import { build } from "esbuild"
import { createServer } from "node:http"
import { fileURLToPath } from "node:url"
import type { BrowserContext, Page } from "playwright-core"
import { startEdge } from "../edge/edgeProcess.ts"
import { token } from "../edge/edgeSubject.ts"

/** Watches a video, and writes down what it is told. */
const program = (edgeUrl: string): string => `
import { createProgressClient } from "./index.ts"

window.told = []
const say = (line) => void window.told.push(line)
const client = createProgressClient({ baseUrl: ${JSON.stringify(edgeUrl)}, token: ${JSON.stringify(token)} })
client.watch({ video: 42 }, {
  onProgress: ({ percent, status }) => say(status + " " + percent),
  onTerminal: ({ outcome }) => say(outcome),
  onError: ({ reason }) => say(reason)
})
`

/** Serves a page with the client's bundle until the end of the scope, and returns its address. */
const servedPage = Effect.fnUntraced(function*(edgeUrl: string) {
  const { outputFiles } = yield* Effect.promise(() =>
    build({
      stdin: {
        contents: program(edgeUrl),
        loader: "ts",
        resolveDir: fileURLToPath(new URL("../../src/client", import.meta.url))
      },
      bundle: true,
      format: "esm",
      minify: true,
      write: false
    })
  )
  const page = `<!doctype html><meta charset="utf-8"><script type="module">${outputFiles[0]?.text ?? ""}</script>`
  const server = yield* Effect.acquireRelease(
    Effect.sync(() =>
      createServer((_, response) => void response.writeHead(200, { "content-type": "text/html" }).end(page))
    ),
    (one) =>
      Effect.sync(() => {
        one.closeAllConnections()
        one.close()
      })
  )
  yield* Effect.callback<void>((resume) => {
    server.listen(0, "127.0.0.1", () => resume(Effect.void))
  })
  const address = server.address()
  if (address === null || typeof address === "string") return yield* Effect.die("the page's server has no port")
  return `http://127.0.0.1:${address.port}/`
})

const openTab = (browser: BrowserContext, url: string) =>
  Effect.promise(async () => {
    const tab = await browser.newPage()
    await tab.goto(url)
    return tab
  })

/** Waits until the tab was told so. */
const hears = (tab: Page, line: string) =>
  Effect.promise(() => tab.waitForFunction(`window.told.includes(${JSON.stringify(line)})`))

const toldTo = (tab: Page) => Effect.promise(() => tab.evaluate<ReadonlyArray<string>>("window.told"))

/** As the browser does when another tab covers this one, or uncovers it. */
const show = (tab: Page, state: DocumentVisibilityState) =>
  Effect.promise(() =>
    tab.evaluate(`
      Object.defineProperty(document, "visibilityState", { configurable: true, get: () => "${state}" })
      document.dispatchEvent(new Event("visibilitychange"))
    `)
  )

describeIf(
  chromiumAvailability.available ? RedisServer.availability : chromiumAvailability,
  "Tabs of a real browser",
  () => {
    it.live("share one stream, rest while hidden, poll while there is none, and see the end once", () =>
      Effect.gen(function*() {
        const redisServer = yield* RedisServer.make()
        const redis = yield* Effect.acquireRelease(
          Effect.sync(() => makeLazyRedis(redisServer.url)),
          (one) => Effect.sync(() => one.close())
        )
        let revision = 0
        const change = (status: string, percent: number) =>
          Effect.promise(async () => {
            revision += 1
            const version = { revision, attempt: 1 }
            const progress = JSON.stringify({ step: "transcoding", percent, tick: 1, as_of: revision, ...version })
            await redis.use(async (client) => {
              await client.mset({
                "tenant:7:video:42:status": JSON.stringify({ status, updated_at: 1, ...version }),
                "tenant:7:video:42:progress": progress
              })
              await client.publish("lectern:progress", "tenant:7:video:42")
            })
          })
        yield* change("PROCESSING", 10)

        const edge = yield* startEdge(redisServer.url)
        const url = yield* servedPage(`http://127.0.0.1:${edge.port}`)
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
