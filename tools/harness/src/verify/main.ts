/**
 * `npm test`: every check of the project, the quick ones first, then the tests, and one summary. All of them run, whatever
 * fails; the exit code is 0 when nothing did. The last line is `N passed, N failed`, made from what really ran.
 */
import { Option, Schema } from "effect"
import { spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { type Check, report, TestCounts, type TestRun, total } from "./Verdict.ts"

const root = fileURLToPath(new URL("../../../../", import.meta.url))

const runScript = (script: string, env: NodeJS.ProcessEnv = {}): { passed: boolean; seconds: number } => {
  const started = performance.now()
  const { status } = spawnSync("npm", ["run", "--silent", script], {
    cwd: root,
    stdio: ["ignore", "inherit", "inherit"],
    env: { ...process.env, ...env }
  })
  return { passed: status === 0, seconds: (performance.now() - started) / 1000 }
}

const check = (name: string): Check => {
  console.log(`\n== ${name}`)
  return { name, ...runScript(name) }
}

const runTests = (): TestRun => {
  console.log("\n== tests")
  const folder = mkdtempSync(join(tmpdir(), "lectern-counts-"))
  const file = join(folder, "counts.json")
  try {
    const outcome = runScript("test:only", { LECTERN_TEST_COUNTS: file })
    const text = existsSync(file) ? readFileSync(file, "utf8") : ""
    const counts = Option.getOrUndefined(Schema.decodeUnknownOption(Schema.fromJsonString(TestCounts))(text))
    return { ...outcome, counts }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** They need a container engine and minutes: `.ci/run` runs them behind these tests. */
const notAmongThese = "not among these: the container images, by `npm run image` and then `npm run image:test`"

const checks = ["typecheck", "lint", "boundaries"].map(check)
const tests = runTests()
console.log(`\n== summary\n${notAmongThese}\n${report(checks, tests).join("\n")}`)
process.exitCode = total(checks, tests).failed === 0 ? 0 : 1
