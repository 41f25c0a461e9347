/**
 * Bundles the edge: `node src/node/bundleEdge.ts` writes `dist/edge/handler.js` (for any runtime), `dist/edge/node.js` (the program for
 * Node, nothing to install beside it) and `dist/edge/modules.json` (what is in each, in bytes).
 */
import { build, type BuildOptions } from "esbuild"
import { mkdirSync, writeFileSync } from "node:fs"
import { fileURLToPath, pathToFileURL } from "node:url"

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))
const outdir = at("../../dist/edge/")

/** The handler alone: an import of any module of Node fails the build. */
export const neutralBundle = {
  entryPoints: [at("../edge/index.ts")],
  outfile: `${outdir}handler.js`,
  bundle: true,
  minify: true,
  format: "esm",
  platform: "neutral",
  conditions: ["import"],
  mainFields: ["module", "main"],
  target: "es2024"
} as const satisfies BuildOptions

/** The program for Node; what it requires of Node stays outside. */
export const edgeBundle = {
  ...neutralBundle,
  entryPoints: [at("../edge/node.ts")],
  outfile: `${outdir}node.js`,
  platform: "node",
  // ioredis is CommonJS and requires Node's modules by a function that an ES module does not have.
  banner: { js: `import { createRequire as makeRequire } from "node:module"; const require = makeRequire(import.meta.url);` }
} as const satisfies BuildOptions

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  mkdirSync(outdir, { recursive: true })
  const modules: Record<string, Record<string, number>> = {}
  for (const options of [neutralBundle, edgeBundle]) {
    const { metafile } = await build({ ...options, metafile: true })
    for (const [name, output] of Object.entries(metafile.outputs)) {
      modules[name.slice(name.lastIndexOf("/") + 1)] = Object.fromEntries(
        Object.entries(output.inputs)
          .map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const)
          .filter(([, bytes]) => bytes > 0)
      )
    }
  }
  writeFileSync(`${outdir}modules.json`, `${JSON.stringify(modules, null, 2)}\n`)
}
