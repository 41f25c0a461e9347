import { assert, describe, it } from "@effect/vitest"
import type { Repository } from "../src/Repository.ts"
import type { Rule } from "../src/checkBoundaries.ts"
import { domainPurity } from "../src/rules/domainPurity.ts"
import { doorPackages } from "../src/rules/doorPackages.ts"
import { fileNames } from "../src/rules/fileNames.ts"
import { importDirection } from "../src/rules/importDirection.ts"
import { machinePaths } from "../src/rules/machinePaths.ts"
import { packageCycles } from "../src/rules/packageCycles.ts"
import { receiptMint } from "../src/rules/receiptMint.ts"
import { runtimeEntry } from "../src/rules/runtimeEntry.ts"
import { silencedFailures } from "../src/rules/silencedFailures.ts"
import { soleImporter } from "../src/rules/soleImporter.ts"
import { plant } from "./planted.ts"

/** What a rule finds, as `file:line message`. */
const findings = async (rule: Rule, repository: Repository): Promise<ReadonlyArray<string>> =>
  (await rule(repository)).map(({ file, line, message }) => `${file}:${line} ${message}`)

describe("import direction", () => {
  it("refuses an import against the order, by type, by re-export and by a dynamic import alike", async () => {
    const repository = plant({
      "packages/adapters/src/redis/index.ts": `import type { A } from "@lectern/worker-ai"\nexport type B = A`,
      "packages/api/src/edge/index.ts": `export * from "@lectern/worker-ai"`,
      "packages/worker-ai/src/index.ts": `\nexport const a = () => import("@lectern/api/edge")`,
      "packages/worker-ai/src/typed.ts": `export type E = import("@lectern/api/edge").Edge`
    })
    assert.deepStrictEqual(await findings(importDirection, repository), [
      "packages/adapters/src/redis/index.ts:1 @lectern/adapters may not import @lectern/worker-ai",
      "packages/api/src/edge/index.ts:1 @lectern/api may not import @lectern/worker-ai",
      "packages/worker-ai/src/index.ts:2 @lectern/worker-ai may not import @lectern/api",
      "packages/worker-ai/src/typed.ts:1 @lectern/worker-ai may not import @lectern/api"
    ])
  })

  it("refuses a way around a front door", async () => {
    const repository = plant({
      "packages/adapters/src/redis/index.ts": `import { a } from "../../../domain/src/secret.ts"\nexport { a }`,
      "packages/api/src/edge/index.ts": `export { b } from "@lectern/domain/internal/b"`
    })
    assert.deepStrictEqual(await findings(importDirection, repository), [
      `packages/adapters/src/redis/index.ts:1 "../../../domain/src/secret.ts" goes around the front door of @lectern/domain`,
      `packages/api/src/edge/index.ts:1 "@lectern/domain/internal/b" is not a front door of @lectern/domain`
    ])
  })

  it("lets a type test prove that a door is closed", async () => {
    const repository = plant({
      "packages/domain/test/doors.test-d.ts": `// @ts-expect-error closed\nexport type A = typeof import("@lectern/domain/internal/b")`
    })
    assert.deepStrictEqual(await findings(importDirection, repository), [])
  })

  it("lets tests use the harness, and sources not", async () => {
    const text = `import { RedisServer } from "@lectern/harness"\nexport { RedisServer }`
    const repository = plant({ "packages/adapters/src/a.ts": text, "packages/adapters/test/a.test.ts": text })
    assert.deepStrictEqual(await findings(importDirection, repository), [
      "packages/adapters/src/a.ts:1 @lectern/adapters may not import @lectern/harness"
    ])
  })

  it("refuses a workspace that nobody has given a place", async () => {
    const repository = plant({
      "packages/billing/package.json": `{"name":"@lectern/billing"}`,
      "packages/billing/src/a.ts": "export const a = 1"
    })
    assert.deepStrictEqual(await findings(importDirection, repository), [
      "packages/billing/src/a.ts:0 the workspace @lectern/billing has no place in the order of imports"
    ])
  })

  it("accepts what goes with the order", async () => {
    const repository = plant({
      "packages/domain/src/index.ts": `export const a = 1`,
      "packages/adapters/src/redis/index.ts": `export { a } from "@lectern/domain"`,
      "packages/api/src/edge/index.ts": `export * from "@lectern/adapters/redis"`
    })
    assert.deepStrictEqual(await findings(importDirection, repository), [])
  })
})

