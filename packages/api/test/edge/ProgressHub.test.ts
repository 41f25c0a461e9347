import { JobId, jobSubject, type StoredProgress, type Subject, subjectKeys, TenantId, VideoId, videoSubject } from "@lectern/domain"
import { describe, expect, it } from "vitest"
import type { ChangeListener } from "../../src/edge/index.ts"
import { heartbeatSeconds, makeProgressHub, pollSeconds, type ProgressHubOptions } from "../../src/edge/ProgressHub.ts"
import type { Principal } from "../../src/tokens/index.ts"

const tenantId = TenantId.make(7)
const video = videoSubject(VideoId.make(42))
const job = jobSubject(JobId.make("job-1"))
const principal: Principal = { tenantId, subject: "", tenantCode: null, expiresAt: 1_000 }
const keyOf = (subject: Subject, tenant = tenantId) => subjectKeys(tenant, subject).status.replace(/:status$/, "")

const at = (revision: number, status = "PROCESSING"): StoredProgress =>
  ({ status: JSON.stringify({ status, revision, attempt: 1 }), progress: null })

const settled = () => new Promise((resolve) => setImmediate(resolve))

/** A hub over a mirror of the test's own, with its clock and its news in the test's hand. */
const hubOver = (options: Partial<ProgressHubOptions> = {}) => {
  const mirror = new Map<string, StoredProgress>()
  const reads: Array<string> = []
  let isAway = false
  let held: Promise<void> | undefined
  let clock = 0
  let tick: (() => void) | undefined
  let news: ChangeListener | undefined
  let subscriptions = 0
  const hub = makeProgressHub({
    now: () => clock,
    every: (_millis, task) => {
      tick = task
      return () => tick = undefined
    },
    changes: {
      listen: (listener) => {
        subscriptions += 1
        news = listener
      },
      close: () => undefined
    },
    read: async (tenant, subject) => {
      const key = keyOf(subject, tenant)
      reads.push(key)
      const stored = mirror.get(key) ?? { status: null, progress: null }
      const away = isAway
      await held
      return away ? { _tag: "Unreadable", cause: new Error("away") } : { _tag: "Read", stored }
    },
    ...options
  })
  return {
    hub,
    reads,
    put: (subject: Subject, stored: StoredProgress) => mirror.set(keyOf(subject), stored),
    changed: (subject: Subject, tenant = tenantId) => news?.changed(keyOf(subject, tenant)),
    connected: (is: boolean) => news?.connected(is),
    away: (is: boolean) => isAway = is,
    hold: (until: Promise<void> | undefined) => {
      held = until
    },
    subscriptions: () => subscriptions,
    isTicking: () => tick !== undefined,
    pass: (seconds: number) => {
      for (let n = 0; n < seconds; n++) {
        clock += 1_000
        tick?.()
      }
    }
  }
}

const listen = (
  { hub }: ReturnType<typeof hubOver>,
  subjects: ReadonlyArray<Subject>,
  options: {
    readonly as?: Principal
    readonly token?: string
    readonly lastEventId?: string
    readonly pending?: () => number
  } = {}
) => {
  const texts: Array<string> = []
  let state: "open" | "ended" | "cut" = "open"
  const open = hub.open({ principal: options.as ?? principal, token: options.token ?? "a", subjects, lastEventId: options.lastEventId ?? null })
  if (typeof open === "string") throw new Error(open)
  const close = open({
    write: (text) => {
      texts.push(text)
      return options.pending?.() ?? 0
    },
    end: () => void (state = "ended"),
    cut: () => void (state = "cut")
  })
  return {
    /** What came since the last look, without the opening: the names of events, `progress` with its id and its status. */
    events: () =>
      texts.splice(0).flatMap((text) => {
        const name = /^event: (\w+)$/m.exec(text)?.[1]
        const id = /^id: (.*)$/m.exec(text)?.[1]
        const body = /^data: (.*)$/m.exec(text)?.[1]
        if (name === "hello") return []
        if (name !== "progress") return name === undefined ? text === ":\n\n" ? ["beat"] : [] : [name]
        return [`${id ?? "none"} ${/"status":"(\w+)"/.exec(body ?? "")?.[1] ?? ""}`]
      }),
    texts,
    state: () => state,
    close: () => close()
  }
}

