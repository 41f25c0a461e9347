import * as Result from "effect/Result"
import { fileURLToPath } from "node:url"
import { type Environment, readEdgeSettings } from "../edge/EdgeSettings.ts"
import { endGraceMillis } from "../edge/endGrace.ts"
import { readWorkerdSettings } from "../edge/WorkerdSettings.ts"
import { denoBundle, edgeBundle } from "./bundleEdge.ts"
import { denoArguments } from "./denoArguments.ts"
import { workerdArguments } from "./workerdArguments.ts"

const at = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

/** How a runtime is started once the bundle is there. */
export interface EdgeLaunch {
  readonly command: string
  readonly arguments: ReadonlyArray<string>
  /** Where it will listen, if it cannot say by itself what is wrong there. */
  readonly listensOn?: { readonly host: string; readonly port: number }
  /** Milliseconds that the answers in hand have at the end, if it would wait for open streams for ever. */
  readonly graceMillis?: number
}

type Faults = ReadonlyArray<string>

/** Each checks the environment, and names all of its faults. */
export const edgeLaunches = {
  deno: (env: Environment): Result.Result<EdgeLaunch, Faults> =>
    Result.flatMap(readEdgeSettings(env), (settings) =>
      Result.mapBoth(denoArguments({ ...settings, file: denoBundle.outfile }), {
        onSuccess: (args) => ({ command: at("../../../../node_modules/.bin/deno"), arguments: args }),
        onFailure: (fault) => [fault.message]
      })),
  workerd: (env: Environment): Result.Result<EdgeLaunch, Faults> =>
    Result.flatMap(readWorkerdSettings(env), (settings) =>
      Result.mapBoth(workerdArguments(settings, at("../../workerd.capnp")), {
        onSuccess: (args) => ({
          command: at("../../../../node_modules/.bin/workerd"),
          arguments: args,
          listensOn: settings.edge,
          graceMillis: endGraceMillis
        }),
        onFailure: (fault) => [fault.message]
      })),
  node: (env: Environment): Result.Result<EdgeLaunch, Faults> =>
    Result.map(readEdgeSettings(env), () => ({ command: process.execPath, arguments: [edgeBundle.outfile] }))
}

export type EdgeRuntime = keyof typeof edgeLaunches

export const isEdgeRuntime = (name: string): name is EdgeRuntime => Object.hasOwn(edgeLaunches, name)
