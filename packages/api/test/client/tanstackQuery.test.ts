import { QueryClient, QueryObserver } from "@tanstack/query-core"
import { describe, expect, it } from "vitest"
import { progressQueryOptions } from "../../src/client/tanstack-query/index.ts"
import { clientUnderTest } from "./clientUnderTest.ts"
import { settle } from "./FakeClock.ts"
import { json, type Reply, video } from "./ScriptedServer.ts"

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
