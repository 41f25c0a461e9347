#!/usr/bin/env node
// Plain JavaScript that any Node can read: it finds the Node 24 that the project brings, and runs the sources with it.
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { constants } from "node:os"
import module, { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const needed = 24
const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))
// Compiled code is kept where nobody but the owner of the checkout can write; where that cannot be written nothing is kept.
const cache = process.env.NODE_COMPILE_CACHE || fileURLToPath(new URL("../../../node_modules/.cache/lectern", import.meta.url))

if (Number(process.versions.node.split(".")[0]) >= needed) {
  module.enableCompileCache(cache)
  await import(main)
} else {
  const node = findNode()
  if (node === null) {
    console.error(
      `lectern needs Node ${needed} and was started by Node ${process.versions.node}; ` +
        "the project brings it: run `npm ci` in the checkout (without --ignore-scripts) and start it again with `npx lectern`"
    )
    process.exit(78)
  }
  const child = spawn(node, [main, ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, NODE_COMPILE_CACHE: cache }
  })
  // Whoever signals us means the child, which decides what it means. Ctrl-C reaches it twice: once more is no different.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal))
  child.on("error", (error) => {
    console.error(`Cannot start Node ${needed} at "${node}": ${error.message}`)
    process.exit(78)
  })
  child.on("exit", (code, signal) => process.exit(signal === null ? code : 128 + constants.signals[signal]))
}

function findNode() {
  try {
    const manifest = createRequire(import.meta.url).resolve("node/package.json")
    const candidate = join(dirname(manifest), "bin", process.platform === "win32" ? "node.exe" : "node")
    return existsSync(candidate) ? candidate : null
  } catch {
    return null
  }
}
