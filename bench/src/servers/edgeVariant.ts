/** The edge put together in another way, for `--variants`: what each part of it is worth. */
import { serve } from "@hono/node-server"
import { makeAccessLog, makeEdge, type ReadProgress } from "@lectern/api/edge"
import { makeEdgeServer } from "@lectern/api/node"
import { makeTokenVerifier } from "@lectern/api/tokens"
import { Redis } from "ioredis"
import { announce, redisUrl, secret } from "../serverProcess.ts"

const variant = process.env["BENCH_VARIANT"]
const redis = new Redis(redisUrl, { enableAutoPipelining: variant === "auto-pipelining" })

const read: ReadProgress = async (tenantId, subjects) => {
  const texts = await redis.mget(subjects.flatMap(({ _tag, id }) => {
    const stem = `tenant:${tenantId}:${_tag === "Video" ? "video" : "job"}:${id}`
    return [`${stem}:status`, `${stem}:progress`]
  }))
  return subjects.map((_, index) => ({ status: texts[2 * index] ?? null, progress: texts[2 * index + 1] ?? null }))
}

/** A verifier that has forgotten every token. */
const verifyAnew = makeTokenVerifier({ secrets: [secret], remembered: 0 })
const verify = makeTokenVerifier({ secrets: [secret] })

const edge = makeEdge({
  read,
  verify: variant === "token verified each time" ? (credentials) => verifyAnew(credentials) : verify,
  accessLog: makeAccessLog({ mode: "summary", write: (lines) => void process.stdout.write(lines) }),
  defer: variant === "no batching" || variant === "auto-pipelining" ? queueMicrotask : setImmediate
})

if (variant === "Request and Response") {
  serve({ fetch: edge.handler, port: 0, hostname: "127.0.0.1" }, announce)
} else {
  const server = makeEdgeServer(edge)
  server.listen(0, "127.0.0.1", () => announce(server.address()))
}
