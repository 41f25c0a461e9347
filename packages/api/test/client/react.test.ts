// @vitest-environment happy-dom
import { act, createElement, StrictMode } from "react"
import { createRoot, type Root } from "react-dom/client"
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import type { ProgressClient, Subject } from "../../src/client/index.ts"
import { useProgress } from "../../src/client/react/index.ts"
import { clientUnderTest } from "./clientUnderTest.ts"
import { json, movingVideo, video } from "./ScriptedServer.ts"

let root: Root
let container: HTMLElement

beforeEach(() => {
  vi.stubGlobal("IS_REACT_ACT_ENVIRONMENT", true)
  container = document.createElement("div")
  root = createRoot(container)
})

afterEach(async () => {
  await act(async () => root.unmount())
  vi.unstubAllGlobals()
})

const Bar = ({ client, subject }: { readonly client: ProgressClient; readonly subject: Subject | null }) => {
  const { error, snapshot } = useProgress(client, subject)
  return createElement("p", null, error?.reason ?? (snapshot === null ? "-" : `${snapshot.status} ${snapshot.percent}`))
}

const render = (client: ProgressClient, ...subjects: ReadonlyArray<Subject | null>) =>
  act(async () =>
    root.render(createElement(
      StrictMode,
      null,
      subjects.map((subject, key) => createElement(Bar, { client, subject, key }))
    ))
  )

describe("useProgress", () => {
  it("shows what is known, with one poller for all components, and watches no more when they are gone", async () => {
    const { client, clock, page, server } = clientUnderTest([
      () => video("PROCESSING", 50),
      () => video("PROCESSING", 60)
    ])
    await render(client, { video: 42 }, { video: 42 })
    await act(() => clock.advance(100))
    expect(container.textContent).toBe("PROCESSING 50PROCESSING 50")
    await render(client, { video: 42 }, { video: 42 })
    await act(() => clock.advance(1_000))
    expect(container.textContent).toBe("PROCESSING 60PROCESSING 60")
    expect(server.asked).toHaveLength(2)
    await render(client)
    await clock.advance(60_000)
    expect([server.asked.length, clock.pending, page.listeners]).toEqual([2, 0, 0])
  })

  it("costs at most 150 requests for a job of ten minutes, however often the components are rendered", async () => {
    const { client, clock, server } = clientUnderTest([movingVideo()])
    for (let second = 0; second < 600; second += 1) {
      await render(client, { video: 42 }, { video: 42 })
      await act(() => clock.advance(1_000))
    }
    // A bar that moves is watched.
    expect(server.asked.length).toBeGreaterThan(100)
    expect(server.asked.length).toBeLessThanOrEqual(150)
  })

  it("keeps the end, and asks no more when the tree is shown again", async () => {
    const { client, clock, server } = clientUnderTest([() => video("READY")])
    await render(client, { video: 42 })
    await act(() => clock.advance(100))
    await render(client, { video: 42 })
    await act(() => clock.advance(60_000))
    expect([container.textContent, server.asked.length]).toEqual(["READY 100", 1])
  })

  it("begins anew with another subject, watches nothing for none, and shows a refusal", async () => {
    const { client, clock, server } = clientUnderTest([
      () => video("PROCESSING", 50),
      () => json({ detail: "no", code: "no" }, { status: 403 })
    ])
    await render(client, null)
    await act(() => clock.advance(10_000))
    expect([container.textContent, server.asked.length]).toEqual(["-", 0])
    await render(client, { video: 42 })
    await act(() => clock.advance(100))
    expect(container.textContent).toBe("PROCESSING 50")
    await render(client, { job: "j" })
    await act(() => clock.advance(100))
    expect(container.textContent).toBe("Forbidden")
    expect(server.paths.at(-1)).toBe("/api/v1/jobs/j/progress/")
  })
})