describe("A stream of events", () => {
  it("begins with what is known, goes on with every change, and ends after the last that there can be", async () => {
    const test = hubOver()
    test.put(video, at(1))
    const listener = listen(test, [video])
    await settled()
    expect(listener.events()).toEqual(["1-1.1 PROCESSING"])
    test.put(video, at(2))
    test.changed(video)
    await settled()
    expect(listener.events()).toEqual(["1-2.1 PROCESSING"])
    test.put(video, at(3, "READY"))
    test.changed(video)
    await settled()
    expect(listener.events()).toEqual(["1-3.1 READY", "end"])
    expect([listener.state(), test.hub.listeners(), test.isTicking()]).toEqual(["ended", 0, false])
  })

  it("is one read of a change and one subscription, however many listen", async () => {
    const test = hubOver()
    test.put(video, at(1))
    const listeners = Array.from({ length: 100 }, () => listen(test, [video]))
    await settled()
    for (const listener of listeners) listener.events()
    test.reads.length = 0
    test.put(video, at(2))
    test.changed(video)
    await settled()
    for (const listener of listeners) expect(listener.events()).toEqual(["1-2.1 PROCESSING"])
    expect([test.reads.length, test.subscriptions()]).toEqual([1, 1])
  })

  it("is not told of what nobody listens to, nor of another tenant's of the same number", async () => {
    const test = hubOver()
    const listener = listen(test, [video])
    await settled()
    test.reads.length = 0
    test.changed(job)
    test.changed(video, TenantId.make(8))
    await settled()
    expect([test.reads, listener.events()]).toEqual([[], ["none UNKNOWN"]])
  })

  it("misses no change that happens while an earlier one is being read", async () => {
    const test = hubOver()
    test.put(video, at(1))
    const { promise, resolve } = Promise.withResolvers<void>()
    test.hold(promise)
    const listener = listen(test, [video])
    test.put(video, at(2))
    test.changed(video)
    test.hold(undefined)
    resolve()
    await settled()
    expect(listener.events()).toEqual(["1-1.1 PROCESSING", "1-2.1 PROCESSING"])
  })

  it("is not repeated to whom it was told: by a change that changes nothing, and when he comes back with its id", async () => {
    const test = hubOver()
    test.put(video, at(1))
    const listener = listen(test, [video])
    const returning = listen(test, [video], { lastEventId: "1-1.1" })
    const late = listen(test, [video], { lastEventId: "1-0.1" })
    await settled()
    test.changed(video)
    await settled()
    expect(listener.events()).toEqual(["1-1.1 PROCESSING"])
    expect(returning.events()).toEqual([])
    expect(late.events()).toEqual(["1-1.1 PROCESSING"])
    test.put(video, at(2))
    test.changed(video)
    await settled()
    expect(returning.events()).toEqual(["1-2.1 PROCESSING"])
  })

  it("ends at once for whom comes back with the id of its end", async () => {
    const test = hubOver()
    test.put(video, at(3, "FAILED"))
    const listener = listen(test, [video], { lastEventId: "1-3.1" })
    await settled()
    expect([listener.events(), listener.state()]).toEqual([["end"], "ended"])
  })

  it("of a tray begins with all of it, and ends when all of it has", async () => {
    const test = hubOver()
    test.put(video, at(1))
    test.put(job, at(1, "DONE"))
    const listener = listen(test, [video, job], { lastEventId: "1-1.1" })
    await settled()
    expect(listener.events()).toEqual(["1-1.1 PROCESSING", "1-1.1 DONE"])
    expect(listener.state()).toBe("open")
    test.put(video, at(2, "READY"))
    test.changed(video)
    await settled()
    expect([listener.events(), listener.state()]).toEqual([["1-2.1 READY", "end"], "ended"])
    const empty = listen(test, [])
    expect([empty.events(), empty.state()]).toEqual([["end"], "ended"])
  })
})

describe("A stream without a mirror", () => {
  it("says so once, keeps what was known, and goes on where the mirror is when it is back", async () => {
    const test = hubOver()
    test.put(video, at(1))
    const listener = listen(test, [video])
    const other = listen(test, [job])
    await settled()
    test.connected(true)
    await settled()
    test.connected(false)
    test.away(true)
    const late = listen(test, [video])
    test.pass(2 * pollSeconds)
    await settled()
    expect(listener.events().filter((event) => event !== "beat")).toEqual(["1-1.1 PROCESSING", "away"])
    expect(late.events().filter((event) => event !== "beat")).toEqual(["away", "none UNKNOWN"])
    test.put(video, at(2))
    test.away(false)
    test.connected(true)
    await settled()
    for (const { events } of [listener, late]) {
      expect(events().filter((event) => event !== "beat")).toEqual(["back", "1-2.1 PROCESSING"])
    }
    expect(other.events().filter((event) => event !== "beat")).toEqual(["none UNKNOWN", "away", "back"])
  })

  it("looks every two seconds while there are no news, and with the heartbeats while there are", async () => {
    const test = hubOver()
    listen(test, [video])
    await settled()
    test.reads.length = 0
    for (let n = 0; n < 10; n++) {
      test.pass(1)
      await settled()
    }
    expect(test.reads).toHaveLength(5)
    test.connected(true)
    await settled()
    test.reads.length = 0
    for (let n = 0; n < 2 * heartbeatSeconds; n++) {
      test.pass(1)
      await settled()
    }
    expect(test.reads).toHaveLength(2)
  })

  it("looks every two seconds for what could not be read, news or not", async () => {
    const test = hubOver()
    test.put(video, at(1))
    test.away(true)
    const listener = listen(test, [video])
    await settled()
    test.connected(true)
    await settled()
    test.away(false)
    test.pass(pollSeconds)
    await settled()
    expect(listener.events().filter((event) => event !== "beat")).toEqual(["away", "none UNKNOWN", "back", "1-1.1 PROCESSING"])
  })

  it("needs no news at all", async () => {
    const test = hubOver({ changes: undefined })
    const listener = listen(test, [video])
    await settled()
    test.put(video, at(1, "READY"))
    test.pass(pollSeconds)
    await settled()
    expect(listener.events().filter((event) => event !== "beat")).toEqual(["none UNKNOWN", "1-1.1 READY", "end"])
  })
})

