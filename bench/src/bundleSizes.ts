/** What is deployed of the edge, and what a page loads of the client, raw and as a server sends it. */
import { build } from "esbuild"
import { execFileSync } from "node:child_process"
import { readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { gzipSync } from "node:zlib"

const at = (path: string): string => fileURLToPath(new URL(`../../packages/api/${path}`, import.meta.url))

const print = (name: string, contents: Uint8Array): void => {
  const kilobytes = (bytes: number): string => (bytes / 1_000).toFixed(1).padStart(8)
  console.log(`${name.padEnd(26)}${kilobytes(contents.length)} KB${kilobytes(gzipSync(contents).length)} KB gzipped`)
}

/** Writes the programs of the edge, as they are deployed. */
export const bundleEdge = (): void => {
  execFileSync(process.execPath, [at("src/node/bundleEdge.ts")], { stdio: ["ignore", "ignore", "inherit"] })
}

/** After {@link bundleEdge}. */
export const printBundleSizes = async (): Promise<void> => {
  console.log("\nBundles, minified\n")
  print("edge on Node", readFileSync(at("dist/edge/node.js")))
  print("edge on Deno", readFileSync(at("dist/edge/deno.js")))
  print("edge on workerd", readFileSync(at("dist/edge/workerd.js")))
  print("edge without Redis", readFileSync(at("dist/edge/handler.js")))
  const { outputFiles } = await build({
    entryPoints: [at("src/client/index.ts")],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    write: false
  })
  for (const { contents } of outputFiles) print("client", contents)
}
