/** A small repository in a folder of its own, with what a test plants in it. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { dirname, join } from "node:path"
import { onTestFinished } from "vitest"
import { readRepository, type Repository } from "../src/Repository.ts"

const manifest = (name: string, exports: Readonly<Record<string, string>>) => JSON.stringify({ name, exports })

const workspaces: Readonly<Record<string, string>> = {
  "packages/domain/package.json": manifest("@lectern/domain", {
    ".": "./src/index.ts",
    "./committed": "./src/committed.ts"
  }),
  "packages/adapters/package.json": manifest("@lectern/adapters", {
    "./redis": "./src/redis/index.ts",
    "./postgres": "./src/postgres/index.ts"
  }),
  "packages/api/package.json": manifest("@lectern/api", { "./edge": "./src/edge/index.ts" }),
  "packages/worker-ai/package.json": manifest("@lectern/worker-ai", { ".": "./src/index.ts" }),
  "tools/harness/package.json": manifest("@lectern/harness", { ".": "./src/index.ts" })
}

/** Writes the files over five empty workspaces and reads the whole; the folder goes when the test ends. */
export const plant = (files: Readonly<Record<string, string>>): Repository => {
  const root = realpathSync(mkdtempSync(join(tmpdir(), "lectern-planted-")))
  onTestFinished(() => rmSync(root, { recursive: true, force: true }))
  for (const [path, text] of Object.entries({ ...workspaces, ...files })) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    writeFileSync(join(root, path), text)
  }
  return readRepository(root)
}