describe("package cycles", () => {
  it("names the circle once", async () => {
    const repository = plant({
      "packages/domain/src/index.ts": `export * from "@lectern/api/edge"\nexport * from "@lectern/api/edge"`,
      "packages/api/src/edge/index.ts": `export * from "@lectern/adapters/redis"`,
      "packages/adapters/src/redis/index.ts": `\nexport * from "@lectern/domain"`
    })
    const found = await findings(packageCycles, repository)
    assert.strictEqual(found.length, 1)
    assert.match(found[0] ?? "", /closes the circle (@lectern\/\w+ -> ){3}@lectern\/\w+/)
  })

  it("accepts a diamond", async () => {
    const repository = plant({
      "packages/api/src/edge/index.ts": `export * from "@lectern/adapters/redis"\nexport * from "@lectern/domain"`,
      "packages/adapters/src/redis/index.ts": `export * from "@lectern/domain"`
    })
    assert.deepStrictEqual(await findings(packageCycles, repository), [])
  })
})

describe("domain purity", () => {
  it("refuses built-in modules and other packages, types included", async () => {
    const repository = plant({
      "packages/domain/src/index.ts": `import { readFile } from "node:fs"\nimport type { Redis } from "ioredis"\nexport { readFile, type Redis }`
    })
    assert.deepStrictEqual(await findings(domainPurity, repository), [
      "packages/domain/src/index.ts:1 the domain depends on effect alone, not on node:fs",
      "packages/domain/src/index.ts:2 the domain depends on effect alone, not on ioredis"
    ])
  })

  it("refuses what comes by way of something else and does not run in a browser", async () => {
    const repository = plant({
      "packages/domain/src/index.ts": `export * from "effect/Sneaky"`,
      "node_modules/effect/package.json": `{"name":"effect","exports":{"./*":"./*.js"}}`,
      "node_modules/effect/Sneaky.js": `export { readFile } from "node:fs"`
    })
    const found = await findings(domainPurity, repository)
    assert.strictEqual(found.length, 1)
    assert.include(found[0], `node_modules/effect/Sneaky.js:1 not for a browser: Could not resolve "node:fs"`)
  })

  it("accepts a domain of effect alone", async () => {
    const repository = plant({
      "packages/domain/src/index.ts": `export * from "effect/Schema"`,
      "node_modules/effect/package.json": `{"name":"effect","exports":{"./*":"./*.js"}}`,
      "node_modules/effect/Schema.js": `export const a = 1`
    })
    assert.deepStrictEqual(await findings(domainPurity, repository), [])
  })
})

describe("door packages", () => {
  const postgres = { "packages/adapters/src/postgres/index.ts": "export const p = 1" }

  it("refuses another technology behind a door, however deep", async () => {
    const repository = plant({
      ...postgres,
      "packages/adapters/src/redis/index.ts": `export * from "./deep.ts"`,
      "packages/adapters/src/redis/deep.ts": `import { SQSClient } from "@aws-sdk/client-sqs"\nimport { Redis } from "ioredis"\nexport { SQSClient, Redis }`
    })
    assert.deepStrictEqual(await findings(doorPackages, repository), [
      `packages/adapters/src/redis/deep.ts:0 the door "./redis" of @lectern/adapters may not drag in @aws-sdk/client-sqs`
    ])
  })

  it("looks through imports of other workspaces: the edge has no SQL and nothing of Node", async () => {
    const repository = plant({
      ...postgres,
      "packages/adapters/src/redis/index.ts": `import { readFile } from "node:fs"\nexport { readFile }`,
      "packages/api/src/edge/index.ts": `export * from "@lectern/adapters/redis"\nexport { SqlClient } from "effect/sql"`
    })
    const found = await findings(doorPackages, repository)
    assert.include(found, `packages/adapters/src/redis/index.ts:0 the door "./edge" of @lectern/api may not drag in node:fs`)
    assert.include(found, `packages/api/src/edge/index.ts:0 the door "./edge" of @lectern/api may not drag in effect/sql`)
  })

  it("refuses a door of adapters of which nobody said what it drags in", async () => {
    const repository = plant({
      "packages/adapters/package.json": `{"name":"@lectern/adapters","exports":{"./kafka":"./src/kafka.ts"}}`,
      "packages/adapters/src/kafka.ts": "export const k = 1"
    })
    assert.deepStrictEqual(await findings(doorPackages, repository), [
      `packages/adapters/package.json:0 nobody says what the door "./kafka" may drag in`
    ])
  })

  it("refuses a door with nothing behind it, once the workspace has sources", async () => {
    assert.deepStrictEqual(await findings(doorPackages, plant({})), [])
    assert.deepStrictEqual(await findings(doorPackages, plant(postgres)), [
      `packages/adapters/package.json:0 there is nothing behind the door "./redis": packages/adapters/src/redis/index.ts is missing`
    ])
  })

  it("reports a door whose imports lead nowhere instead of taking it for an empty one", async () => {
    const repository = plant({ ...postgres, "packages/adapters/src/redis/index.ts": `export * from "./gone.ts"` })
    const found = await findings(doorPackages, repository)
    assert.strictEqual(found.length, 1)
    assert.include(found[0], `packages/adapters/src/redis/index.ts:1 nobody can tell what the door "./redis" drags in`)
  })

  it("forgets imports of types: they are gone when the door runs", async () => {
    const repository = plant({
      ...postgres,
      "packages/adapters/src/redis/index.ts": `import type { SQSClient } from "@aws-sdk/client-sqs"\nexport const a = (s: SQSClient) => s`
    })
    assert.deepStrictEqual(await findings(doorPackages, repository), [])
  })
})

