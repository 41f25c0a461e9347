import type { Subject } from "@lectern/domain"
import { describe, expect, it } from "vitest"
import type { ReadProgress } from "../../src/edge/index.ts"
import { ask, edgeOver, holding, videoPath } from "./edgeSubject.ts"

const reader = () => {
  const calls: Array<ReadonlyArray<Subject>> = []
  const read: ReadProgress = async (_, subjects) => {
    calls.push(subjects)
    return subjects.map(({ _tag, id }) =>
      id === 3 || id === "none"
        ? { status: null, progress: null }
        : { status: JSON.stringify({ status: _tag === "Video" ? "READY" : "DONE", duration: Number(id), revision: 1, attempt: 1 }), progress: null })
  }
  return { calls, read }
}

describe("A tray", () => {
  it("has, in the order asked, exactly what the paths of each would answer, for one round trip", async () => {
    const { calls, read } = reader()
    const { handler } = edgeOver(read, { defer: setImmediate })
    const tray = await ask(handler, "/api/v1/progress/?jobs=b,none,a&videos=9,3,1,9")
    expect(tray.status).toBe(200)
    expect(calls.map((subjects) => subjects.length)).toEqual([6])
    const one = async (path: string) => (await ask(handler, path)).body
    expect(tray.body).toEqual({
      videos: await Promise.all([9, 3, 1, 9].map((id) => one(`/api/v1/media/videos/${id}/progress/`))),
      jobs: await Promise.all(["b", "none", "a"].map((id) => one(`/api/v1/jobs/${id}/progress/`)))
    })
  })

  it("of a hundred is one round trip, beside whatever is being read", async () => {
    const { calls, read } = reader()
    const { handler } = edgeOver(read, { defer: setImmediate })
    await ask(handler, videoPath)
    const singles = Array.from({ length: 200 }, (_, index) => ask(handler, `/api/v1/media/videos/${1_000 + index}/progress/`))
    const ids = Array.from({ length: 100 }, (_, index) => index + 1)
    const tray = ask(handler, `/api/v1/progress/?videos=${ids.join(",")}`)
    expect((await tray).body).toMatchObject({ videos: ids.map((id) => ({ id })), jobs: [] })
    await Promise.all(singles)
    expect(calls.slice(1).map(({ length }) => length)).toEqual([200, 100])
  })

  it("of nothing asks nobody", async () => {
    const { calls, read } = reader()
    const { body, headers } = await ask(edgeOver(read).handler, "/api/v1/progress/")
    expect(body).toEqual({ videos: [], jobs: [] })
    expect([calls, headers.get("retry-after")]).toEqual([[], null])
  })

  it("says when the first of its subjects can have news", async () => {
    const { read } = reader()
    const { handler } = edgeOver(read)
    expect((await ask(handler, "/api/v1/progress/?videos=1&jobs=a")).headers.get("retry-after")).toBeNull()
    expect((await ask(handler, "/api/v1/progress/?videos=1&jobs=none")).headers.get("retry-after")).toBe("3")
  })

  it("is UNKNOWN with 200 where the mirror is away", async () => {
    const { counts, handler } = edgeOver(() => Promise.reject(new Error("away")))
    const { body, status } = await ask(handler, "/api/v1/progress/?videos=1&jobs=a")
    expect([status, body]).toMatchObject([200, { videos: [{ id: 1, status: "UNKNOWN" }], jobs: [{ job_id: "a", status: "UNKNOWN" }] }])
    expect(counts()).toMatchObject({ unreadable: 1 })
  })

  it("is refused without a token, for too many and for an id that is none", async () => {
    const { handler } = edgeOver(holding({}))
    const many = Array.from({ length: 101 }, (_, index) => index + 1).join(",")
    for (const query of [`videos=${many}`, "videos=-1", "jobs=%00"]) {
      expect((await ask(handler, `/api/v1/progress/?${query}`)).status).toBe(400)
      expect((await ask(handler, `/api/v1/progress/?${query}`, { headers: { authorization: "" } })).status).toBe(401)
    }
    expect((await ask(handler, "/api/v1/progress/?videos=1", { headers: { authorization: "" } })).status).toBe(401)
    expect((await ask(handler, "/api/v1/progress/?videos=1", { method: "POST" })).status).toBe(405)
  })
})
