/**
 * The progress API on Node: `node packages/api/src/edge/node.ts`.
 *
 * Environment: `REDIS_URL` is required, and one of `AUTH_JWT_SECRET` (HS256, 32 bytes or more), `AUTH_PUBLIC_KEY`
 * (EdDSA, Ed25519 as a PEM or 32 bytes in base64) and `AUTH_JWKS_URL` (more such keys); `AUTH_JWT_SECRET_PREVIOUS` and
 * `AUTH_PUBLIC_KEY_PREVIOUS` (accepted while the others take over), `AUTH_JWT_AUDIENCE` (tokens for anybody else are
 * refused), `HOST` (127.0.0.1), `PORT` (8790, 0 for any that is free), `CORS_ALLOWED_ORIGINS` (`*`, or origins with
 * commas between them), `ACCESS_LOG` (`summary` or `each`), `RATE_LIMIT_PER_TOKEN` and `RATE_LIMIT_PER_TENANT`
 * (requests in ten seconds; without limit by default), `EVENT_STREAMS_PER_TOKEN` (100) and `EVENT_STREAMS_PER_TENANT`
 * (5000). All faults are named at once and end the process with 78. Redis need not be there. SIGTERM and SIGINT let the
 * requests in hand end and then the process, with 0.
 */
import * as Result from "effect/Result"
import { makeEdgeServer } from "../node/EdgeServer.ts"
import { type EdgeSettings, readEdgeSettings } from "./EdgeSettings.ts"
import { makeEdgeProgram } from "./edgeProgram.ts"
import { endGraceMillis } from "./endGrace.ts"
import { edgeLogLine } from "./index.ts"
import { redisMirror } from "./redisMirror.ts"

/** EX_CONFIG of sysexits.h */
const configurationFault = 78
const flushMillis = 10_000

const serve = (settings: EdgeSettings): void => {
  const log = (lines: string): void => void process.stdout.write(lines)
  const mirror = redisMirror(settings.redisUrl)
  const { accessLog, edge } = makeEdgeProgram({ settings, mirror, log })
  const server = makeEdgeServer(edge)
  const flushing = setInterval(accessLog.flush, flushMillis)
  const stop = (): void => {
    clearInterval(flushing)
    edge.close()
    // A connection that has said nothing, or half a question, is at work in Node's eyes: it would be waited for.
    const grace = setTimeout(() => server.closeAllConnections(), endGraceMillis)
    server.close(() => {
      clearTimeout(grace)
      mirror.close()
      accessLog.flush()
    })
    server.closeIdleConnections()
  }
  process.once("SIGTERM", stop)
  process.once("SIGINT", stop)
  server.once("error", (fault) => {
    process.stderr.write(`Cannot listen on ${settings.host}:${settings.port}: ${fault.message}\n`)
    stop()
    process.exitCode = configurationFault
  })
  server.listen(settings.port, settings.host, () => {
    const address = server.address()
    const port = address !== null && typeof address === "object" ? address.port : settings.port
    process.stdout.write(edgeLogLine({
      time: Date.now(),
      level: "INFO",
      message: "listening",
      detail: { host: settings.host, port }
    }))
  })
}

Result.match(readEdgeSettings(process.env), {
  onSuccess: serve,
  onFailure: (faults) => {
    process.stderr.write(`Cannot start the edge:\n${faults.map((fault) => `  ${fault}\n`).join("")}`)
    process.exitCode = configurationFault
  }
})