describe("receipt mint", () => {
  const mint = `export { mint as commit } from "./internal/Committed.ts"`
  const text = `import { commit } from "@lectern/domain/committed"\nexport { commit }`

  it("refuses the function that makes receipts to everybody but a store", async () => {
    const repository = plant({
      "packages/domain/src/committed.ts": mint,
      "packages/domain/src/index.ts": `export { mint } from "./internal/Committed.ts"`,
      "packages/domain/src/star.ts": `export * from "./internal/Committed.ts"`,
      "packages/adapters/src/redis/index.ts": text,
      "packages/adapters/src/postgres/index.ts": text,
      "packages/domain/src/testing/index.ts": `import { mint } from "../internal/Committed.ts"\nexport { mint }`
    })
    const found = await findings(receiptMint, repository)
    assert.deepStrictEqual(found.map((it) => it.split(" ")[0]), [
      "packages/adapters/src/redis/index.ts:1",
      "packages/domain/src/index.ts:1",
      "packages/domain/src/star.ts:1"
    ])
  })

  it("lets everybody ask for a receipt by its type, and read it", async () => {
    const repository = plant({
      "packages/domain/src/index.ts": `export type { Committed } from "./internal/Committed.ts"`,
      "packages/domain/src/Recorder.ts": `import { type mint, read } from "./internal/Committed.ts"\nexport { read, type mint }`
    })
    assert.deepStrictEqual(await findings(receiptMint, repository), [])
  })
})

describe("sole importer", () => {
  const text = `import ffmpeg from "fluent-ffmpeg"\nexport { ffmpeg }`

  it("refuses a second module, and a test, that knows the wrapped package", async () => {
    const repository = plant({
      "packages/worker-ai/src/a.ts": text,
      "packages/worker-ai/src/b.ts": `import type { FfmpegCommand } from "fluent-ffmpeg"\nexport type F = FfmpegCommand`
    })
    assert.strictEqual((await findings(soleImporter, repository)).length, 2)
    const tested = plant({ "packages/worker-ai/src/a.ts": text, "packages/worker-ai/test/a.test.ts": text })
    assert.deepStrictEqual(soleImporter(tested).map(({ file }) => file), ["packages/worker-ai/test/a.test.ts"])
  })

  it("accepts the one module", async () => {
    assert.deepStrictEqual(await findings(soleImporter, plant({ "packages/worker-ai/src/a.ts": text })), [])
  })
})

describe("runtime entry", () => {
  it("finds a run under every name it can have", async () => {
    const repository = plant({
      "packages/worker-ai/src/a.ts": `import { Effect } from "effect"\nexport const a = Effect.runPromise(Effect.void)`,
      "packages/worker-ai/src/b.ts": `import * as E from "effect/Effect"\nexport const b = E.runSync`,
      "packages/worker-ai/src/c.ts": `import { runFork as go } from "effect/Effect"\nexport const c = (e) => go(e)`,
      "packages/worker-ai/src/d.ts": `import * as All from "effect"\nexport const d = All.Effect.runPromise`,
      "packages/worker-ai/src/e.ts": `import { ManagedRuntime as M } from "effect"\nexport const e = M.make`
    })
    assert.deepStrictEqual(runtimeEntry(repository).map(({ file, line, message }) => `${file}:${line} ${message.split(" ")[0]}`), [
      "packages/worker-ai/src/a.ts:2 Effect.runPromise",
      "packages/worker-ai/src/b.ts:2 Effect.runSync",
      "packages/worker-ai/src/c.ts:2 Effect.runFork",
      "packages/worker-ai/src/d.ts:2 Effect.runPromise",
      "packages/worker-ai/src/e.ts:2 ManagedRuntime.make"
    ])
  })

  it("accepts runs in main.ts, at the edge and in tests, and what only looks like one", async () => {
    const text = `import { Effect } from "effect"\nexport const a = Effect.runPromise`
    const repository = plant({
      "packages/worker-ai/src/main.ts": text,
      "packages/worker-ai/test/a.test.ts": text,
      "packages/api/src/edge/node.ts": text,
      "packages/worker-ai/src/other.ts": `const Effect = { runPromise: () => 1 }\nexport const a = Effect.runPromise()`
    })
    assert.deepStrictEqual(await findings(runtimeEntry, repository), [])
  })
})

