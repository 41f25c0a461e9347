#!/usr/bin/env node
// Plain JavaScript that any Node can read: it finds the Node 24 that the project brings, and runs the sources with it.
import { spawn } from "node:child_process"
import { existsSync } from "node:fs"
import { createRequire } from "node:module"
import { dirname, join } from "node:path"
import { fileURLToPath } from "node:url"

const needed = 24
const main = fileURLToPath(new URL("../src/main.ts", import.meta.url))

if (Number(process.versions.node.split(".")[0]) >= needed) {
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
  const child = spawn(node, [main, ...process.argv.slice(2)], { stdio: "inherit" })
  const forward = (signal) => process.on(signal, () => child.kill(signal))
  // The terminal sends Ctrl-C to both of us: the child decides what it means, and we leave as it leaves.
  process.on("SIGINT", () => {})
  forward("SIGTERM")
  forward("SIGHUP")
  child.on("error", (error) => {
    console.error(`Cannot start Node ${needed} at "${node}": ${error.message}`)
    process.exit(78)
  })
  child.on("exit", (code, signal) => {
    if (signal !== null) process.kill(process.pid, signal)
    else process.exit(code ?? 1)
  })
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
