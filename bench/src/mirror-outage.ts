/**
 * What a Redis that is away costs the work: the demo's video and class list through the whole system, from the first request to
 * the end of both, with the mirror in memory, with Redis at a closed port, and with Redis at a port that accepts and never answers.
 *
 * The three take turns in one invocation; medians and bests, and their ratios to the mirror in memory: on a busy machine the
 * best is the one that was disturbed least. `--rounds=N`, 5 by default.
 */
import { ClosedPort, SilentPort, temporaryFolder, Warden } from "@lectern/harness"
import { signToken } from "@lectern/api/tokens"
import { TenantId } from "@lectern/domain"
import { Effect, Schema } from "effect"
import { spawn } from "node:child_process"
import { readFile } from "node:fs/promises"
import { join } from "node:path"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"

const program = fileURLToPath(new URL("../../packages/cli/bin/lectern.mjs", import.meta.url))
const media = (name: string): string => fileURLToPath(new URL(`../../media/${name}`, import.meta.url))
const rounds = Number(process.argv.find((word) => word.startsWith("--rounds="))?.slice("--rounds=".length) ?? 5)

/** Looks at the end of a job so often: what a time may be off by, in milliseconds. */
const lookEvery = 50

const startSystem = (data: string, env: Readonly<Record<string, string>>) =>
  Effect.acquireRelease(
    Effect.callback<{ readonly url: string; readonly end: Promise<void>; readonly stop: () => void }>((resume) => {
      const child = spawn(process.execPath, [program, "up", "--port", "0", "--data", data], {
        env: { PATH: process.env["PATH"], HOME: process.env["HOME"], ...env },
        stdio: ["ignore", "pipe", "ignore"]
      })
      if (child.pid !== undefined) Warden.hold(child.pid, "SIGTERM")
      const end = new Promise<void>((resolve) => child.once("close", () => resolve()))
      child.once("close", (code) => {
        if (child.pid !== undefined) Warden.release(child.pid)
        resume(Effect.die(new Error(`The system ended with exit code ${code}`)))
      })
      createInterface({ input: child.stdout }).on("line", (line) => {
        const url = /^Lectern is up at (\S+)$/.exec(line)?.[1]
        if (url !== undefined) resume(Effect.succeed({ url, end, stop: () => void child.kill("SIGTERM") }))
      })
    }),
    ({ end, stop }) =>
      Effect.promise(() => {
        stop()
        return end
      })
  )

const decodeJson = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Json))

const fieldOf = (body: unknown, name: string): unknown =>
  typeof body === "object" && body !== null ? Object.entries(body).find(([key]) => key === name)?.[1] : undefined

const demo = async (url: string, data: string, inputs: { readonly video: Buffer<ArrayBuffer>; readonly roster: Buffer<ArrayBuffer> }) => {
  const secret = (await readFile(join(data, "token-secret"), "utf8")).trim()
  const token = await signToken({ tenantId: TenantId.make(1), secret, expiresInSeconds: 3_600 })
  const call = async (path: string, init: RequestInit = {}): Promise<unknown> => {
    const response = await fetch(path.startsWith("http") ? path : `${url}/api/v1${path}`, {
      ...init,
      headers: { authorization: `Bearer ${token}`, ...Object.fromEntries(new Headers(init.headers)) }
    })
    const text = await response.text()
    if (!response.ok) throw new Error(`${path} answered ${response.status}: ${text}`)
    return text === "" ? null : decodeJson(text)
  }
  const ended = async (path: string, good: string, bad: ReadonlyArray<string>): Promise<void> => {
    while (true) {
      const status = fieldOf(await call(path), "status")
      if (status === good) return
      if (typeof status === "string" && bad.includes(status)) throw new Error(`${path} ended as ${status}`)
      await new Promise((resolve) => setTimeout(resolve, lookEvery))
    }
  }
  const startedAt = performance.now()
  const watchVideo = async () => {
    const json = { "content-type": "application/json" }
    const announced = { title: "1강", filename: "lecture.mp4", content_type: "video/mp4" }
    const init = await call("/media/videos/upload/init/", { method: "POST", headers: json, body: JSON.stringify(announced) })
    const id = String(fieldOf(fieldOf(init, "video"), "id"))
    await call(String(fieldOf(init, "upload_url")), {
      method: "PUT",
      headers: { "content-type": String(fieldOf(init, "content_type")) },
      body: inputs.video
    })
    await call(`/media/videos/${id}/upload/complete/`, { method: "POST" })
    await ended(`/media/videos/${id}/`, "READY", ["FAILED"])
  }
  const watchRoster = async () => {
    const form = new FormData()
    form.append("file", new Blob([inputs.roster]), "roster.xlsx")
    const job = fieldOf(await call("/students/bulk_create_from_excel/", { method: "POST", body: form }), "job_id")
    await ended(`/jobs/${String(job)}/`, "DONE", ["FAILED", "REJECTED_BAD_INPUT"])
  }
  await Promise.all([watchVideo(), watchRoster()])
  return performance.now() - startedAt
}

const median = (values: ReadonlyArray<number>): number => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN

const main = Effect.gen(function*() {
  const closed = yield* ClosedPort.make
  const silent = yield* SilentPort.make
  const inputs = yield* Effect.promise(async () => ({
    video: await readFile(media("car-detection.mp4")),
    roster: await readFile(media("roster.xlsx"))
  }))
  const mirrors: ReadonlyArray<{ readonly name: string; readonly env: Readonly<Record<string, string>> }> = [
    { name: "in memory", env: {} },
    { name: "closed port", env: { REDIS_URL: `redis://127.0.0.1:${closed.port}` } },
    { name: "silent port", env: { REDIS_URL: `redis://127.0.0.1:${silent.port}` } }
  ]
  const times = new Map<string, Array<number>>(mirrors.map(({ name }) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    // Another one begins each round, so that none has always the warm or the tired machine.
    const order = mirrors.map((_, index) => mirrors[(index + round) % mirrors.length])
    for (const mirror of order) {
      if (mirror === undefined) continue
      const millis = yield* Effect.scoped(Effect.gen(function*() {
        const data = yield* temporaryFolder("outage")
        const { url } = yield* startSystem(data, mirror.env)
        return yield* Effect.promise(() => demo(url, data, inputs))
      }))
      times.get(mirror.name)?.push(millis)
      process.stdout.write(`round ${round + 1}  ${mirror.name.padEnd(12)} ${(millis / 1000).toFixed(2)} s\n`)
    }
  }
  const healthy = times.get("in memory") ?? []
  for (const { name } of mirrors) {
    const all = times.get(name) ?? []
    const middle = median(all)
    const best = Math.min(...all)
    process.stdout.write(
      `${name.padEnd(12)} median ${(middle / 1000).toFixed(2)} s ratio ${(middle / median(healthy)).toFixed(3)}` +
        `   best ${(best / 1000).toFixed(2)} s ratio ${(best / Math.min(...healthy)).toFixed(3)}\n`
    )
  }
}).pipe(Effect.scoped)

await Effect.runPromise(main)
