import { type LogLine, LogLineJson } from "@lectern/observability"
import { Schema } from "effect"
import { describe, expect, it } from "vitest"
import { type Answered, makeAccessLog } from "../../src/edge/index.ts"

const known: Answered = { route: "video", method: "GET", status: 200, outcome: "known", tenantId: 7, millis: 0.4 }

/** A line that is none of the project's log fails the test, and so does a field that its schema does not know. */
const decodeLine = Schema.decodeUnknownSync(LogLineJson, { onExcessProperty: "error" })

const logOf = (mode: "summary" | "each") => {
  const lines: Array<LogLine> = []
  let writes = 0
  let time = 1_800_000_000_000
  const log = makeAccessLog({
    mode,
    now: () => time,
    write: (text) => {
      writes += 1
      for (const line of text.trimEnd().split("\n")) lines.push(decodeLine(line))
    }
  })
  return { log, lines, writes: () => writes, pass: (millis: number) => time += millis }
}

describe("The summary of what the edge answered", () => {
  it("is one line for ten seconds of polls, with counts and how long they took", () => {
    const { lines, log, pass } = logOf("summary")
    for (let n = 0; n < 99; n++) log.record(known)
    log.record({ ...known, route: "job", outcome: "unknown", millis: 80 })
    expect(lines).toEqual([])
    pass(10_000)
    log.record(known)
    expect(lines).toEqual([{
      ts: "2027-01-15T08:00:10.000Z",
      level: "INFO",
      service: "edge",
      message: "answers",
      detail: {
        seconds: 10,
        total: 100,
        counts: { "job 200 unknown": 1, "video 200 known": 99 },
        millis: { p50: 1, p99: 1 }
      }
    }])
    log.flush()
    expect(lines[1]).toMatchObject({ detail: { total: 1, seconds: 0 } })
  })

  it("says nothing where nobody asked", () => {
    const { lines, log } = logOf("summary")
    log.flush()
    expect(lines).toEqual([])
  })

  it("tells the first of each kind of trouble at once, with its cause, and the others by their number", () => {
    const { lines, log, pass } = logOf("summary")
    const trouble: Answered = {
      ...known,
      outcome: "unreadable",
      cause: new Error("Cannot reach Redis", { cause: new Error("ECONNREFUSED") })
    }
    for (let n = 0; n < 50; n++) log.record(trouble)
    expect(lines).toEqual([expect.objectContaining({ level: "WARN", tenant: 7, error: "Cannot reach Redis: ECONNREFUSED" })])
    pass(10_000)
    log.record(trouble)
    expect(lines.slice(1)).toEqual([
      expect.objectContaining({ detail: expect.objectContaining({ counts: { "video 200 unreadable": 50 } }) }),
      expect.objectContaining({ level: "WARN" })
    ])
    log.record({ ...known, status: 500, outcome: "failed", cause: "defect" })
    expect(lines.at(-1)).toMatchObject({ level: "ERROR", error: "defect" })
  })
})

describe("The log of each request", () => {
  it("has a line for each, written some at a time and at the end", () => {
    const { lines, log, writes } = logOf("each")
    for (let n = 0; n < 1_000; n++) log.record(known)
    log.flush()
    log.flush()
    expect(lines).toHaveLength(1_000)
    expect(lines[0]).toEqual({
      ts: "2027-01-15T08:00:00.000Z",
      level: "INFO",
      service: "edge",
      message: "request",
      tenant: 7,
      detail: { method: "GET", route: "video", status: 200, outcome: "known", millis: 0.4 }
    })
    expect(writes()).toBeLessThan(20)
  })
})
