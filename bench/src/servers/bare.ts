/** The yardstick: `node:http` and one GET of ioredis. It decodes nothing, checks no token and logs nothing. */
import { Redis } from "ioredis"
import { createServer } from "node:http"
import { announce, redisUrl, videoIdOf } from "../serverProcess.ts"

const redis = new Redis(redisUrl)

const server = createServer((request, response) => {
  const id = videoIdOf(request.url ?? "")
  redis.mget(`tenant:7:video:${id}:status`, `tenant:7:video:${id}:progress`).then(
    ([status, progress]) => {
      const body = `{"id":${id},"status":${status ?? "null"},"progress":${progress ?? "null"}}`
      // Without a length of its own the body would go in chunks, which is slower: the yardstick is the best of its kind.
      response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) })
      response.end(body)
    },
    () => {
      response.writeHead(503)
      response.end()
    }
  )
})
server.listen(0, "127.0.0.1", () => announce(server.address()))
