/**
 * Bundles the edge: `node src/node/bundleEdge.ts` writes into `dist/edge/`; names after it, such as `deno`, write these programs alone.
 *
 * - `handler.js`, the handler for any runtime;
 * - `node.js`, `deno.js` and `workerd.js`, the programs for these runtimes, with nothing to install beside them;
 * - `modules.json`, what is in each, in bytes.
 */
import { build, type BuildOptions, type Metafile } from "esbuild"
import { mkdirSync, renameSync, writeFileSync } from "node:fs"
import { fileURLToPath, pathToFileURL } from "node:url"
import { builtinImports } from "./builtinImports.ts"

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

/** The program for Deno. What ioredis needs of Node stays outside, as imports that Deno has. */
export const denoBundle = {
  ...neutralBundle,
  entryPoints: [at("../edge/deno.ts")],
  outfile: `${outdir}deno.js`,
  alias: { debug: at("../edge/debugStub.ts") },
  plugins: [builtinImports]
} as const satisfies BuildOptions

/** The program for workerd and Cloudflare. */
export const workerdBundle = {
  ...denoBundle,
  entryPoints: [at("../edge/workerd.ts")],
  outfile: `${outdir}workerd.js`,
  conditions: ["workerd", "worker", "import"],
  external: ["cloudflare:*"]
} as const satisfies BuildOptions

/** The programs, by their runtimes. */
export const edgePrograms = { node: edgeBundle, deno: denoBundle, workerd: workerdBundle } as const

/** Writes one bundle, in one step: a program that starts meanwhile never reads half of it. */
const writeBundle = async (options: BuildOptions): Promise<Metafile> => {
  const { metafile, outputFiles } = await build({ ...options, write: false, metafile: true })
  for (const { contents, path } of outputFiles) {
    const unfinished = `${path}.${process.pid}`
    writeFileSync(unfinished, contents)
    renameSync(unfinished, path)
  }
  return metafile
}

const sizesOf = (metafile: Metafile): Record<string, Record<string, number>> =>
  Object.fromEntries(Object.entries(metafile.outputs).map(([name, { inputs }]) => [
    name.slice(name.lastIndexOf("/") + 1),
    Object.fromEntries(
      Object.entries(inputs)
        .map(([path, { bytesInOutput }]) => [path, bytesInOutput] as const)
        .filter(([, bytes]) => bytes > 0)
    )
  ]))

const isProgram = (name: string): name is keyof typeof edgePrograms => Object.hasOwn(edgePrograms, name)

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  mkdirSync(outdir, { recursive: true })
  const wanted = process.argv.slice(2)
  for (const name of wanted) {
    if (!isProgram(name)) throw new Error(`Cannot bundle "${name}": the programs are ${Object.keys(edgePrograms).join(", ")}`)
    await writeBundle(edgePrograms[name])
  }
  if (wanted.length === 0) {
    let sizes = {}
    for (const options of [neutralBundle, ...Object.values(edgePrograms)]) {
      sizes = { ...sizes, ...sizesOf(await writeBundle(options)) }
    }
    writeFileSync(`${outdir}modules.json`, `${JSON.stringify(sizes, null, 2)}\n`)
  }
}
