import { describe, expect, it } from "vitest"
import { execFile } from "node:child_process"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { promisify } from "node:util"

const program = join(import.meta.dirname, "decodeSyllables.ts")
const deno = join(dirname(createRequire(import.meta.url).resolve("deno/package.json")), "bin.cjs")

const runtimes = {
  Node: [process.execPath, program],
  Deno: [
    process.execPath,
    deno,
    "run",
    "--no-prompt",
    "--no-remote",
    "--no-config",
    "--node-modules-dir=manual",
    "--allow-read",
    "--allow-env",
    program
  ]
} as const

describe("the decoding of CP949", () => {
  it.each(Object.entries(runtimes))("is exact for all 11,172 syllables on %s", async (_, [command, ...args]) => {
    const { stdout } = await promisify(execFile)(command, args, { cwd: join(import.meta.dirname, "../../../..") })
    expect(stdout).toBe("11172\n")
  })
})
