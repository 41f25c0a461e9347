/** The examples of the docstrings, run as they stand: what each prints must be what the comment at its end says. */
import { build } from "esbuild"
import { readFileSync } from "node:fs"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import { afterEach, describe, expect, it, vi } from "vitest"
import { json, video } from "./ScriptedServer.ts"

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

interface Example {
  readonly name: string
  readonly code: string
  readonly expected: ReadonlyArray<string>
}

/** The blocks after `@example` in a file; the comments at the end of each say what it prints. */
const examplesOf = (file: string): ReadonlyArray<Example> => {
  const source = readFileSync(at(`../../src/client/${file}`), "utf8")
  return [...source.matchAll(/@example\n \* ```ts\n([\s\S]*?) \* ```/g)].map(([, block = ""], index) => {
    const lines = block.split("\n").map((line) => line.replace(/^ \* ?/, ""))
    return {
      name: `${index + 1} of ${file}`,
      code: lines.join("\n"),
      expected: lines.filter((line) => line.startsWith("// ")).map((line) => line.slice(3))
    }
  })
}

const examples = ["ProgressClient.ts", "react/useProgress.ts", "tanstack-query/progressQueryOptions.ts"].flatMap(examplesOf)

const replies = [
  (path: string) =>
    path.includes("/jobs/") ? json({ status: "RUNNING", progress: { percent: 40 } }) : video("PROCESSING", 50),
  (path: string) =>
    path.includes("/jobs/") ? json({ status: "DONE", error_message: "3행: 전화번호가 올바르지 않습니다" }) : video("READY")
]

afterEach(() => {
  vi.unstubAllGlobals()
})

describe("The example", () => {
  it("is there for each door", () => {
    expect(examples).toHaveLength(4)
  })

  it.each(examples)("$name prints what it says", async ({ code, expected }) => {
    const { outputFiles } = await build({
      stdin: { contents: code, loader: "ts", resolveDir: at("../.."), sourcefile: "example.ts" },
      bundle: true,
      format: "esm",
      platform: "node",
      // React's CommonJS requires modules of Node by a function that an ES module does not have.
      banner: { js: `const require = globalThis.requireForExamples;` },
      write: false
    })
    const printed: Array<string> = []
    const { promise: complete, resolve } = Promise.withResolvers<void>()
    const queue = [...replies]
    vi.stubGlobal("requireForExamples", createRequire(import.meta.url))
    vi.stubGlobal("fetch", async (input: string) => {
      const path = new URL(input).pathname
      return path.endsWith("/events/") ? json({}, { status: 404 }) : (queue.shift() ?? (() => video("READY")))(path)
    })
    vi.spyOn(console, "log").mockImplementation((...values: ReadonlyArray<unknown>) => {
      printed.push(values.join(" "))
      if (printed.length === expected.length) resolve()
    })
    await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0]?.text ?? "").toString("base64")}`)
    await complete
    vi.restoreAllMocks()
    expect(printed).toEqual(expected)
  })
})
