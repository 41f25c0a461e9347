import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { execFile } from "node:child_process"
import { readFile } from "node:fs/promises"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { temporaryFolder } from "../src/index.ts"

const Counts = Schema.fromJsonString(
  Schema.Struct({ passed: Schema.Int, failed: Schema.Int, notRun: Schema.Int, reasons: Schema.Array(Schema.String) })
)
const vitest = join(dirname(createRequire(import.meta.url).resolve("vitest/package.json")), "vitest.mjs")
const folder = fileURLToPath(new URL("fixtures/run", import.meta.url))

const run = (countsFile: string, ...files: ReadonlyArray<string>) =>
  Effect.callback<{ readonly code: number | null; readonly output: string }>((resume) => {
    const child = execFile(
      process.execPath,
      [vitest, "run", "--root", folder, ...files],
      { env: { PATH: process.env["PATH"], LECTERN_TEST_COUNTS: countsFile } },
      (_error, stdout) => resume(Effect.succeed({ code: child.exitCode, output: stdout }))
    )
  })

describe("the reporter of what did not run", () => {
  it.live("counts every test of a run and names each reason once", () =>
    Effect.gen(function*() {
      const file = join(yield* temporaryFolder("counts"), "counts.json")
      const { code, output } = yield* run(file)
      assert.notStrictEqual(code, 0)
      assert.include(
        output,
        "not run: 4 tests (no network; no reason given in outcomes.case.ts; no such server)\n"
      )
      const counts = yield* Effect.flatMap(Effect.promise(() => readFile(file, "utf8")), Schema.decodeUnknownEffect(Counts))
      // The two failures: one test, and one file that did not load.
      assert.deepStrictEqual(counts, {
        passed: 1,
        failed: 2,
        notRun: 4,
        reasons: ["no network", "no reason given in outcomes.case.ts", "no such server"]
      })
    }))
})
