import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { spawnSync } from "node:child_process"
import { copyFileSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"
import { plant } from "./planted.ts"

const config = fileURLToPath(new URL("../../../.oxlintrc.json", import.meta.url))
const oxlint = join(dirname(createRequire(import.meta.url).resolve("oxlint/package.json")), "bin", "oxlint")

const Report = Schema.fromJsonString(
  Schema.Struct({ diagnostics: Schema.Array(Schema.Struct({ code: Schema.String, filename: Schema.String })) })
)

/** Lints the files with the project's own configuration, without the rules that need types; returns `file rule`. */
const lint = (files: Readonly<Record<string, string>>): ReadonlyArray<string> => {
  const { root } = plant(files)
  copyFileSync(config, join(root, ".oxlintrc.json"))
  const { stdout } = spawnSync(process.execPath, [oxlint, "--format=json", "."], { cwd: root, encoding: "utf8" })
  const { diagnostics } = Schema.decodeUnknownSync(Report)(stdout)
  return [...new Set(diagnostics.map(({ code, filename }) => `${filename} ${code}`))].sort()
}

const importing = (specifier: string): string => `export * from "${specifier}"\n`

describe("the linter's boundaries", () => {
  it("refuses each import that the design forbids", () => {
    assert.deepStrictEqual(
      lint({
        "packages/domain/src/a.ts": importing("node:fs"),
        "packages/domain/src/b.ts": importing("effect"),
        "packages/domain/src/c.ts": importing("@lectern/adapters/redis"),
        "packages/domain/src/d.ts": importing("node:fs/promises"),
        "packages/domain/src/e.ts": importing("@lectern/cli"),
        "packages/adapters/src/a.ts": importing("@lectern/observability"),
        "packages/observability/src/a.ts": importing("@lectern/adapters/redis"),
        "packages/api/src/a.ts": importing("@lectern/worker-ai/import"),
        "packages/api/src/edge/a.ts": importing("@lectern/adapters/postgres"),
        "packages/api/src/edge/b.ts": importing("effect"),
        "packages/worker-video/src/a.ts": importing("@lectern/worker-ai"),
        "packages/worker-ai/src/a.ts": importing("@lectern/api/origin"),
        "packages/cli/src/a.ts": importing("@lectern/harness")
      }),
      [
        "packages/adapters/src/a.ts",
        "packages/api/src/a.ts",
        "packages/api/src/edge/a.ts",
        "packages/api/src/edge/b.ts",
        "packages/cli/src/a.ts",
        "packages/domain/src/a.ts",
        "packages/domain/src/b.ts",
        "packages/domain/src/c.ts",
        "packages/domain/src/d.ts",
        "packages/domain/src/e.ts",
        "packages/observability/src/a.ts",
        "packages/worker-ai/src/a.ts",
        "packages/worker-video/src/a.ts"
      ].map((file) => `${file} eslint(no-restricted-imports)`)
    )
  })

  it("refuses a bare JSON.parse everywhere, and a clock or chance of its own in the domain and the workers", () => {
    assert.deepStrictEqual(
      lint({
        "packages/api/src/a.ts": `export const a: unknown = JSON.parse("1")\n`,
        "packages/domain/src/a.ts": `export const a = Date.now()\n`,
        "packages/worker-ai/src/a.ts": `export const a = Math.random()\n`
      }),
      ["packages/api/src/a.ts", "packages/domain/src/a.ts", "packages/worker-ai/src/a.ts"].map((file) =>
        `${file} eslint(no-restricted-properties)`
      )
    )
  })

  it("refuses any", () => {
    assert.deepStrictEqual(lint({ "packages/api/src/a.ts": "export const a = (b: any) => String(b)\n" }), [
      "packages/api/src/a.ts typescript(no-explicit-any)"
    ])
  })

  it("accepts what goes with the design", () => {
    assert.deepStrictEqual(
      lint({
        "packages/domain/src/a.ts": importing("effect/Schema"),
        "packages/adapters/src/a.ts": importing("@lectern/domain"),
        "packages/api/src/edge/a.ts": importing("@lectern/adapters/redis"),
        "packages/cli/src/a.ts": importing("@lectern/worker-ai")
      }),
      []
    )
  })
})