describe("silenced failures", () => {
  const lines = (...text: ReadonlyArray<string>): string => [`import { Effect } from "effect"`, ...text].join("\n")

  it("finds every way of answering a failure with nothing", async () => {
    const repository = plant({
      "packages/worker-ai/src/a.ts": lines(
        "export const a = (e) => e.pipe(Effect.ignore)",
        "export const b = (e) => Effect.ignoreCause(e)",
        "export const c = (e) => e.pipe(Effect.catch(() => Effect.void))",
        "export const d = (e) => e.pipe(Effect.catchCause((_) => { return Effect.void }))",
        "export const f = (e) => e.pipe(Effect.catchTag('A', () => Effect.succeed(undefined)))",
        "export const g = (e) => e.pipe(Effect.catchTags({ A: () => Effect.void, B: (b) => Effect.fail(b) }))",
        "export const h = (e) => e.pipe(Effect.matchEffect({ onFailure: () => Effect.void, onSuccess: Effect.succeed }))",
        "export const i = (e) => e.pipe(Effect.catch(function() { return Effect.succeed(void 0) }))"
      )
    })
    assert.deepStrictEqual(silencedFailures(repository).map(({ line }) => line), [2, 3, 4, 5, 6, 7, 8, 9])
  })

  it("accepts a failure that is handled, bestEffort and tests", async () => {
    const silent = lines("export const a = (e) => e.pipe(Effect.ignore)")
    const repository = plant({
      "packages/domain/src/bestEffort.ts": silent,
      "packages/worker-ai/test/a.test.ts": silent,
      "packages/worker-ai/src/a.ts": lines(
        "export const a = (e) => e.pipe(Effect.catchTag('A', () => Effect.succeed(null)))",
        "export const b = (e) => e.pipe(Effect.catch((error) => Effect.logError(error)))",
        "export const c = (e) => e.pipe(Effect.matchEffect({ onFailure: Effect.fail, onSuccess: () => Effect.void }))",
        "export const d = () => Effect.void"
      )
    })
    assert.deepStrictEqual(await findings(silencedFailures, repository), [])
  })
})

describe("file names", () => {
  it("refuses files and folders that name no concept", async () => {
    const paths = ["utils.ts", "job.helpers.ts", "common/a.ts", "Types.ts"]
    const repository = plant(Object.fromEntries(paths.map((path) => [`packages/domain/src/${path}`, "export {}"])))
    assert.deepStrictEqual(
      fileNames(repository).map(({ file }) => file.replace("packages/domain/src/", "")).sort(),
      [...paths].sort()
    )
  })

  it("accepts a name that only contains such a word", async () => {
    assert.deepStrictEqual(await findings(fileNames, plant({ "packages/domain/src/MediaTypes.ts": "export {}" })), [])
  })
})

describe("machine paths", () => {
  it("refuses the folders of people, the checkout's own root and foreign registries", async () => {
    const repository = plant({
      "README.md": ["fine", ["", "home", "kim", "lectern"].join("/")].join("\n"),
      "docs/mac.md": `cd ${["", "Users", "kim", "lectern"].join("/")}`,
      "package-lock.json": `{\n"resolved": "http://localhost:4873/effect"\n}`
    })
    const own = plant({ "docs/a.md": "fine" })
    const planted = { ...own, read: (file: string) => file === "docs/a.md" ? `see ${own.root}/docs` : own.read(file) }
    assert.deepStrictEqual(machinePaths(repository).map(({ file, line }) => `${file}:${line}`).sort(), [
      "README.md:2",
      "docs/mac.md:1",
      "package-lock.json:2"
    ])
    assert.deepStrictEqual(machinePaths(planted).map(({ file }) => file), ["docs/a.md"])
  })

  it("accepts system paths, URLs and the public registry", async () => {
    const repository = plant({
      "README.md": "https://example.org/home/kim/a and /usr/lib/postgresql and /home and $ROOT/home/kim/",
      "package-lock.json": `{"resolved": "https://registry.npmjs.org/effect/-/effect-4.1.0.tgz"}`
    })
    assert.deepStrictEqual(await findings(machinePaths, repository), [])
  })
})
