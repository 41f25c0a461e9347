/**
 * Runs the edge on one of its runtimes: `node src/node/runEdge.ts deno | workerd | node`, which `npm run
 * edge:<runtime>` does.
 *
 * Checks the environment, bundles, and becomes the runtime: there is no process in between that could die and leave it,
 * or keep a signal from it. workerd alone runs beneath this one, for it would wait for open streams for ever. Faults of
 * the environment are named all at once, before anything is started, and end this with 78.
 */
import * as Result from "effect/Result"
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { edgeLaunches, type EdgeRuntime, isEdgeRuntime } from "./edgeLaunches.ts"
import { listenFault } from "./listenFault.ts"
import { runWithGrace } from "./runWithGrace.ts"

/** EX_USAGE and EX_CONFIG of sysexits.h */
const usageFault = 64
const configurationFault = 78

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

const refuse = (code: number, message: string): void => {
  process.stderr.write(message)
  process.exitCode = code
}

const run = async (name: EdgeRuntime): Promise<void> => {
  const planned = edgeLaunches[name](process.env)
  if (Result.isFailure(planned)) {
    return refuse(configurationFault, `Cannot start the edge:\n${planned.failure.map((fault) => `  ${fault}\n`).join("")}`)
  }
  const { arguments: args, command, graceMillis, listensOn } = planned.success
  const fault = listensOn === undefined ? null : await listenFault(listensOn)
  if (fault !== null) return refuse(configurationFault, `${fault}\n`)
  if (!existsSync(command)) {
    return refuse(configurationFault, `Cannot start the edge: ${command} is not there; run \`npm ci\` without --ignore-scripts\n`)
  }
  if (process.execve === undefined) return refuse(configurationFault, "Cannot start the edge: this needs Linux or macOS\n")
  // A process of its own: the bundler's helper would stay behind as a child of the runtime.
  execFileSync(process.execPath, [at("bundleEdge.ts"), name], { stdio: ["ignore", "inherit", "inherit"] })
  const env = { ...process.env, DENO_NO_UPDATE_CHECK: "1" }
  if (graceMillis === undefined) process.execve(command, [command, ...args], env)
  else process.exitCode = await runWithGrace({ command, arguments: args, env, graceMillis })
}

const name = process.argv[2] ?? ""
if (isEdgeRuntime(name)) await run(name)
else refuse(usageFault, `Cannot start the edge on "${name}": the runtimes are ${Object.keys(edgeLaunches).join(", ")}\n`)
