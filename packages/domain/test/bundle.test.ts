import { build } from "esbuild"
import { fileURLToPath } from "node:url"
import { describe, expect, it } from "vitest"

const root = fileURLToPath(new URL("../../..", import.meta.url))

const bundle = (entry: string) =>
  build({
    entryPoints: [fileURLToPath(new URL(`../src/${entry}`, import.meta.url))],
    absWorkingDir: root,
    bundle: true,
    write: false,
    metafile: true,
    format: "esm",
    platform: "browser",
    logLevel: "silent"
  })

describe("the domain's bundle for a browser", () => {
  it.each(["index.ts", "memory/index.ts", "testing/index.ts", "committed.ts"])(
    "from %s is made of effect and itself, and imports nothing more",
    async (entry) => {
      const { errors, metafile, warnings } = await bundle(entry)
      expect([errors, warnings]).toEqual([[], []])
      const inputs = Object.keys(metafile.inputs)
      expect(inputs.filter((input) => !/^(packages\/domain\/src|node_modules\/effect)\//.test(input))).toEqual([])
      expect(inputs).toContain(`packages/domain/src/${entry}`)
      const outside = Object.values(metafile.inputs).flatMap(({ imports }) => imports.filter(({ external }) => external))
      expect(outside).toEqual([])
    }
  )

  it("drags in no part of effect that speaks to a network, a file or a database", async () => {
    const { metafile } = await bundle("index.ts")
    const parts = Object.keys(metafile.inputs).filter((input) =>
      /node_modules\/effect\/(dist|src)\/(http-api|sql|socket|process|rpc|cluster|cli|persistence)\//.test(input))
    expect(parts).toEqual([])
  })
})
