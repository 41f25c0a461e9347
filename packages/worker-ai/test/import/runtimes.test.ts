import { Warden } from "@lectern/harness"
import { describe, expect, it } from "vitest"
import { execFile } from "node:child_process"
import { join } from "node:path"
import { promisify } from "node:util"

const program = join(import.meta.dirname, "decodeSyllables.ts")
const root = join(import.meta.dirname, "../../../..")

const runtimes = {
  Node: [process.execPath, program],
  Deno: [
    join(root, "node_modules/.bin/deno"),
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
    const ended = promisify(execFile)(command, args, { cwd: root })
    Warden.held(ended.child)
    const { stdout } = await ended
    expect(stdout).toBe("11172\n")
  })
})
