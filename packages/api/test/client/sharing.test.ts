import { describe, expect, it } from "vitest"
import { createProgressClient, type Tabs, webTabs } from "../../src/client/index.ts"
import { tabName } from "../../src/client/tabName.ts"
import { signToken } from "../../src/tokens/index.ts"
import { clientUnderTest, listener } from "./clientUnderTest.ts"
import { FakeClock, settle } from "./FakeClock.ts"
import { FakePage } from "./FakePage.ts"
import { json, type Reply, ScriptedServer, video, videoBody } from "./ScriptedServer.ts"

describe("Watches of one subject in a page", () => {
  it("share one poller, and one that comes later is told at once what is known", async () => {
    const { client, clock, page, server } = clientUnderTest([() => video("PROCESSING", 5), () => video("READY")])
    const first = listener()
    const second = listener()
    client.watch({ video: 42 }, first)
    await clock.advance(500)
    client.watch({ video: 42 }, second)
    expect(second.told).toEqual([])
    await settle()
    expect(second.told).toEqual(["PROCESSING 5"])
    await clock.advance(10_000)
    expect(first.told).toEqual(["PROCESSING 5", "READY 100", "succeeded"])
    expect(second.told).toEqual(first.told)
    expect([server.asked.length, page.listeners]).toEqual([2, 0])
  })

  it("go on while one of them is left", async () => {
    const { client, clock, server } = clientUnderTest([() => video("PROCESSING", 5)])
    const first = client.watch({ video: 42 })
    const second = client.watch({ video: 42 })
    await settle()
    first.stop()
    first.stop()
    await clock.advance(1_000)
    expect(server.asked).toHaveLength(2)
    second.stop()
    await clock.advance(60_000)
    expect([server.asked.length, clock.pending]).toEqual([2, 0])
  })

  it("that begin or stop in another's callback are told once, and no more", async () => {
    const { client, clock } = clientUnderTest([
      () => video("PROCESSING", 5),
      () => video("PROCESSING", 6),
      () => video("READY")
    ])
    const begun = listener()
    const stopped = listener()
    let isFirst = true
    client.watch({ video: 42 }, {
      onProgress: ({ percent }) => {
        if (isFirst) client.watch({ video: 42 }, begun)
        isFirst = false
        if (percent === 6) watch.stop()
      }
    })
    const watch = client.watch({ video: 42 }, stopped)
    await clock.advance(10_000)
    expect(begun.told).toEqual(["PROCESSING 5", "PROCESSING 6", "READY 100", "succeeded"])
    expect(stopped.told).toEqual(["PROCESSING 5"])
  })

  it("that begin in another's callback are asked for at once", async () => {
    const { client, clock, server } = clientUnderTest([
      () => video("PROCESSING", 5, { nextPollMs: 8_000 }),
      () => json({ videos: [{ ...videoBody("PROCESSING", 7), id: 43 }], jobs: [] })
    ])
    const begun = listener()
    client.watch({ video: 42 }, { onProgress: () => void client.watch({ video: 43 }, begun) })
    await clock.advance(0)
    expect(server.times).toEqual([0, 0])
    expect(begun.told).toEqual(["PROCESSING 7"])
  })

  it("begin anew after an end, from its callback too", async () => {
    const { client, clock } = clientUnderTest([
      () => video("FAILED"),
      () => video("PROCESSING", 5),
      () => video("READY")
    ])
    const again = listener()
    client.watch({ video: 42 }, { onTerminal: () => void client.watch({ video: 42 }, again) })
    await clock.advance(10_000)
    expect(again.told).toEqual(["PROCESSING 5", "READY 100", "succeeded"])
  })
})

/** The runtime's own locks and channels: what a browser has is here too. */
const realTabs = (): Tabs => {
  const tabs = webTabs()
  if (tabs === null) throw new Error("this runtime has no Web Locks")
  return tabs
}

interface Tab extends ReturnType<typeof listener> {
  readonly page: FakePage
  readonly stop: () => void
  /** Settles when a line is told. */
  readonly has: (line: string) => Promise<void>
}

const secret = "a secret of the tabs' tests, long enough"

/** A token of tenant 7 for a person of their own. */
const tokenOf = (subject: string, tenantId = 7): Promise<string> =>
  signToken({ tenantId, subject, secret, expiresInSeconds: 600 })

const watchInTab = (clock: FakeClock, server: ScriptedServer, token: string, tabs: Tabs | null = realTabs()): Tab => {
  const page = new FakePage()
  const heard = listener()
  const wanted = new Map<string, () => void>()
  const say = (line: string): void => {
    wanted.get(line)?.()
    wanted.delete(line)
  }
  const client = createProgressClient({
    baseUrl: "https://edge.school.example",
    token,
    fetch: server.fetch,
    clock,
    random: () => 0,
    page,
    tabs,
    events: false
  })
  const watch = client.watch({ video: 42 }, {
    ...heard,
    onProgress: (snapshot) => {
      heard.onProgress(snapshot)
      say(`${snapshot.status} ${snapshot.percent}`)
    }
  })
  return {
    ...heard,
    page,
    stop: watch.stop,
    has: (line) =>
      heard.told.includes(line) ? Promise.resolve() : new Promise((resolve) => void wanted.set(line, resolve))
  }
}

