import { Effect, type Scope } from "effect"
import { createServer, type IncomingMessage, request as send, type Server, type ServerResponse } from "node:http"
import { buffer } from "node:stream/consumers"
import { HarnessError } from "./HarnessError.ts"

/** A request that came through, by what a test asks of it. */
export interface S3Request {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  readonly range: string | undefined
  /** The version that a write demands: an ETag to match, `"*"` for none at all. */
  readonly demands: string | undefined
}

interface OpenUpload {
  readonly path: string
  readonly begunAt: string
  readonly parts: Map<number, { readonly etag: string; readonly size: number }>
}

/** A write that waits before the gate. */
export interface HeldWrite {
  readonly arrived: Effect.Effect<void>
  /** Lets it through: the status that it is answered with, whether or not anybody listens. */
  readonly letGo: Effect.Effect<number>
}

export interface S3Gate {
  readonly url: string
  /** What came so far, in its order. */
  readonly requests: Effect.Effect<ReadonlyArray<S3Request>>
  /** Lets so many bytes of each of the next `count` answers to a GET through and cuts the connection then. */
  readonly cutAnswers: (count: number, afterBytes: number) => Effect.Effect<void>
  /** Cuts the connection of each of the next `count` uploads of a part, once its body is there. */
  readonly cutParts: (count: number) => Effect.Effect<void>
  /** Cuts the connection of each of the next `count` writes with a condition, once the object is written. */
  readonly loseAnswers: (count: number) => Effect.Effect<void>
  /** Holds the next write with a condition to a path that ends so. */
  readonly hold: (ending: string) => Effect.Effect<HeldWrite>
  /** Answers each of the next `count` writes with a condition that somebody else is writing the object. */
  readonly conflict: (count: number) => Effect.Effect<void>
}

/** So many entries are in one page of a list, so that a short test turns pages. */
const pageSize = 2

const element = (xml: string, name: string): string => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1] ?? ""

const answer = (response: ServerResponse, status: number, body: string): void => {
  response.writeHead(status, { "content-type": "application/xml" })
  response.end(`<?xml version="1.0" encoding="UTF-8"?>${body}`)
}

const refuse = (response: ServerResponse, status: number, code: string): void =>
  answer(response, status, `<Error><Code>${code}</Code><Message>The gate refuses</Message></Error>`)

const keyOf = (path: string): string => decodeURIComponent(path.split("/").slice(2).join("/"))

const partsPage = (upload: OpenUpload, marker: number): string => {
  const left = [...upload.parts].filter(([number]) => number > marker).sort(([one], [other]) => one - other)
  const shown = left.slice(0, pageSize)
  const parts = shown.map(([number, { etag, size }]) =>
    `<Part><PartNumber>${number}</PartNumber><ETag>${etag}</ETag><Size>${size}</Size></Part>`)
  return `<ListPartsResult><IsTruncated>${left.length > pageSize}</IsTruncated>` +
    `<NextPartNumberMarker>${shown.at(-1)?.[0] ?? 0}</NextPartNumberMarker>${parts.join("")}</ListPartsResult>`
}

const uploadsPage = (uploads: ReadonlyMap<string, OpenUpload>, prefix: string, marker: string): string => {
  const left = [...uploads]
    .map(([id, { begunAt, path }]) => ({ id, begunAt, key: keyOf(path) }))
    .filter(({ id, key }) => key.startsWith(prefix) && `${key}\n${id}` > marker)
    .sort((one, other) => `${one.key}\n${one.id}` < `${other.key}\n${other.id}` ? -1 : 1)
  const shown = left.slice(0, pageSize)
  const last = shown.at(-1)
  return `<ListMultipartUploadsResult><IsTruncated>${left.length > pageSize}</IsTruncated>` +
    `<NextKeyMarker>${last?.key ?? ""}</NextKeyMarker><NextUploadIdMarker>${last?.id ?? ""}</NextUploadIdMarker>` +
    shown.map(({ begunAt, id, key }) =>
      `<Upload><Key>${key}</Key><UploadId>${id}</UploadId><Initiated>${begunAt}</Initiated></Upload>`
    ).join("") + "</ListMultipartUploadsResult>"
}

