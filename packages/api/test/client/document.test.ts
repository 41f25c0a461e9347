// @vitest-environment happy-dom
/** The client with a document's own defaults. */
import { afterEach, describe, expect, it, vi } from "vitest"
import { createProgressClient } from "../../src/client/index.ts"
import { signToken } from "../../src/tokens/index.ts"
import { FakeClock, settle } from "./FakeClock.ts"
import { ScriptedServer, video } from "./ScriptedServer.ts"

const show = (state: DocumentVisibilityState): void => {
  vi.spyOn(document, "visibilityState", "get").mockReturnValue(state)
  document.dispatchEvent(new Event("visibilitychange"))
}

afterEach(() => {
  vi.restoreAllMocks()
})

describe("A client in a page", () => {
  it("follows the document's visibility, and forgets the document when the watch is over", async () => {
    const clock = new FakeClock()
    const server = new ScriptedServer(clock, () => video("PROCESSING", 5))
    const removed = vi.spyOn(document, "removeEventListener")
    show("hidden")
    const client = createProgressClient({
      baseUrl: "https://edge",
      token: "t",
      fetch: server.fetch,
      clock,
      tabs: null,
      events: false
    })
    const watch = client.watch({ video: 42 })
    await clock.advance(60_000)
    expect(server.asked).toEqual([])
    show("visible")
    await settle()
    expect(server.asked.map(({ at }) => at)).toEqual([60_000])
    show("hidden")
    await clock.advance(60_000)
    expect([server.asked.length, clock.pending]).toEqual([1, 0])
    watch.stop()
    expect(removed.mock.calls.map(([event]) => event)).toEqual(["visibilitychange"])
  })

  it("shares with other tabs by itself where the page has locks and channels", async () => {
    const clock = new FakeClock()
    const server = new ScriptedServer(clock, () => video("PROCESSING", 5))
    const names: Array<string> = []
    vi.stubGlobal("navigator", {
      locks: {
        request: async (name: string, _options: object, granted: () => Promise<void>) => {
          names.push(name)
          await granted()
        }
      }
    })
    const secret = "a secret of the page's tests, long enough"
    const token = await signToken({ tenantId: 7, secret, expiresInSeconds: 60 })
    const client = createProgressClient({ baseUrl: "https://edge", token, fetch: server.fetch, clock, events: false })
    const watch = client.watch({ video: 42 })
    expect((await watch.next()).value?.percent).toBe(5)
    watch.stop()
    expect(names).toHaveLength(1)
    vi.unstubAllGlobals()
  })
})
