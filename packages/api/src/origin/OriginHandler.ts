import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import type { AllowedOrigins } from "@lectern/api/edge"
import type { TokenVerifier } from "@lectern/api/tokens"
import { ByteSize, Clock, Context, Duration, Effect, Latch, Layer, Ref, type Scope } from "effect"
import { HttpEffect, HttpIncomingMessage, HttpRouter, HttpServerRequest, HttpServerResponse } from "effect/http"
import { HttpApiBuilder } from "effect/http-api"
import {
  type JobDispatcher,
  type JobQueue,
  type JobRecorder,
  type JobStore,
  type MessageLedger,
  newUuid,
  type ObjectStore,
  type PlaybackUrls,
  type ProgressMirror,
  type ProgressReader,
  type StudentContacts,
  type StudentStore,
  type TenantId,
  type VideoDeletion
} from "@lectern/domain"
import * as ApiReference from "./ApiReference.ts"
import { Authorization } from "./Authorization.ts"
import { announcesTooMuch, jsonLimit } from "./bodyLimit.ts"
import { crossOriginHeaders, preflightResponse } from "./crossOrigin.ts"
import { asContractError, bodyTooLarge, causeResponse, refusalResponse } from "./errorResponse.ts"
import { HealthHandlers } from "./HealthHandlers.ts"
import { JobHandlers } from "./JobHandlers.ts"
import { MessagingHandlers } from "./MessagingHandlers.ts"
import { methodsOf, routerConfig } from "./methodsOf.ts"
import { MirroredDetail } from "./MirroredDetail.ts"
import { MultipartUploadHandlers } from "./MultipartUploadHandlers.ts"
import * as ObjectRoutes from "./ObjectRoutes.ts"
import { OriginApi } from "./OriginApi.ts"
import { RequestDecoding } from "./RequestDecoding.ts"
import { RequestTenant } from "./RequestTenant.ts"
import { isProgressPath, loggablePath, requestPath } from "./requestPath.ts"
import { RecognitionHandlers } from "./RecognitionHandlers.ts"
import { StudentHandlers } from "./StudentHandlers.ts"
import { VideoHandlers } from "./VideoHandlers.ts"
import { type WatchTokenOptions, WatchTokens } from "./WatchTokens.ts"

export interface OriginHandlerOptions {
  /**
   * The edge's handler: it answers the progress paths, here as at the edge. It logs and allows origins by itself.
   */
  readonly progress: (request: Request) => Promise<Response>
  /** The edge's verifier: both accept the same tokens. */
  readonly verifier: TokenVerifier
  /** `"*"` by default. */
  readonly allowedOrigins?: AllowedOrigins
  /** With what is accepted, a token to watch it is handed out; none is without this. */
  readonly watchTokens?: WatchTokenOptions
}

/**
 * What the origin works with. `ObjectGrants` besides, where the object store is a folder: then its addresses are served
 * too.
 */
export type OriginServices =
  | JobStore
  | MessageLedger
  | StudentContacts
  | StudentStore
  | JobRecorder
  | JobDispatcher
  | JobQueue
  | ObjectStore
  | PlaybackUrls
  | ProgressMirror
  | ProgressReader
  | VideoDeletion

const routes = ({ verifier, watchTokens }: OriginHandlerOptions) =>
  Layer.mergeAll(
    HttpApiBuilder.layer(OriginApi).pipe(
      Layer.provide([
        VideoHandlers,
        MultipartUploadHandlers,
        JobHandlers,
        StudentHandlers,
        MessagingHandlers,
        RecognitionHandlers,
        HealthHandlers
      ]),
      Layer.provide([Authorization.layer(verifier), RequestDecoding.layer, MirroredDetail.layer, WatchTokens.layer(watchTokens)])
    ),
    ApiReference.layer,
    ObjectRoutes.layer
  ).pipe(Layer.provide(NodeHttpServer.layerHttpServices))

const noRoute = (method: string, path: string) => (): HttpServerResponse.HttpServerResponse => {
  const allowed = methodsOf(path)
  if (allowed.length > 0) {
    return refusalResponse(405, "method_not_allowed", `Cannot ${method} this path: it takes ${allowed.join(", ")}`, {
      allow: allowed.join(", ")
    })
  }
  return methodsOf(`${path}/`).length > 0
    ? refusalResponse(404, "no_such_path", "There is no such path; paths of this API end in a slash")
    : refusalResponse(404, "no_such_path", "There is no such path")
}