const demandOf = ({ headers }: IncomingMessage): string | undefined => headers["if-match"] ?? headers["if-none-match"]

/**
 * What a write with a condition is answered that does not hold, as S3 documents it (User Guide, "Conditional write
 * behavior"): 412 for another version, 404 where `If-Match` finds none. `null`: the condition holds.
 */
const refusalOf = ({ headers }: IncomingMessage, etag: string | null): readonly [status: number, code: string] | null =>
  headers["if-none-match"] === "*"
    ? etag === null ? null : [412, "PreconditionFailed"]
    : etag === null
    ? [404, "NoSuchKey"]
    : headers["if-match"] === etag
    ? null
    : [412, "PreconditionFailed"]

/**
 * A proxy before an S3 server (path style) that cuts or holds what a test wants it to, and answers what `fauxqs` lacks:
 * the lists of open uploads and of their parts, from what came through, and the conditions of PutObject. An upload is
 * known under its own key alone. Conditions hold among the requests that come through here.
 */
export const makeS3Gate = (target: string): Effect.Effect<S3Gate, HarnessError, Scope.Scope> =>
  Effect.gen(function*() {
    const requests: Array<S3Request> = []
    const uploads = new Map<string, OpenUpload>()
    let cutAnswers = { count: 0, afterBytes: 0 }
    let cutParts = 0
    let loseAnswers = 0
    let conflicts = 0
    let held: {
      readonly ending: string
      readonly arrived: () => void
      readonly letGo: Promise<void>
      readonly answered: (status: number) => void
    } | null = null
    /** The last change of each object: the next one waits for it. */
    const changes = new Map<string, Promise<unknown>>()

    const inTurn = <A>(path: string, change: () => Promise<A>): Promise<A> => {
      const turn = (changes.get(path) ?? Promise.resolve()).then(change, change)
      changes.set(path, turn)
      return turn
    }

    const etagOf = (path: string): Promise<string | null> =>
      fetch(new URL(path, target), { method: "HEAD" }).then(({ headers, status }) =>
        status === 404 ? null : headers.get("etag")
      )

    const forward = (request: IncomingMessage, body: Buffer): Promise<{ readonly from: IncomingMessage; readonly body: Buffer }> =>
      new Promise((resolve, reject) => {
        const onward = send(
          new URL(request.url ?? "/", target),
          { method: request.method ?? "GET", headers: request.headers },
          (from) => {
            buffer(from).then((answered) => resolve({ from, body: answered }), reject)
          }
        )
        onward.on("error", reject)
        onward.end(body)
      })

    const note = (path: string, query: URLSearchParams, method: string, sent: Buffer, from: IncomingMessage, body: Buffer): void => {
      if (from.statusCode !== 200 && from.statusCode !== 204) return
      const id = query.get("uploadId")
      if (method === "POST" && query.has("uploads")) {
        uploads.set(element(body.toString(), "UploadId"), { path, begunAt: new Date().toISOString(), parts: new Map() })
      } else if (id !== null && method === "PUT") {
        uploads.get(id)?.parts.set(Number(query.get("partNumber")), { etag: from.headers.etag ?? "", size: sent.length })
      } else if (id !== null) {
        uploads.delete(id)
      }
    }

    const serveCondition = async (
      request: IncomingMessage,
      response: ServerResponse,
      path: string,
      sent: Buffer
    ): Promise<void> => {
      if (conflicts > 0) {
        conflicts -= 1
        return refuse(response, 409, "ConditionalRequestConflict")
      }
      const refusal = refusalOf(request, await etagOf(path))
      if (refusal !== null) return refuse(response, ...refusal)
      const { body, from } = await forward(request, sent)
      if (loseAnswers > 0) {
        loseAnswers -= 1
        response.destroy()
        return
      }
      response.writeHead(from.statusCode ?? 502, from.headers)
      response.end(body)
    }

    const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
      const { pathname: path, searchParams: query } = new URL(request.url ?? "/", target)
      const method = request.method ?? "GET"
      requests.push({ method, path, query, range: request.headers.range, demands: demandOf(request) })
      const sent = await buffer(request)
      const id = query.get("uploadId")
      const upload = id === null ? undefined : uploads.get(id)
      if (id !== null && upload?.path !== path) {
        refuse(response, 404, "NoSuchUpload")
      } else if (method === "GET" && upload !== undefined) {
        answer(response, 200, partsPage(upload, Number(query.get("part-number-marker") ?? 0)))
      } else if (method === "GET" && query.has("uploads")) {
        const marker = `${query.get("key-marker") ?? ""}\n${query.get("upload-id-marker") ?? ""}`
        answer(response, 200, uploadsPage(uploads, query.get("prefix") ?? "", marker))
      } else if (method === "PUT" && upload !== undefined && cutParts > 0) {
        cutParts -= 1
        response.destroy()
      } else if (method === "PUT" && demandOf(request) !== undefined) {
        const hold = held !== null && path.endsWith(held.ending) ? held : null
        if (hold !== null) {
          held = null
          hold.arrived()
          await hold.letGo
        }
        await inTurn(path, () => serveCondition(request, response, path, sent))
        if (hold !== null) hold.answered(response.statusCode)
      } else {
        const change = () => forward(request, sent)
        const { body, from } = await (method === "PUT" || method === "DELETE" ? inTurn(path, change) : change())
        note(path, query, method, sent, from, body)
        response.writeHead(from.statusCode ?? 502, from.headers)
        if (method === "GET" && cutAnswers.count > 0 && body.length > cutAnswers.afterBytes) {
          cutAnswers = { ...cutAnswers, count: cutAnswers.count - 1 }
          response.write(body.subarray(0, cutAnswers.afterBytes), () => response.destroy())
        } else {
          response.end(body)
        }
      }
    }

    const server = yield* Effect.acquireRelease(
      Effect.callback<Server, HarnessError>((resume) => {
        const made = createServer((request, response) => {
          serve(request, response).catch(() => response.destroy())
        })
        made.once("error", (cause) =>
          resume(Effect.fail(new HarnessError({ message: `Cannot start the gate: ${cause.message}`, output: "", cause }))))
        made.listen(0, "127.0.0.1", () => resume(Effect.succeed(made)))
      }),
      (made) =>
        Effect.callback<void>((resume) => {
          made.closeAllConnections()
          made.close(() => resume(Effect.void))
        })
    )
    const address = server.address()
    if (typeof address !== "object" || address === null) {
      return yield* new HarnessError({ message: "The gate has no port", output: "", cause: null })
    }
    return {
      url: `http://127.0.0.1:${address.port}`,
      requests: Effect.sync(() => [...requests]),
      cutAnswers: (count, afterBytes) =>
        Effect.sync(() => {
          cutAnswers = { count, afterBytes }
        }),
      cutParts: (count) =>
        Effect.sync(() => {
          cutParts = count
        }),
      loseAnswers: (count) =>
        Effect.sync(() => {
          loseAnswers = count
        }),
      hold: (ending) =>
        Effect.sync(() => {
          const arrived = Promise.withResolvers<void>()
          const letGo = Promise.withResolvers<void>()
          const answered = Promise.withResolvers<number>()
          held = { ending, arrived: arrived.resolve, letGo: letGo.promise, answered: answered.resolve }
          return {
            arrived: Effect.promise(() => arrived.promise),
            letGo: Effect.promise(() => {
              letGo.resolve()
              return answered.promise
            })
          }
        }),
      conflict: (count) =>
        Effect.sync(() => {
          conflicts = count
        })
    }
  })