/** Another percent for each answer, so that each is news. */
const moving = (): Reply => {
  let percent = 0
  return () => video("PROCESSING", (percent += 1))
}

describe("Tabs", () => {
  it("of one person share one poller, and one that comes later is told at once", async () => {
    const clock = new FakeClock()
    const server = new ScriptedServer(clock, moving())
    const token = await tokenOf("of the first test")
    const first = watchInTab(clock, server, token)
    await first.has("PROCESSING 1")
    const second = watchInTab(clock, server, token)
    await second.has("PROCESSING 1")
    await clock.advance(1_000)
    await Promise.all([first.has("PROCESSING 2"), second.has("PROCESSING 2")])
    server.reply = () => video("READY")
    await clock.advance(1_000)
    await Promise.all([first.has("READY 100"), second.has("READY 100")])
    await clock.advance(60_000)
    expect(server.times).toEqual([0, 1_000, 2_000])
    expect([first.told.at(-1), second.told]).toEqual(["succeeded", ["PROCESSING 1", "PROCESSING 2", "READY 100", "succeeded"]])
  })

  it.each([
    ["is hidden", (tab: Tab) => void (tab.page.hidden = true)],
    ["stops", (tab: Tab) => tab.stop()]
  ])("go on with another poller when the one who polls %s", async (name, leave) => {
    const clock = new FakeClock()
    const server = new ScriptedServer(clock, moving())
    const token = await tokenOf(`whose tab ${name}`)
    const first = watchInTab(clock, server, token)
    await first.has("PROCESSING 1")
    const second = watchInTab(clock, server, token)
    await second.has("PROCESSING 1")
    leave(first)
    await second.has("PROCESSING 2")
    expect(first.told).toEqual(["PROCESSING 1"])
    second.stop()
    await settle()
    expect(clock.pending).toBe(0)
  })

  it("that are all hidden ask nothing", async () => {
    const clock = new FakeClock()
    const server = new ScriptedServer(clock, moving())
    const token = await tokenOf("of hidden tabs")
    const both = [watchInTab(clock, server, token), watchInTab(clock, server, token)]
    await Promise.all(both.map((tab) => tab.has("PROCESSING 1")))
    for (const tab of both) tab.page.hidden = true
    await settle()
    const before = server.asked.length
    await clock.advance(600_000)
    expect(server.asked).toHaveLength(before)
    for (const tab of both) tab.stop()
  })

  it("of another tenant hear nothing of each other", async () => {
    const clock = new FakeClock()
    const server = new ScriptedServer(clock, moving())
    const tabs = [
      watchInTab(clock, server, await tokenOf("of two tenants", 7)),
      watchInTab(clock, server, await tokenOf("of two tenants", 8))
    ]
    await Promise.race([tabs[0]?.has("PROCESSING 1"), tabs[1]?.has("PROCESSING 1")])
    await Promise.race([tabs[0]?.has("PROCESSING 2"), tabs[1]?.has("PROCESSING 2")])
    expect(server.asked).toHaveLength(2)
    expect(tabs.map(({ told }) => told.length)).toEqual([1, 1])
    for (const tab of tabs) tab.stop()
  })

  it("poll each for itself where tabs cannot share", async () => {
    const clock = new FakeClock()
    const server = new ScriptedServer(clock, () => video("READY"))
    const broken: Tabs = {
      ...realTabs(),
      open: () => {
        throw new Error("no channels in this page")
      }
    }
    const token = await tokenOf("of tabs apart")
    const tabs = [
      watchInTab(clock, server, token, null),
      watchInTab(clock, server, token, broken),
      watchInTab(clock, server, "a token that names no tenant"),
      watchInTab(clock, server, "a token that names no tenant")
    ]
    await Promise.all(tabs.map((tab) => tab.has("READY 100")))
    expect(server.asked).toHaveLength(4)
  })

  it("share a name with the same tenant, person, server and subject alone, and none without a tenant", async () => {
    const token = (tenantId: number, subject: string, now: number) =>
      signToken({ tenantId, subject, secret, expiresInSeconds: 600, now })
    const name = tabName("https://a", await token(7, "김선생", 1_000), "video:42")
    expect(tabName("https://a", await token(7, "김선생", 9_000_000), "video:42")).toBe(name)
    const others = [
      tabName("https://b", await token(7, "김선생", 1_000), "video:42"),
      tabName("https://a", await token(8, "김선생", 1_000), "video:42"),
      tabName("https://a", await token(7, "박선생", 1_000), "video:42"),
      tabName("https://a", await token(7, "김선생", 1_000), "video:43")
    ]
    expect(new Set([name, ...others]).size).toBe(5)
    expect(() => tabName("https://a", "e30.e30.e30", "video:42")).toThrow("Cannot share without a tenant")
  })
})
