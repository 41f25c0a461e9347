import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http"
import type { Edge, EdgeAnswer, OpenEvents } from "../edge/index.ts"

const headerOf = (value: string | ReadonlyArray<string> | undefined): string | null =>
  value === undefined ? null : typeof value === "string" ? value : value.join(", ")

/** Starts a stream of events on a connection that is still there. */
const stream = (response: ServerResponse, open: OpenEvents): void => {
  if (response.destroyed) return
  const close = open({
    write: (text) => {
      response.write(text)
      return response.writableLength
    },
    end: () => void response.end(),
    cut: () => void response.destroy()
  })
  response.once("close", close)
}

/** With a length of its own: Node would send a body that follows `writeHead` in chunks. */
const send = (response: ServerResponse, { body, events, headers, status }: EdgeAnswer): void => {
  if (events !== undefined) {
    response.writeHead(status, headers)
    stream(response, events)
    return
  }
  if (body === null) {
    response.writeHead(status, headers)
    response.end()
    return
  }
  response.writeHead(status, { ...headers, "content-length": Buffer.byteLength(body) })
  response.end(body)
}

const healthy: EdgeAnswer = {
  status: 200,
  headers: { "content-type": "application/json; charset=utf-8", "cache-control": "no-store" },
  body: `{"status":"ok"}`
}

const answer = async (edge: Edge, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { headers, method = "GET", url = "/" } = request
  const isHealth = url === "/healthz" && (method === "GET" || method === "HEAD")
  const answered = isHealth ? healthy : await edge.answer({
    method,
    url,
    authorization: headers.authorization ?? null,
    tenantCode: headerOf(headers["x-tenant-code"]),
    origin: headerOf(headers.origin),
    ifNoneMatch: headerOf(headers["if-none-match"]),
    lastEventId: headerOf(headers["last-event-id"])
  })
  send(response, answered)
}

/**
 * The edge on Node, straight on `node:http`: a `Request` and a `Response` for every poll cost a tenth and more
 * (docs/decisions/0003-edge-handler.md). `/healthz` answers without touching anything.
 *
 * A connection that says nothing is closed after 10 seconds, headers of over 8 KB are refused by Node with 431.
 */
export const makeEdgeServer = (edge: Edge): Server =>
  createServer(
    { maxHeaderSize: 8_192, headersTimeout: 10_000, requestTimeout: 10_000, keepAliveTimeout: 65_000, noDelay: true },
    (request, response) => {
      // No question has a body; one that comes all the same is not kept.
      request.resume()
      void answer(edge, request, response)
    }
  )
