/** The client in each runtime that it is for, as that runtime is: one program, with nothing but the standards. */
import { Warden } from "@lectern/harness"
import { build } from "esbuild"
import { execFile } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import { afterAll, beforeAll, describe, expect, it } from "vitest"

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const run = (executable: string, args: ReadonlyArray<string>) => {
  const ended = promisify(execFile)(executable, args)
  Warden.held(ended.child)
  return ended
}
const command = (name: string): string => at(`../../../../node_modules/.bin/${name}`)

/** Watches a video through a stream that breaks off and a failure to its end, with the runtime's own fetch API and timers, in a hundredth of the time. */
const program = `
import { createProgressClient } from "./index.ts"

const streams = [
  () => new Response('event: progress\\ndata: {"status":"PROCESSING","encoding_progress":20}\\n\\n')
]
const replies = [
  () => Response.json({ status: "PROCESSING", encoding_progress: 50 }, { headers: { etag: '"1"' } }),
  () => { throw new TypeError("no network") },
  () => new Response(null, { status: 304 }),
  () => Response.json({ status: "READY" })
]
export const watch = async () => {
  const seen = []
  const client = createProgressClient({
    baseUrl: "https://edge.school.example",
    token: "a token",
    fetch: async (input, init) => {
      new Request(input, init)
      const queue = input.endsWith("/events/") ? streams : replies
      return (queue.shift() ?? (() => new Response(null, { status: 404 })))()
    },
    clock: {
      now: () => Date.now() * 100,
      after: (millis, task) => {
        const timer = setTimeout(task, millis / 100)
        return () => clearTimeout(timer)
      }
    }
  })
  for await (const { percent, status } of client.watch({ video: 42 }, { onTrouble: ({ reason }) => seen.push(reason) })) {
    seen.push(status + " " + percent)
  }
  return seen.join(", ")
}
`

const expected = "PROCESSING 20, PROCESSING 50, Network, READY 100"

const workerdConfiguration = `
using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (services = [(name = "main", worker = (
  modules = [(name = "main.js", esModule = embed "workerd.js")],
  compatibilityDate = "2025-09-01",
))]);
`

describe("The client", () => {
  let folder = ""

  const bundle = async (name: string, end: string): Promise<string> => {
    const outfile = join(folder, name)
    await build({
      stdin: { contents: program + end, loader: "ts", resolveDir: at("../../src/client") },
      outfile,
      bundle: true,
      format: "esm",
      platform: "neutral"
    })
    return outfile
  }

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "lectern-client-"))
  })

  afterAll(() => {
    rmSync(folder, { recursive: true, force: true })
  })

  it.each([
    ["Node", process.execPath, []],
    ["Deno without any permission", command("deno"), ["run", "--no-prompt", "--no-remote", "--no-config"]]
  ])("runs in %s, and lets the process end", async (name, executable, options) => {
    const file = await bundle(`${name.split(" ")[0]}.mjs`, "console.log(await watch())")
    const { stdout } = await run(executable, [...options, file])
    expect(stdout.trim()).toBe(expected)
  })

  it("runs in workerd", async () => {
    await bundle("workerd.js", `
      export default {
        async test() {
          const seen = await watch()
          if (seen !== ${JSON.stringify(expected)}) throw new Error("saw " + seen)
          console.log("passed: " + seen)
        }
      }
    `)
    const file = join(folder, "workerd.capnp")
    writeFileSync(file, workerdConfiguration)
    const { stderr, stdout } = await run(command("workerd"), ["test", "--verbose", file])
    expect(stdout + stderr).toContain(`passed: ${expected}`)
  })
})
