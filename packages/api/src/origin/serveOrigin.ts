/**
 * A web handler on Node's HTTP server.
 *
 * The adapter is that of `@hono/node-server`: it makes the `Request` lazily, which is what leaves a poll its speed
 * (building one for each costs almost half of it), and pipes bodies with back pressure both ways.
 */
import { createServer, type Server } from "node:http"
import { getRequestListener, RequestError } from "@hono/node-server"
import { Duration, Effect, Schema, type Scope } from "effect"

export interface ServeOriginOptions {
  /** 0 for any free port. */
  readonly port: number
  /** The address to listen on, such as `127.0.0.1`; never the name of another interface by accident. */
  readonly host: string
  readonly handler: (request: Request) => Promise<Response>
  /** How long requests in flight may take to finish when the scope closes; 20 seconds by default. */
  readonly grace?: Duration.Input
}

export interface ServedOrigin {
  readonly port: number
  /** `http://host:port`, without a slash at its end. */
  readonly url: string
}

/** The server cannot listen. `in_use`: another process has the port. */
export class ServeOriginFailed extends Schema.TaggedError<ServeOriginFailed>()("ServeOriginFailed", {
  host: Schema.String,
  port: Schema.Int,
  reason: Schema.Literals(["in_use", "not_permitted", "address_unavailable", "other"]),
  cause: Schema.Defect()
}) {
  override get message(): string {
    const why = {
      in_use: "another process listens there; stop it or choose another port",
      not_permitted: "this user may not listen there; choose a port above 1023",
      address_unavailable: "this machine has no such address",
      other: String(this.cause)
    }
    return `Cannot listen on ${this.host}:${this.port}: ${why[this.reason]}`
  }
}

/** Milliseconds for one whole request: an upload may take as long as its address is good (INCIDENTS.md, 30). */
const requestTimeout = 6 * 3600 * 1000

const refusal = (status: number, code: string, detail: string): Response =>
  Response.json({ detail, code }, { status, headers: { "access-control-allow-origin": "*" } })

const reasonOf = (cause: unknown): ServeOriginFailed["reason"] => {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined
  switch (code) {
    case "EADDRINUSE":
      return "in_use"
    case "EACCES":
      return "not_permitted"
    case "EADDRNOTAVAIL":
    case "ENOTFOUND":
      return "address_unavailable"
    default:
      return "other"
  }
}

const httpServer = (handler: ServeOriginOptions["handler"]): Server => {
  const listener = getRequestListener(handler, {
    errorHandler: (error) =>
      error instanceof RequestError
        ? refusal(400, "invalid_request", "Cannot accept the request: its address or Host header is malformed")
        : refusal(500, "internal_error", "Something went wrong here")
  })
  const server = createServer({ requestTimeout }, (incoming, outgoing) => {
    // Connections are kept alive: when the server is closing, one is idle only once its answer is out.
    outgoing.once("close", () => {
      if (!server.listening) server.closeIdleConnections()
    })
    void listener(incoming, outgoing)
  })
  server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
    if (error.code === "ECONNRESET" || !socket.writable) return
    const [status, detail] = error.code === "HPE_HEADER_OVERFLOW"
      ? ["431 Request Header Fields Too Large", "Cannot accept the request: its headers are too large"]
      : ["400 Bad Request", "Cannot accept the request: it is no valid HTTP"]
    const body = `{"detail":"${detail}","code":"invalid_request"}`
    socket.end(
      `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\n` +
        `Access-Control-Allow-Origin: *\r\nConnection: close\r\n\r\n${body}`
    )
  })
  return server
}

const close = (server: Server): Effect.Effect<void> =>
  Effect.callback<void>((resume) => {
    server.close(() => resume(Effect.void))
    server.closeIdleConnections()
  })

/**
 * Listens until its scope closes. Then it takes no more connections, lets requests in flight finish within `grace`, and
 * cuts those that do not.
 */
export const serveOrigin = (
  options: ServeOriginOptions
): Effect.Effect<ServedOrigin, ServeOriginFailed, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<Server, ServeOriginFailed>((resume) => {
      const server = httpServer(options.handler)
      const failed = (cause: Error) =>
        resume(Effect.fail(
          new ServeOriginFailed({ host: options.host, port: options.port, reason: reasonOf(cause), cause })
        ))
      server.once("error", failed)
      server.listen(options.port, options.host, () => {
        server.off("error", failed)
        resume(Effect.succeed(server))
      })
    }),
    (server) =>
      close(server).pipe(
        Effect.timeoutOption(options.grace ?? Duration.seconds(20)),
        Effect.tap((finished) =>
          finished._tag === "Some"
            ? Effect.void
            : Effect.andThen(
              Effect.logWarning("Requests that did not finish in time were cut"),
              Effect.sync(() => server.closeAllConnections())
            )
        )
      )
  ).pipe(Effect.map((server) => {
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : options.port
    const host = options.host.includes(":") ? `[${options.host}]` : options.host
    return { port, url: `http://${host}:${port}` }
  }))
