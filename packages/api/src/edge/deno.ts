/**
 * The progress API on Deno and Deno Deploy: `npm run edge:deno`, or, from the bundle,
 *
 *     deno run --no-prompt --allow-net=<HOST>:<PORT>,<Redis> --allow-env=<edgeVariables> dist/edge/deno.js
 *
 * These permissions and no others; the host of `AUTH_JWKS_URL` besides, where that is set. The environment is that of
 * the entry for Node, and so is the rest: all faults are named at once and end the process with 78, Redis need not be
 * there, SIGTERM and SIGINT let the requests in hand end.
 */
import * as Result from "effect/Result"
import type { DenoRuntime } from "./DenoRuntime.ts"
import { type EdgeSettings, readEdgeSettings } from "./EdgeSettings.ts"
import { makeEdgeProgram } from "./edgeProgram.ts"
import { edgeVariables } from "./edgeVariables.ts"
import { endGraceMillis } from "./endGrace.ts"
import { edgeLogLine } from "./index.ts"
import { redisMirror } from "./redisMirror.ts"
import { withHealth } from "./webEntry.ts"

declare const Deno: DenoRuntime

/** EX_CONFIG of sysexits.h */
const configurationFault = 78
const flushMillis = 10_000

const encoder = new TextEncoder()

const write = (output: DenoRuntime["stdout"], text: string): void => {
  let rest = encoder.encode(text)
  while (rest.length > 0) rest = rest.subarray(output.writeSync(rest))
}

const refuse = (message: string): never => {
  write(Deno.stderr, message)
  return Deno.exit(configurationFault)
}

const serve = (settings: EdgeSettings): void => {
  const { host, port, redisUrl } = settings
  const log = (lines: string): void => write(Deno.stdout, lines)
  const mirror = redisMirror(redisUrl)
  const { accessLog, edge } = makeEdgeProgram({ settings, mirror, log })

  const listen = (): ReturnType<DenoRuntime["serve"]> => {
    try {
      return Deno.serve({
        hostname: host,
        port,
        onListen: (address) =>
          log(edgeLogLine({ time: Date.now(), level: "INFO", message: "listening", detail: { host, port: address.port } }))
      }, withHealth(edge.handler))
    } catch (fault) {
      return refuse(`Cannot listen on ${host}:${port}: ${fault instanceof Error ? fault.message : String(fault)}\n`)
    }
  }

  const server = listen()
  setInterval(accessLog.flush, flushMillis)
  let isStopping = false
  const stop = async (): Promise<void> => {
    if (isStopping) return
    isStopping = true
    // A stream of events has no end of its own: the shutdown would wait for it.
    edge.close()
    // Nor has who does not read what he was sent.
    await Promise.race([server.shutdown(), new Promise((resolve) => setTimeout(resolve, endGraceMillis))])
    mirror.close()
    accessLog.flush()
    // The listeners of signals would keep the process alive.
    Deno.exit(0)
  }
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, () => void stop())
}

Result.match(readEdgeSettings(Object.fromEntries(edgeVariables.map((name) => [name, Deno.env.get(name)]))), {
  onSuccess: serve,
  onFailure: (faults) => refuse(`Cannot start the edge:\n${faults.map((fault) => `  ${fault}\n`).join("")}`)
})
