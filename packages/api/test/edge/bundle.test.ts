/** What the edge drags in, by the bundler's own account. */
import { build, type Metafile } from "esbuild"
import { describe, expect, it } from "vitest"
import { edgeBundle, neutralBundle } from "../../src/node/bundleEdge.ts"

const modulesOf = (metafile: Metafile): ReadonlyArray<string> => Object.keys(metafile.inputs)

/** Every module and every import that stays outside of the bundle. */
const everything = (metafile: Metafile): ReadonlyArray<string> => [
  ...modulesOf(metafile),
  ...Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path))
]

const packagesOf = (modules: ReadonlyArray<string>): ReadonlyArray<string> =>
  [...new Set(modules.map((path) =>
    /node_modules\/((?:@[^/]+\/)?[^/]+)(?!.*node_modules)/.exec(path)?.[1] ?? /packages\/[^/]+\/src\/[^/]+/.exec(path)?.[0] ?? path
  ))].sort()

describe("The bundle of the handler", () => {
  it("consists of the edge, the tokens and jose, imports nothing, and runs on any platform", async () => {
    const { metafile } = await build({ ...neutralBundle, write: false, metafile: true })
    expect(packagesOf(everything(metafile))).toEqual(["jose", "packages/api/src/edge", "packages/api/src/tokens"])
  })

  it("stays under 40 KB", async () => {
    const { outputFiles } = await build({ ...neutralBundle, write: false })
    expect(outputFiles[0]?.contents.length).toBeLessThan(40_000)
  })
})

describe("The bundle of the entry for Node", () => {
  it("has neither SQL, AWS nor files in it", async () => {
    const { metafile } = await build({ ...edgeBundle, write: false, metafile: true })
    const found = everything(metafile)
    expect(found.filter((path) =>
      /effect\/(?:dist|src)\/(?:unstable\/)?sql|sql-pg|pglite|neondatabase|node_modules\/pg|@aws-sdk|@smithy|adapters\/src\/(?!redis)/.test(path)
    )).toEqual([])
    expect(found.filter((path) => /^(?:node:)?(?:fs|child_process|worker_threads|vm)(?:\/|$)/.test(path))).toEqual([])
  })
})