describe("A listener", () => {
  it("has a sign of life every fifteen seconds", async () => {
    const test = hubOver()
    const listeners = Array.from({ length: 20 }, () => listen(test, [video]))
    test.pass(heartbeatSeconds)
    for (const listener of listeners) expect(listener.events().filter((event) => event === "beat")).toHaveLength(1)
  })

  it("that does not read is cut, and nothing is kept for it", async () => {
    const test = hubOver()
    let pending = 0
    const listener = listen(test, [video], { pending: () => pending })
    const other = listen(test, [video])
    await settled()
    pending = 100_000
    test.put(video, at(1))
    test.changed(video)
    await settled()
    expect([listener.state(), other.state(), test.hub.listeners()]).toEqual(["cut", "open", 1])
    const written = listener.texts.length
    test.put(video, at(2))
    test.changed(video)
    await settled()
    expect(listener.texts).toHaveLength(written)
  })

  it("that goes away leaves nothing behind", async () => {
    const test = hubOver()
    const listener = listen(test, [video, job])
    await settled()
    listener.close()
    listener.close()
    test.reads.length = 0
    test.changed(video)
    await settled()
    expect([test.hub.listeners(), test.reads, test.isTicking()]).toEqual([0, [], false])
  })

  it("is told when its token ends, and is not served beyond it", async () => {
    const test = hubOver()
    const listener = listen(test, [video], { as: { ...principal, expiresAt: 20 } })
    test.pass(2 * heartbeatSeconds + 5)
    expect(listener.events().at(-1)).toBe("expired")
    expect([listener.state(), test.hub.listeners()]).toEqual(["ended", 0])
  })

  it("with a token for one subject hears of that alone, and of any other what is said of what does not exist", async () => {
    const test = hubOver()
    test.put(video, at(1))
    test.put(job, at(1, "RUNNING"))
    const listener = listen(test, [video, job], { as: { ...principal, watch: video } })
    await settled()
    expect(listener.events()).toEqual(["1-1.1 PROCESSING", "none UNKNOWN"])
    test.put(job, at(2, "DONE"))
    test.changed(job)
    test.put(video, at(2))
    test.changed(video)
    await settled()
    expect(listener.events()).toEqual(["1-2.1 PROCESSING"])
    expect(new Set(test.reads)).toEqual(new Set([keyOf(video)]))
  })

  it("finds no room where there are too many of its token, its tenant or in all, until one of them leaves", async () => {
    const limits = { perToken: 2, perTenant: 3, perProcess: 4 }
    const test = hubOver({ limits })
    const ask = (token: string, tenant = tenantId) => {
      const open = test.hub.open({ principal: { ...principal, tenantId: tenant }, token, subjects: [video], lastEventId: null })
      return typeof open === "string" ? open : "a stream"
    }
    const first = listen(test, [video], { token: "a" })
    listen(test, [video], { token: "a" })
    expect([ask("a"), ask("b")]).toEqual(["CallerFull", "a stream"])
    const third = listen(test, [video], { token: "b" })
    expect(ask("c")).toBe("CallerFull")
    const other = TenantId.make(8)
    expect(ask("a", other)).toBe("a stream")
    listen(test, [video], { as: { ...principal, tenantId: other }, token: "a" })
    expect(ask("b", other)).toBe("ProcessFull")
    first.close()
    expect([ask("a"), ask("c"), ask("b", other)]).toEqual(["a stream", "a stream", "a stream"])
    third.close()
    third.close()
    expect(test.hub.listeners()).toBe(2)
  })

  it("is told that the process ends, and may come back elsewhere", async () => {
    const test = hubOver()
    const listeners = [listen(test, [video]), listen(test, [job])]
    await settled()
    for (const { events } of listeners) events()
    test.hub.close()
    expect(listeners.map(({ events, state }) => [events(), state()])).toEqual([[["closing"], "ended"], [["closing"], "ended"]])
    expect([test.hub.listeners(), test.isTicking()]).toEqual([0, false])
  })
})
