/** What keeps the edge on Deno from the database is Deno itself: not the sources, which the module lists speak for. */
import { assert, it } from "@effect/vitest"
import { describeIf, RedisServer, temporaryFolder, Warden } from "@lectern/harness"
import { Effect, Result } from "effect"
import { build } from "esbuild"
import { spawn } from "node:child_process"
import { createServer } from "node:net"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { readEdgeSettings } from "../../src/edge/EdgeSettings.ts"
import { edgeVariables } from "../../src/edge/edgeVariables.ts"
import { denoBundle } from "../../src/node/bundleEdge.ts"
import { denoArguments } from "../../src/node/denoArguments.ts"
import { secret, videoPath } from "../edge/edgeSubject.ts"
import { listening, redisHolding, until } from "./edgeRuntime.ts"

const deno = fileURLToPath(new URL("../../../../node_modules/.bin/deno", import.meta.url))
const probe = fileURLToPath(new URL("databaseProbe.ts", import.meta.url))

/** A port that accepts, and counts whom. */
const database = Effect.acquireRelease(
  Effect.callback<{ readonly port: number; readonly accepted: () => number; readonly close: () => void }>((resume) => {
    let accepted = 0
    const server = createServer((socket) => {
      accepted += 1
      socket.on("error", () => undefined)
      socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"))
    })
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      const port = address !== null && typeof address === "object" ? address.port : 0
      resume(Effect.succeed({ port, accepted: () => accepted, close: () => void server.close() }))
    })
  }),
  ({ close }) => Effect.sync(close)
)

/** The entry with the probe behind it, run as the launcher runs the entry, or with what `loosen` makes of that. */
const probeDatabase = (
  redisUrl: string,
  databasePort: number,
  loosen: (args: ReadonlyArray<string>) => ReadonlyArray<string> = (args) => args
) =>
  Effect.gen(function*() {
    const file = join(yield* temporaryFolder("probe"), "probe.js")
    yield* Effect.promise(() =>
      build({
        ...denoBundle,
        entryPoints: [probe],
        outfile: file,
        define: { databaseHost: `"127.0.0.1"`, databasePort: String(databasePort) }
      })
    )
    const args = Result.getOrThrow(denoArguments({ host: "127.0.0.1", port: 0, redisUrl, file }))
    const edge = yield* listening(Warden.held(spawn(deno, loosen(args), {
      env: {
        PATH: process.env["PATH"],
        HOME: process.env["HOME"],
        PORT: "0",
        REDIS_URL: redisUrl,
        AUTH_JWT_SECRET: secret,
        DATABASE_URL: `postgres://lectern:password@127.0.0.1:${databasePort}/lectern`
      },
      stdio: ["ignore", "pipe", "pipe"]
    })))
    yield* until(Effect.sync(edge.output), (output) => output.includes(`"probe":"end"`))
    const outcomes = new Map(
      [...edge.output().matchAll(/\{"probe":.*\}/g)].map(([line]) => {
        const told = JSON.parse(line) as { readonly probe: string; readonly outcome: string }
        return [told.probe, told.outcome] as const
      })
    )
    return { edge, outcomes }
  })

const ready = { "tenant:7:video:42:status": `{"status":"READY","hls_path":"a.m3u8","duration":61,"revision":5,"attempt":1}` }
const ways = ["Deno.connect", "node:net", "fetch", "WebSocket"]
const others = ["DATABASE_URL", "the whole environment", "a file", "a program"]

describeIf(RedisServer.availability, "The entry for Deno, with the database's address in its environment", () => {
  it.live("is refused the database by the runtime, by every way, and answers from Redis all the same", () =>
    Effect.gen(function*() {
      const redis = yield* redisHolding(ready)
      const { accepted, port } = yield* database
      const { edge, outcomes } = yield* probeDatabase(redis.url, port)
      for (const way of [...ways, ...others]) assert.match(outcomes.get(way) ?? "", /NotCapable|EACCES|EPERM/, way)
      assert.strictEqual(accepted(), 0)
      assert.include((yield* edge.ask(videoPath)).body, { status: "READY", duration: 61 })
    }))

  it.live("would reach the database if it were permitted to: the refusal is the permission's doing", () =>
    Effect.gen(function*() {
      const redis = yield* redisHolding(ready)
      const { accepted, port } = yield* database
      const { outcomes } = yield* probeDatabase(redis.url, port, (args) =>
        args.map((arg) => arg.startsWith("--allow-net=") ? `${arg},127.0.0.1:${port}` : arg))
      for (const way of ways) assert.strictEqual(outcomes.get(way), "done", way)
      for (const other of others) assert.match(outcomes.get(other) ?? "", /NotCapable/, other)
      assert.isAtLeast(accepted(), 3)
    }))
})

it("The edge on Deno may listen, reach Redis and read its own variables, and has no other permission", () => {
  const args = denoArguments({ host: "::1", port: 8790, redisUrl: "redis://user:password@cache.school:6380/2", file: "edge.js" })
  assert.deepStrictEqual(Result.getOrThrow(args), [
    "run",
    "--no-prompt",
    "--no-config",
    "--no-remote",
    "--no-npm",
    "--allow-net=[::1]:8790,cache.school:6380",
    `--allow-env=${edgeVariables.join(",")}`,
    "edge.js"
  ])
})

it("The edge on Deno may reach the host of the keys besides, where they have an address", () => {
  const program = { host: "127.0.0.1", port: 8790, redisUrl: "redis://127.0.0.1", file: "edge.js" }
  const args = denoArguments({ ...program, jwksUrl: "https://keys.school/jwks.json" })
  assert.include(Result.getOrThrow(args), "--allow-net=127.0.0.1:8790,127.0.0.1:6379,keys.school:443")
})

it("The variables that Deno permits are those that the settings ask for, and no others", () => {
  const asked = new Set<string>()
  readEdgeSettings(new Proxy({}, {
    get: (_, name) => {
      asked.add(String(name))
      return undefined
    }
  }))
  assert.deepStrictEqual([...asked].sort(), [...edgeVariables].sort())
})
