import { FindMyWay } from "effect/http"
import { HttpApi } from "effect/http-api"
import { openApiPath, referencePath } from "./ApiReference.ts"
import { OriginApi } from "./OriginApi.ts"

type Method = "GET" | "POST" | "PUT" | "DELETE"

const methods: ReadonlyArray<Method> = ["GET", "POST", "PUT", "DELETE"]

/** How the origin's routers read a path: exactly. Tokens in a path are longer than the usual limit of a parameter. */
export const routerConfig = {
  ignoreTrailingSlash: false,
  ignoreDuplicateSlashes: false,
  caseSensitive: true,
  maxParamLength: 2048
}

const routes = FindMyWay.make<true>(routerConfig)
HttpApi.reflect(OriginApi, {
  onGroup: () => undefined,
  onEndpoint: ({ endpoint }) => {
    const method = methods.find((known) => known === endpoint.method)
    // An endpoint's path starts with a slash, which its type does not say.
    if (method !== undefined) routes.on(method, `/${endpoint.path.slice(1)}`, true)
  }
})
routes.on("GET", openApiPath, true)
routes.on("GET", referencePath, true)

/** The methods that a path takes; none where it is no path of the origin's definition. */
export const methodsOf = (path: string): ReadonlyArray<Method> =>
  methods.filter((method) => routes.find(method, path) !== undefined)
