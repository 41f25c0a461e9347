import { Effect, Layer } from "effect"
import { HttpRouter, HttpServerResponse } from "effect/http"
import { HttpApiSwagger, OpenApi } from "effect/http-api"
import { DocumentedApi } from "./OriginApi.ts"

/** Where the OpenAPI document is served. */
export const openApiPath = "/api/v1/openapi.json"

/** Where its browsable form is served. */
export const referencePath = "/docs"

const Document = HttpRouter.use((router) =>
  router.add("GET", openApiPath, Effect.sync(() => HttpServerResponse.jsonUnsafe(OpenApi.fromApi(DocumentedApi)))))

/** The browser itself keeps the reference from loading anything from elsewhere. */
const SelfContained = HttpRouter.middleware((page) =>
  Effect.map(
    page,
    HttpServerResponse.setHeader(
      "content-security-policy",
      "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; frame-ancestors 'none'"
    )
  )
)

/**
 * The OpenAPI document and its browsable form. Swagger UI, its styles and the document are in the page itself: it needs
 * no network but this server. (Scalar, the other one that comes with Effect, loads fonts from elsewhere.)
 */
export const layer: Layer.Layer<never, never, HttpRouter.HttpRouter> = Layer.mergeAll(
  Document,
  HttpApiSwagger.layer(DocumentedApi, { path: referencePath }).pipe(Layer.provide(SelfContained.layer))
)
