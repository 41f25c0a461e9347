/**
 * Runs the edge on one of its runtimes: `node src/node/runEdge.ts deno | workerd | node`, which `npm run edge:<runtime>` does.
 *
 * Checks the environment, bundles, and becomes the runtime: there is no process in between that could die and leave it, or
 * keep a signal from it. Faults of the environment are named all at once, before anything is started, and end this with 78.
 */
import * as Result from "effect/Result"
import { execFileSync } from "node:child_process"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { readEdgeSettings } from "../edge/EdgeSettings.ts"
import { readWorkerdSettings } from "../edge/WorkerdSettings.ts"
import { denoBundle, edgeBundle } from "./bundleEdge.ts"
import { denoArguments } from "./denoArguments.ts"
import { workerdArguments } from "./workerdArguments.ts"

/** EX_USAGE and EX_CONFIG of sysexits.h */
const usageFault = 64
const configurationFault = 78

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

interface Launch {
  readonly command: string
  readonly arguments: ReadonlyArray<string>
}

type Faults = ReadonlyArray<string>

/** Each checks the environment, and says how its runtime is started once the bundle is there. */
const runtimes = {
  deno: (): Result.Result<Launch, Faults> =>
    Result.flatMap(readEdgeSettings(process.env), (settings) =>
      Result.mapBoth(denoArguments({ ...settings, file: denoBundle.outfile }), {
        onSuccess: (args) => ({ command: at("../../../../node_modules/.bin/deno"), arguments: args }),
        onFailure: (fault) => [fault.message]
      })),
  workerd: (): Result.Result<Launch, Faults> =>
    Result.flatMap(readWorkerdSettings(process.env), (settings) =>
      Result.mapBoth(workerdArguments(settings, at("../../workerd.capnp")), {
        onSuccess: (args) => ({ command: at("../../../../node_modules/.bin/workerd"), arguments: args }),
        onFailure: (fault) => [fault.message]
      })),
  node: (): Result.Result<Launch, Faults> =>
    Result.map(readEdgeSettings(process.env), () => ({ command: process.execPath, arguments: [edgeBundle.outfile] }))
}

const isRuntime = (name: string): name is keyof typeof runtimes => Object.hasOwn(runtimes, name)

const refuse = (code: number, message: string): void => {
  process.stderr.write(message)
  process.exitCode = code
}

const run = (name: keyof typeof runtimes): void => {
  const planned = runtimes[name]()
  if (Result.isFailure(planned)) {
    return refuse(configurationFault, `Cannot start the edge:\n${planned.failure.map((fault) => `  ${fault}\n`).join("")}`)
  }
  const { arguments: args, command } = planned.success
  if (!existsSync(command)) {
    return refuse(configurationFault, `Cannot start the edge: ${command} is not there; run \`npm ci\` without --ignore-scripts\n`)
  }
  if (process.execve === undefined) return refuse(configurationFault, "Cannot start the edge: this needs Linux or macOS\n")
  // A process of its own: the bundler's helper would stay behind as a child of the runtime.
  execFileSync(process.execPath, [at("bundleEdge.ts"), name], { stdio: ["ignore", "inherit", "inherit"] })
  process.execve(command, [command, ...args], { ...process.env, DENO_NO_UPDATE_CHECK: "1" })
}

const name = process.argv[2] ?? ""
if (isRuntime(name)) run(name)
else refuse(usageFault, `Cannot start the edge on "${name}": the runtimes are ${Object.keys(runtimes).join(", ")}\n`)
