/**
 * The object store's own addresses on this machine, in place of S3's presigned ones: upload, download and playback,
 * each granted by a signed token in its path. They exist where the store is a folder; with S3 the browser talks to S3.
 */
import { Clock, Effect, type Layer, Option, Schema, Stream } from "effect"
import { HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { attachment, ObjectGrants, type PartGrant } from "@lectern/adapters/files"
import { type ObjectHead, ObjectStore, type ObjectStoreUnavailable } from "@lectern/domain"
import { byteRange } from "./byteRange.ts"
import { refusalResponse } from "./errorResponse.ts"
import { primedStream } from "./primedStream.ts"

/** Bytes of one PUT, as S3 takes them (INCIDENTS.md, 30). */
export const maxObjectBytes = 5 * 1024 ** 3

/**
 * Objects up to so many bytes are read before they are announced: a playlist may be replaced between the look at its
 * length and the reading of it.
 */
const maxWholeBytes = 256 * 1024

class ObjectRefused extends Schema.TaggedError<ObjectRefused>()("ObjectRefused", {
  status: Schema.Int,
  code: Schema.String,
  detail: Schema.String
}) {
  override get message(): string {
    return this.detail
  }
}

const refuse = (status: number, code: string, detail: string) => new ObjectRefused({ status, code, detail })

const notFound = refuse(404, "object_not_found", "There is no such object")

const bodyEndedEarly = refuse(400, "invalid_body", "Cannot store the object: the body ended too early")

/** Bytes of a body that is to be stored. */
const announcedSize = Effect.fnUntraced(function*(announced: string | undefined) {
  if (announced === undefined || !/^\d{1,16}$/.test(announced)) {
    return yield* refuse(411, "length_required", "Cannot store the object: the request has no Content-Length")
  }
  const size = Number(announced)
  return size <= maxObjectBytes
    ? size
    : yield* refuse(413, "body_too_large", "Cannot store the object: it is larger than 5 GiB")
})

const away = (action: string) => (error: ObjectStoreUnavailable) =>
  Effect.logError("A request failed because the object store is away", {
    action,
    error: error.message,
    cause: String(error.cause)
  }).pipe(
    Effect.andThen(Effect.fail(
      refuse(503, "objects_unavailable", `Cannot ${action}: the object store is unavailable; try again later`)
    ))
  )

const answer = ({ status, code, detail }: ObjectRefused) => Effect.succeed(refusalResponse(status, code, detail))

/**
 * Whether a path names a file in a folder, and no other place; what is more than the store's longest key is no name.
 */
const isName = (path: string): boolean =>
  path.length <= 800 && /^[\x20-\x7e]+$/.test(path) && !path.includes("\\") &&
  path.split("/").every((part) => part !== "" && part !== "." && part !== "..")

const isPlaylist = (key: string): boolean => key.endsWith(".m3u8")

export const layer: Layer.Layer<never, never, HttpRouter.HttpRouter | ObjectStore> = HttpRouter.use(
  Effect.fnUntraced(function*(router) {
    const found = yield* Effect.serviceOption(ObjectGrants)
    if (Option.isNone(found)) return
    const grants = found.value
    const objects = yield* ObjectStore

    const addressRefused = refuse(403, "address_refused", "This address is not valid for this, or not any more")

    /** What the token in the path grants. */
    const granted = Effect.gen(function*() {
      const params = yield* HttpRouter.params
      const now = yield* Clock.currentTimeMillis
      return yield* grants.verify(params["token"] ?? "", now).pipe(
        Effect.catchTag("GrantRefused", () => Effect.fail(addressRefused))
      )
    })

    const send = Effect.fnUntraced(function*(head: ObjectHead, headers: Readonly<Record<string, string>>) {
      const request = yield* HttpServerRequest.HttpServerRequest
      const common = {
        "accept-ranges": "bytes",
        "content-type": head.contentType,
        etag: head.etag,
        "x-content-type-options": "nosniff",
        ...headers
      }
      if (request.headers["if-none-match"] === head.etag) {
        return HttpServerResponse.empty({ status: 304, headers: common })
      }
      const asked = byteRange(request.headers["range"], head.size)
      if (asked._tag === "Unsatisfiable") {
        const detail = `Cannot send that range: the object has ${head.size} bytes`
        return refusalResponse(416, "range_not_satisfiable", detail, { "content-range": `bytes */${head.size}` })
      }
      const length = asked._tag === "Part" ? asked.range.end - asked.range.start + 1 : head.size
      const options = {
        status: asked._tag === "Part" ? 206 : 200,
        headers: {
          ...common,
          "content-length": String(length),
          ...(asked._tag === "Part"
            ? { "content-range": `bytes ${asked.range.start}-${asked.range.end}/${head.size}` }
            : {})
        }
      }
      if (request.method === "HEAD" || length === 0) {
        return HttpServerResponse.stream(Stream.empty, options)
      }
      if (asked._tag === "Whole" && head.size <= maxWholeBytes) {
        const bytes = Buffer.concat(yield* Stream.runCollect(objects.get(head.key)))
        return HttpServerResponse.uint8Array(bytes, { headers: { ...common, "content-length": String(bytes.length) } })
      }
      const source = objects.get(head.key, asked._tag === "Part" ? asked.range : undefined)
      const body = Stream.tapError(
        yield* primedStream(source),
        (error) =>
          Effect.logError("A download was cut because the object could not be read on", { error: error.message })
      )
      return HttpServerResponse.stream(body, options)
    })

    const upload = Effect.gen(function*() {
      const grant = yield* granted
      if (grant.method === "PUT_PART") return yield* uploadPart(grant)
      if (grant.method !== "PUT" || grant.key.endsWith("/")) return yield* addressRefused
      const request = yield* HttpServerRequest.HttpServerRequest
      const size = yield* announcedSize(request.headers["content-length"])
      const contentType = request.headers["content-type"] ?? ""
      if (contentType !== grant.contentType) {
        return yield* refuse(
          403,
          "content_type_mismatch",
          `Cannot store the object: this address takes the Content-Type "${grant.contentType}" and no other`
        )
      }
      yield* objects.put(grant.key, size === 0 ? Stream.empty : request.stream, {
        contentType,
        cacheControl: "private, no-store",
        size
      }).pipe(
        Effect.catchTags({
          ObjectStoreUnavailable: away("store the object"),
          HttpServerError: () => Effect.fail(bodyEndedEarly)
        })
      )
      return HttpServerResponse.empty({ status: 200 })
    }).pipe(Effect.catchTag("ObjectRefused", answer), Effect.withSpan("Origin.putObject"))

    const uploadPart = Effect.fnUntraced(function*(grant: PartGrant) {
      const request = yield* HttpServerRequest.HttpServerRequest
      const size = yield* announcedSize(request.headers["content-length"])
      const upload = { key: grant.key, uploadId: grant.uploadId }
      const body = size === 0 ? Stream.empty : request.stream
      const { etag } = yield* objects.multipart.putPart(upload, grant.part, body, size).pipe(
        Effect.catchTags({
          UploadNotFound: () => Effect.fail(notFound),
          ObjectStoreUnavailable: away("store the part"),
          HttpServerError: () => Effect.fail(bodyEndedEarly)
        })
      )
      return HttpServerResponse.empty({ status: 200, headers: { etag } })
    })

    const download = Effect.gen(function*() {
      const grant = yield* granted
      if (grant.method !== "GET" || grant.key.endsWith("/")) return yield* addressRefused
      const head = yield* objects.head(grant.key)
      return yield* send(head, {
        "cache-control": "private, no-store",
        "content-disposition": attachment(grant.downloadName ?? grant.key.slice(grant.key.lastIndexOf("/") + 1))
      })
    }).pipe(
      Effect.catchTags({
        ObjectNotFound: () => Effect.fail(notFound),
        ObjectStoreUnavailable: away("read the object")
      }),
      Effect.catchTag("ObjectRefused", answer),
      Effect.withSpan("Origin.getObject")
    )

    const play = Effect.gen(function*() {
      const grant = yield* granted
      if (grant.method !== "GET" || !grant.key.endsWith("/")) return yield* addressRefused
      const rest = (yield* HttpRouter.params)["*"] ?? ""
      if (!isName(rest)) return yield* notFound
      const head = yield* objects.head(`${grant.key}${rest}`)
      return yield* send(head, {
        // CONTRACT.md, section 6.
        "cache-control": isPlaylist(rest) ? "no-cache" : "public, max-age=31536000, immutable"
      })
    }).pipe(
      Effect.catchTags({
        ObjectNotFound: () => Effect.fail(notFound),
        ObjectStoreUnavailable: away("read the object")
      }),
      Effect.catchTag("ObjectRefused", answer),
      Effect.withSpan("Origin.playObject")
    )

    yield* router.add("PUT", "/api/v1/objects/:token", upload)
    yield* router.add("GET", "/api/v1/objects/:token", download)
    yield* router.add("GET", "/media/:token/*", play)
  })
)
