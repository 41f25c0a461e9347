/** What the programs for Deno and workerd drag in, by the bundler's own account, and what that weighs. */
import { build, type Metafile } from "esbuild"
import { describe, expect, it } from "vitest"
import { gzipSync } from "node:zlib"
import { denoBundle, edgeBundle, workerdBundle } from "../../src/node/bundleEdge.ts"

const outsideOf = (metafile: Metafile): ReadonlyArray<string> =>
  [...new Set(Object.values(metafile.outputs).flatMap(({ imports }) =>
    imports.filter(({ external }) => external).map(({ path }) => path)))].sort()

const packagesOf = (metafile: Metafile): ReadonlyArray<string> =>
  [...new Set(Object.keys(metafile.inputs).flatMap((path) =>
    /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(path)?.[1] ?? /packages\/[^/]+/.exec(path)?.[0] ?? []
  ))].sort()

/** What ioredis speaks to Redis with. Neither `fs` nor `child_process`. */
const builtins = ["assert", "buffer", "crypto", "diagnostics_channel", "dns", "events", "net", "stream", "tls", "util"]
  .map((name) => `node:${name}`)

const packages = [
  "@ioredis/commands",
  "cluster-key-slot",
  "denque",
  "effect",
  "ioredis",
  "jose",
  "packages/adapters",
  "packages/api",
  "packages/domain",
  "redis-errors",
  "standard-as-callback"
]

/** Bytes after gzip: the whole edge with ioredis is promised to be smaller. */
const promisedBytes = 130_000

for (const [name, options, outside] of [
  ["Deno", denoBundle, builtins],
  ["workerd", workerdBundle, ["cloudflare:workers", ...builtins]]
] as const) {
  describe(`The bundle of the entry for ${name}`, () => {
    it("holds ioredis, jose and Effect's core, and imports of Node what speaks to Redis alone", async () => {
      const { metafile } = await build({ ...options, write: false, metafile: true })
      expect(packagesOf(metafile)).toEqual(packages)
      expect(outsideOf(metafile)).toEqual(outside)
    })

    it("has neither SQL, AWS nor files in it, nor the package that lists the environment", async () => {
      const { metafile } = await build({ ...options, write: false, metafile: true })
      expect(Object.keys(metafile.inputs).filter((path) =>
        /effect\/(?:dist|src)\/(?:unstable\/)?sql|sql-pg|pglite|neondatabase|node_modules\/(?:pg|debug)\/|@aws-sdk|@smithy|adapters\/src\/(?!redis)/
          .test(path)
      )).toEqual([])
    })
  })
}

const programs = Object.entries({ Node: edgeBundle, Deno: denoBundle, workerd: workerdBundle })

it.each(programs)("The program for %s is under 130 KB gzipped, ioredis included", async (_, options) => {
  const { outputFiles } = await build({ ...options, write: false })
  expect(gzipSync(outputFiles[0]?.contents ?? "", { level: 9 }).length).toBeLessThan(promisedBytes)
})
