import { Context, Effect, Layer, type Scope } from "effect"
import { connect } from "node:net"
import { join } from "node:path"
import { redisAvailability, redisFolder } from "./Availability.ts"
import { HarnessError } from "./HarnessError.ts"
import { freePort } from "./ports.ts"
import { type ServerProcess, startServer } from "./ServerProcess.ts"
import { temporaryFolder } from "./TemporaryFolder.ts"

/**
 * Options of `redis-server` by their names in redis.conf, such as `{ maxmemory: "2mb" }`. The harness itself sets `port`,
 * `bind`, `dir`, `save` and `appendonly`.
 */
export type RedisOptions = Readonly<Record<string, string>>

/** Sends one command and QUIT, and returns everything that Redis said, in its own protocol. Hangs with a frozen server. */
const dial = (port: number, command: string): Effect.Effect<string, HarnessError> =>
  Effect.callback<string, HarnessError>((resume) => {
    let reply = ""
    const socket = connect({ host: "127.0.0.1", port })
    socket.setEncoding("utf8")
    socket.once("connect", () => socket.write(`${command}\r\nQUIT\r\n`))
    socket.on("data", (chunk: string) => {
      reply += chunk
    })
    socket.once("end", () => resume(Effect.succeed(reply)))
    socket.once("error", (cause) =>
      resume(Effect.fail(
        new HarnessError({ message: `Cannot ask Redis on port ${port} for ${command}: ${cause.message}`, output: reply, cause })
      )))
    return Effect.sync(() => socket.destroy())
  })

const expectReply = (port: number, command: string, expected: string): Effect.Effect<void, HarnessError> =>
  Effect.flatMap(dial(port, command), (reply) =>
    reply.includes(expected)
      ? Effect.void
      : Effect.fail(new HarnessError({ message: `Redis on port ${port} refused ${command}: ${reply.trim()}`, output: reply })))

/**
 * A Redis server of its own, without persistence: what it holds is gone after `kill` and `restart`.
 * In a test whose clock stands still it lives in real time.
 */
export class RedisServer extends Context.Service<RedisServer, ServerProcess & {
  readonly port: number
  /** `redis://127.0.0.1:PORT` */
  readonly url: string
  /** Answers when the server does; hangs while it is frozen. */
  readonly ping: Effect.Effect<void, HarnessError>
  readonly flushAll: Effect.Effect<void, HarnessError>
}>()("@lectern/harness/RedisServer") {
  static readonly availability = redisAvailability

  /** Starts a server that lives as long as the scope. */
  static readonly make = (options: RedisOptions = {}): Effect.Effect<RedisServer["Service"], HarnessError, Scope.Scope> =>
    Effect.gen(function*() {
      const folderOfPrograms = redisFolder
      if (folderOfPrograms === undefined) {
        return yield* new HarnessError({ message: "Cannot start Redis: redis-server was not found", output: "" })
      }
      const folder = yield* temporaryFolder("redis")
      const port = yield* freePort
      const settings = { ...options, port: String(port), bind: "127.0.0.1", save: "", appendonly: "no", dir: folder }
      const process = yield* startServer({
        name: "Redis",
        command: join(folderOfPrograms, "redis-server"),
        args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
        endSignal: "SIGKILL",
        // A stranger on the port would answer too: this asks for the process that was started.
        probe: (pid) => expectReply(port, "INFO server", `process_id:${pid}\r\n`)
      })
      return {
        ...process,
        port,
        url: `redis://127.0.0.1:${port}`,
        ping: expectReply(port, "PING", "+PONG"),
        flushAll: expectReply(port, "FLUSHALL SYNC", "+OK")
      }
    }).pipe(Effect.retry({ times: 2 }))

  static readonly layer = (options?: RedisOptions): Layer.Layer<RedisServer, HarnessError> =>
    Layer.effect(RedisServer, RedisServer.make(options))
}
