/** A real origin on a free port over the domain in memory, and the hands and eyes of a test. */
import { Context, Effect, Layer, Logger, Redacted } from "effect"
import { NodeServices } from "@effect/platform-node"
import { ObjectGrants, ObjectStoreFiles, PlaybackUrlsLocal } from "@lectern/adapters/files"
import { PlaybackUrls, ProgressReader, type StudentContact, TenantId } from "@lectern/domain"
import { StudentContactsMemory } from "@lectern/domain/memory"
import { TestDomain } from "@lectern/domain/testing"
import { makeEdgeHandler } from "@lectern/api/edge"
import { makeTokenVerifier, signToken } from "@lectern/api/tokens"
import {
  OriginHandler,
  type OriginHandlerOptions,
  serveOrigin,
  type ServeOriginOptions
} from "../../src/origin/index.ts"

export interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  /** The body, decoded where it is JSON: tests look into it freely and assert what they find. */
  readonly json: ReturnType<JSON["parse"]>
}

export interface Call {
  readonly method?: string
  /** An object is sent as JSON; text, bytes and forms as they are. */
  readonly body?: string | Uint8Array<ArrayBuffer> | FormData | ReadableStream<Uint8Array> | Record<string, unknown>
  readonly headers?: Readonly<Record<string, string>>
  /** Whose token; `null` for none. Tenant 1's by default. */
  readonly tenant?: number | null
}

export interface LogLine {
  readonly level: string
  readonly message: ReadonlyArray<unknown>
}

export class OriginUnderTest extends Context.Service<OriginUnderTest, {
  readonly url: string
  readonly handler: (request: Request) => Promise<Response>
  readonly call: (path: string, call?: Call) => Effect.Effect<Answer>
  /** A valid token of a tenant. */
  readonly token: (tenant: number) => Effect.Effect<string>
  /** The addresses of the requests that reached the edge's handler. */
  readonly progressCalls: ReadonlyArray<string>
  readonly logs: ReadonlyArray<LogLine>
}>()("test/OriginUnderTest") {}

export const tokenSecret = "a secret for tokens of at least thirty-two bytes"

const verifier = makeTokenVerifier({ secrets: [tokenSecret] })

const token = (tenantId: number): Promise<string> =>
  signToken({ tenantId, subject: "tester", secret: tokenSecret, expiresInSeconds: 600 })

const Playback = Layer.succeed(
  PlaybackUrls,
  PlaybackUrls.of({ url: (objectKey) => Effect.succeed(`https://play.example/${objectKey}`) })
)

/** The students of tenants 1 and 2. */
export const students: ReadonlyArray<StudentContact> = [
  { id: 11, name: "홍길동", guardianPhone: "010-1234-5678", studentPhone: "010-9999-0001" },
  { id: 12, name: "김철수", guardianPhone: "010-1234-5679", studentPhone: null },
  { id: 13, name: "이영희", guardianPhone: "", studentPhone: "010-9999-0003" }
]

const Contacts = StudentContactsMemory.layer(
  new Map([
    [TenantId.make(1), students],
    [TenantId.make(2), [{ id: 21, name: "남의 학생", guardianPhone: "010-2222-2222", studentPhone: null }]]
  ])
)

const requestBody = (body: Call["body"]): { readonly body?: BodyInit; readonly type?: string } => {
  if (body === undefined) return {}
  return typeof body === "string" || body instanceof Uint8Array || body instanceof FormData ||
      body instanceof ReadableStream
    ? { body }
    : { body: JSON.stringify(body), type: "application/json" }
}

export const call = (url: string) => (path: string, call: Call = {}): Effect.Effect<Answer> =>
  Effect.promise(async (signal) => {
    const { body, type } = requestBody(call.body)
    const tenant = call.tenant === undefined ? 1 : call.tenant
    const response = await fetch(`${url}${path}`, {
      method: call.method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        ...(tenant === null ? {} : { authorization: `Bearer ${await token(tenant)}` }),
        ...(type === undefined ? {} : { "content-type": type }),
        ...call.headers
      },
      ...(body === undefined ? {} : { body, duplex: "half" }),
      redirect: "manual",
      signal
    })
    const text = await response.text()
    const isJson = response.headers.get("content-type")?.startsWith("application/json") === true
    return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : undefined }
  })

export const grantSecret = Redacted.make("a secret for grants of at least thirty-two bytes")

/** Where the folder store believes that it is reached: tests call the path of its addresses. */
export const publicUrl = "http://origin.invalid"

/** The store in a folder, with its addresses, in place of the one in memory. */
export const objectsInFolder = (root: string) =>
  Layer.mergeAll(
    ObjectStoreFiles.layer({ root, publicUrl }).pipe(Layer.provide(NodeServices.layer)),
    PlaybackUrlsLocal.layer({ publicUrl, expiresInSeconds: 60 })
  ).pipe(Layer.provide(ObjectGrants.layer(grantSecret)))

type Options = Omit<OriginHandlerOptions, "progress" | "verifier"> & Pick<ServeOriginOptions, "grace">

/** The origin where the store is not a folder. */
export const layerWithoutGrants = (options: Options = {}) => build(Layer.empty, options)

/** The origin with its object addresses, over objects in memory. */
export const layer = (options: Options = {}) => layerWith(Layer.empty, options)

/** The origin with its object addresses, and these services in place of those in memory. */
export const layerWith = <A, E>(overrides: Layer.Layer<A, E>, options: Options = {}) =>
  build(Layer.merge(overrides, ObjectGrants.layer(grantSecret)), options)

const build = <A, E>(overrides: Layer.Layer<A, E>, options: Options) => {
  const progressCalls: Array<string> = []
  const logs: Array<LogLine> = []
  const collect = Logger.make<unknown, void>(({ logLevel, message }) => {
    logs.push({ level: logLevel, message: Array.isArray(message) ? message : [message] })
  })
  const Handler = Layer.unwrap(Effect.gen(function*() {
    const reader = yield* ProgressReader
    const edge = makeEdgeHandler({
      read: (tenantId, subjects) => Effect.runPromise(reader.read(tenantId, subjects)),
      verify: verifier
    })
    return OriginHandler.layer({
      ...options,
      verifier,
      progress: (request) => {
        progressCalls.push(request.url)
        return edge(request)
      }
    })
  }))
  return Layer.effect(
    OriginUnderTest,
    Effect.gen(function*() {
      const handler = yield* OriginHandler
      const { url } = yield* serveOrigin({
        port: 0,
        host: "127.0.0.1",
        handler,
        ...(options.grace === undefined ? {} : { grace: options.grace })
      })
      return OriginUnderTest.of({
        url,
        handler,
        call: call(url),
        token: (tenant) => Effect.promise(() => token(tenant)),
        progressCalls,
        logs
      })
    })
  ).pipe(
    Layer.provide(Handler),
    Layer.provideMerge(overrides),
    Layer.provide([Playback, Contacts]),
    Layer.provideMerge(TestDomain.layer),
    Layer.provide(Logger.layer([collect]))
  )
}
