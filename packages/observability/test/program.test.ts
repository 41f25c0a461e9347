import { assert, describe, it } from "@effect/vitest"
import { ClosedPort, SilentPort, Warden } from "@lectern/harness"
import { LogLineJson } from "@lectern/observability"
import { Effect, Schema } from "effect"
import { spawn } from "node:child_process"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { fileURLToPath } from "node:url"

const fixture = fileURLToPath(new URL("fixtures/program.ts", import.meta.url))

interface Ended {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
  readonly millis: number
}

const run = (env: Record<string, string>) =>
  Effect.callback<Ended>((resume) => {
    const startedAt = performance.now()
    const child = Warden.held(spawn(process.execPath, [fixture], { env, stdio: ["ignore", "pipe", "pipe"] }))
    let stdout = ""
    let stderr = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text
    })
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr += text
    })
    child.on("close", (code) => resume(Effect.succeed({ code, stdout, stderr, millis: performance.now() - startedAt })))
    return Effect.sync(() => child.kill("SIGKILL"))
  })

const result = `${JSON.stringify({ result: 42, skipped: 50 })}\n`

const said = ["Encoding", "Retrying", "The progress mirror was skipped"]

/** What the exporters may add to the end of a program: their own limit, and a slow machine's delay. */
const shutdownMillis = 1_000 + 2_000

const messages = (ended: Ended) =>
  Effect.forEach(ended.stderr.trimEnd().split("\n"), (text) =>
    Effect.map(Schema.decodeUnknownEffect(LogLineJson)(text), ({ message }) => message))

/** A collector that keeps what it is sent. */
const collector = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly bodies: Map<string, string>; readonly close: () => void }>((resume) => {
    const bodies = new Map<string, string>()
    const server = createServer((request, response) => {
      let body = ""
      request.setEncoding("utf8").on("data", (text: string) => {
        body += text
      })
      request.on("end", () => {
        bodies.set(request.url ?? "", (bodies.get(request.url ?? "") ?? "") + body)
        response.setHeader("content-type", "application/json").end("{}")
      })
    })
    server.listen(0, "127.0.0.1", () =>
      resume(Effect.succeed({
        port: (server.address() as AddressInfo).port,
        bodies,
        close: () => {
          server.closeAllConnections()
          server.close()
        }
      })))
  }),
  ({ close }) => Effect.sync(close)
)

describe("a program", () => {
  it.live("has its result alone on standard output, and lines of the schema on standard error", () =>
    Effect.gen(function*() {
      const ended = yield* run({})
      assert.deepInclude(ended, { code: 0, stdout: result })
      assert.deepStrictEqual(yield* messages(ended), Array.from({ length: 50 }, () => said).flat())
      assert.notInclude(ended.stderr, "hunter2")
    }))

  it.live("gives a collector its spans by Service.method, its logs and its counters, and nothing confidential", () =>
    Effect.gen(function*() {
      const { bodies, port } = yield* collector
      const ended = yield* run({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })
      assert.deepInclude(ended, { code: 0, stdout: result })
      assert.lengthOf(yield* messages(ended), 150)
      assert.deepStrictEqual([...bodies.keys()].sort(), ["/v1/logs", "/v1/metrics", "/v1/traces"])
      const traces = bodies.get("/v1/traces") ?? ""
      assert.include(traces, "\"name\":\"Encoder.encode\"")
      assert.include(traces, "\"key\":\"tenant\"")
      assert.include(traces, "\"stringValue\":\"fixture\"")
      assert.include(bodies.get("/v1/metrics") ?? "", "lectern_mirror_skipped_total")
      assert.include(bodies.get("/v1/logs") ?? "", "Retrying")
      for (const body of bodies.values()) {
        for (const secret of ["hunter2", "SELECT", "db.query.text"]) assert.notInclude(body, secret)
      }
    }).pipe(Effect.scoped))

  it.live("does not depend on a collector that is away or hangs: same result, bounded end", () =>
    Effect.gen(function*() {
      const plain = yield* run({})
      const closed = yield* ClosedPort.make
      const silent = yield* SilentPort.make
      for (const port of [closed.port, silent.port]) {
        const ended = yield* run({ OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })
        assert.deepInclude(ended, { code: 0, stdout: plain.stdout })
        assert.deepStrictEqual(yield* messages(ended), yield* messages(plain))
        assert.isBelow(ended.millis, plain.millis * 2 + shutdownMillis)
      }
    }).pipe(Effect.scoped))
})
