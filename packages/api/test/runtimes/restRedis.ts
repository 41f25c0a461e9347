/** A Redis behind HTTP, in the form of Upstash: it hands each command to a real Redis, and answers as that one does. */
import { makeLazyRedis } from "@lectern/adapters/redis"
import { Effect, Schema } from "effect"
import { createServer, type IncomingMessage } from "node:http"

export const restToken = "the read-only token of the tests"

const Command = Schema.Array(Schema.Union([Schema.String, Schema.Int]))
const decodeCommand = Schema.decodeUnknownPromise(Schema.fromJsonString(Command))
const decodeCommands = Schema.decodeUnknownPromise(Schema.fromJsonString(Schema.Array(Command)))

const textOf = async (request: IncomingMessage): Promise<string> => {
  const chunks: Array<Buffer> = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks).toString("utf8")
}

/** Its address; it ends with the scope. */
export const restRedis = (redisUrl: string) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<{ readonly address: string; readonly close: () => void }>((resume) => {
        const redis = makeLazyRedis(redisUrl)
        const call = ([name = "", ...parts]: typeof Command.Type): Promise<unknown> =>
          redis.use((client) => client.call(String(name), ...parts))
        const run = async (request: IncomingMessage): Promise<{ readonly status: number; readonly answer: unknown }> => {
          if (request.headers.authorization !== `Bearer ${restToken}`) return { status: 401, answer: { error: "Unauthorized" } }
          try {
            const text = await textOf(request)
            if (request.url !== "/pipeline") return { status: 200, answer: { result: await call(await decodeCommand(text)) } }
            const results = await Promise.all((await decodeCommands(text)).map(call))
            return { status: 200, answer: results.map((result) => ({ result })) }
          } catch (fault) {
            return { status: 500, answer: { error: String(fault) } }
          }
        }
        const server = createServer((request, response) => {
          void run(request).then(({ answer, status }) => {
            response.writeHead(status, { "content-type": "application/json" })
            response.end(JSON.stringify(answer))
          })
        })
        server.listen(0, "127.0.0.1", () => {
          const address = server.address()
          const port = address !== null && typeof address === "object" ? address.port : 0
          resume(Effect.succeed({
            address: `http://127.0.0.1:${port}`,
            close: () => {
              redis.close()
              server.close()
              server.closeAllConnections()
            }
          }))
        })
      }),
      ({ close }) => Effect.sync(close)
    ),
    ({ address }) => address
  )
