/** What a page loads with the client, by the bundler's own account. */
import { build } from "esbuild"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"
import { describe, expect, it } from "vitest"

const bundle = (entry: string, external: Array<string> = []) =>
  build({
    entryPoints: [fileURLToPath(new URL(`../../src/client/${entry}`, import.meta.url))],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    target: "es2022",
    write: false,
    metafile: true,
    external
  })

describe("The bundle of the client", () => {
  it("is under 5 KB gzipped, of modules of its own, and imports nothing", async () => {
    const { metafile, outputFiles } = await bundle("index.ts")
    expect(gzipSync(outputFiles[0]?.contents ?? "").length).toBeLessThan(5_000)
    expect(outputFiles).toHaveLength(1)
    expect(Object.keys(metafile.inputs).filter((path) => !path.includes("src/client/"))).toEqual([])
    expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports)).toEqual([])
  })

  it.each([
    ["react/index.ts", ["@lectern/api/client", "react"]],
    ["tanstack-query/index.ts", ["@lectern/api/client"]]
  ])("gets less than 500 bytes gzipped from the thin door %s", async (entry, imports) => {
    const { metafile, outputFiles } = await bundle(entry, ["react", "@lectern/api/client"])
    expect(gzipSync(outputFiles[0]?.contents ?? "").length).toBeLessThan(500)
    expect(Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path))).toEqual(imports)
  })
})
