import { focusManager, QueryClient, QueryObserver } from "@tanstack/query-core"
import { describe, expect, it } from "vitest"
import { progressQueryOptions } from "../../src/client/tanstack-query/index.ts"
import { clientUnderTest } from "./clientUnderTest.ts"
import { settle } from "./FakeClock.ts"
import { json, movingVideo, type Reply, video } from "./ScriptedServer.ts"

const observed = (...replies: ReadonlyArray<Reply>) => {
  const it = clientUnderTest(replies)
  const queries = new QueryClient()
  const observer = new QueryObserver(queries, progressQueryOptions(it.client, { video: 42 }))
  const state = () => {
    const { data, error, fetchStatus, status } = observer.getCurrentResult()
    return [status, fetchStatus, data?.percent ?? null, error?.message ?? null]
  }
  return { ...it, queries, observer, state }
}

describe("The query", () => {
  it("follows the watch, is fetching until its end, and does not ask again after it", async () => {
    const { clock, observer, queries, server, state } = observed(
      () => video("PROCESSING", 50),
      () => video("PROCESSING", 60),
      () => video("READY")
    )
    const leave = observer.subscribe(() => undefined)
    await clock.advance(100)
    expect(state()).toEqual(["success", "fetching", 50, null])
    await clock.advance(1_000)
    expect(state()).toEqual(["success", "fetching", 60, null])
    await clock.advance(1_000)
    expect(state()).toEqual(["success", "idle", 100, null])
    leave()
    observer.subscribe(() => undefined)()
    await clock.advance(60_000)
    expect(server.asked).toHaveLength(3)
    queries.clear()
  })

  it("watches no more when nobody observes it", async () => {
    const { clock, observer, queries, server } = observed(() => video("PROCESSING", 50))
    const leave = observer.subscribe(() => undefined)
    await settle()
    leave()
    await clock.advance(60_000)
    expect([server.asked.length, clock.pending]).toEqual([1, 0])
    queries.clear()
  })

  it("watches on when it is observed again before its end, and shows meanwhile what it knew", async () => {
    const { clock, observer, queries, state } = observed(() => video("PROCESSING", 50), () => video("READY"))
    observer.subscribe(() => undefined)()
    const leave = observer.subscribe(() => undefined)
    await clock.advance(100)
    expect(state()).toEqual(["success", "fetching", 50, null])
    leave()
    await clock.advance(60_000)
    observer.subscribe(() => undefined)
    expect(state()).toEqual(["success", "fetching", 50, null])
    await clock.advance(100)
    expect(state()).toEqual(["success", "idle", 100, null])
    queries.clear()
  })

  it("costs at most 150 requests for a job of ten minutes, whoever begins to observe it and looks at the page", async () => {
    const { clock, observer, queries, server } = observed(movingVideo())
    const leave = [observer.subscribe(() => undefined)]
    for (let second = 0; second < 600; second += 1) {
      if (second % 100 === 50) {
        const another = new QueryObserver(queries, observer.options)
        leave.push(another.subscribe(() => undefined))
        focusManager.setFocused(false)
        focusManager.setFocused(true)
      }
      await clock.advance(1_000)
    }
    // A bar that moves is watched.
    expect(server.asked.length).toBeGreaterThan(100)
    expect(server.asked.length).toBeLessThanOrEqual(150)
    for (const one of leave) one()
    queries.clear()
  })

  it("fails with the watch's typed error, at once", async () => {
    const { clock, observer, queries, server, state } = observed(() => json({ detail: "no such right" }, { status: 403 }))
    const leave = observer.subscribe(() => undefined)
    await clock.advance(60_000)
    expect(state()).toEqual(["error", "idle", null, "Cannot watch video:42: no such right"])
    expect(server.asked).toHaveLength(1)
    leave()
    queries.clear()
  })

  it("resolves at the end where it is awaited", async () => {
    const { client, clock, queries } = observed(() => video("PROCESSING", 50), () => video("READY"))
    const fetched = queries.fetchQuery(progressQueryOptions(client, { video: 42 }))
    await clock.advance(5_000)
    expect((await fetched).outcome).toBe("succeeded")
    queries.clear()
  })
})