/**
 * Everything that the origin answers, as one web-standard handler.
 *
 * The progress paths go to the edge's handler before anything of Effect's HTTP runs: one implementation of
 * progress, at its full speed. Everything else passes one pipeline: refuse what announces too much, route, give every
 * failure its JSON body, allow origins, log one line.
 *
 * A web handler rather than Effect's Node server: the edge's handler is one, tests and other runtimes can call it
 * without a socket, and bodies stream in both directions with back pressure all the same (1 GiB up and down raises the
 * process by 65 MB; a reader that is slow or goes away holds nothing).
 */
export class OriginHandler extends Context.Service<OriginHandler, (request: Request) => Promise<Response>>()(
  "@lectern/api/OriginHandler"
) {
  static readonly layer = (
    options: OriginHandlerOptions
  ): Layer.Layer<OriginHandler, never, OriginServices> => Layer.effect(OriginHandler, make(options))
}

/** How long the services wait, when their scope closes, for requests that were cut to put things in order. */
const patience = Duration.seconds(10)

/** What a request without an answer is logged with: nobody is left to be told. */
const clientGone = 499

/**
 * Counts the requests that are worked on, and lets the scope close once there is none: a cut connection ends its
 * request a moment later, and that moment still needs the services.
 */
const requestsInHand = Effect.gen(function*() {
  const none = yield* Latch.make(true)
  let count = 0
  const begin = Effect.suspend(() => {
    count += 1
    return none.close
  })
  const end = Effect.suspend(() => {
    count -= 1
    return count === 0 ? none.open : Effect.void
  })
  yield* Effect.addFinalizer(() =>
    Effect.flatMap(Effect.timeoutOption(none.await, patience), (finished) =>
      finished._tag === "Some"
        ? Effect.void
        : Effect.logWarning("Requests were still in hand when their services closed", { count }))
  )
  return <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> =>
    Effect.acquireUseRelease(begin, () => work, () => end)
})

const make = Effect.fnUntraced(function*(
  options: OriginHandlerOptions
): Effect.fn.Return<(request: Request) => Promise<Response>, never, OriginServices | Scope.Scope> {
  const allowedOrigins = options.allowedOrigins ?? "*"
  const routed = yield* HttpRouter.toHttpEffect(routes(options)).pipe(
    Effect.provideService(HttpRouter.RouterConfig, routerConfig)
  )

  const inHand = yield* requestsInHand

  const answer = Effect.gen(function*() {
    const request = yield* HttpServerRequest.HttpServerRequest
    const path = requestPath(request.url)
    const startedAt = yield* Clock.currentTimeMillis
    const requestId = yield* newUuid
    const tenant = yield* Ref.make<TenantId | null>(null)
    const log = Effect.fnUntraced(function*(status: number) {
      yield* Effect.logInfo("request", {
        requestId,
        method: request.method,
        path: loggablePath(path),
        status,
        tenant: yield* Ref.get(tenant),
        millis: (yield* Clock.currentTimeMillis) - startedAt
      })
    })
    const response = yield* (request.method === "OPTIONS"
      ? Effect.succeed(preflightResponse)
      : announcesTooMuch(path, request.headers["content-length"])
      ? Effect.succeed(bodyTooLarge())
      : Effect.catchCause(routed, (cause) => causeResponse(cause, noRoute(request.method, path)))).pipe(
        Effect.annotateLogs({ requestId }),
        Effect.provideService(RequestTenant, tenant),
        Effect.provideService(HttpIncomingMessage.MaxBodySize, ByteSize.fromInputUnsafe(jsonLimit(path))),
        Effect.onInterrupt(() => log(clientGone))
      )
    const answered = HttpServerResponse.setHeaders(asContractError(response), {
      ...crossOriginHeaders(allowedOrigins, request.headers["origin"]),
      "x-request-id": requestId
    })
    yield* log(answered.status)
    return answered
  }).pipe(inHand)

  const context = yield* Effect.context<never>()
  const handle = HttpEffect.toWebHandlerWith<never, HttpServerRequest.HttpServerRequest | Scope.Scope>(context)(answer)
  return (request) => isProgressPath(requestPath(request.url)) ? options.progress(request) : handle(request)
})
