import { type Principal, TokenRefused, type TokenVerifier } from "@lectern/api/tokens"
import { Context, Effect, Layer, Ref } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import { Forbidden, Unauthorized } from "./Refusal.ts"
import { RequestTenant } from "./RequestTenant.ts"

/** Who asks. The tenant is that of the verified token and of nothing else (INCIDENTS.md, 12). */
export class CurrentPrincipal extends Context.Service<CurrentPrincipal, Principal>()("@lectern/api/CurrentPrincipal") {}

const watchOnly = new Forbidden({
  detail: "This token may watch one progress at the progress endpoints, and nothing else",
  code: "watch_token"
})

/** Makes handlers reachable for valid tokens alone, and refuses tokens that may only watch, and an `X-Tenant-Code` that disagrees with the token. */
export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: CurrentPrincipal }>()(
  "@lectern/api/Authorization",
  {
    security: { bearer: HttpApiSecurity.bearer },
    error: [Unauthorized, Forbidden]
  }
) {
  /** The verifier is that of the edge: both accept the same tokens. */
  static readonly layer = (verifier: TokenVerifier): Layer.Layer<Authorization> =>
    Layer.succeed(
      Authorization,
      Authorization.of({
        bearer: Effect.fnUntraced(function*(httpEffect, _options) {
          const { headers } = yield* HttpServerRequest.HttpServerRequest
          const verdict = yield* Effect.promise(async () =>
            verifier({
              authorization: headers["authorization"] ?? null,
              tenantCode: headers["x-tenant-code"] ?? null
            })
          )
          if (verdict instanceof TokenRefused) {
            const { detail, code } = verdict
            return yield* verdict.status === 401 ? new Unauthorized({ detail, code }) : new Forbidden({ detail, code })
          }
          if (verdict.watch !== undefined) return yield* watchOnly
          const noted = yield* RequestTenant
          if (noted !== null) yield* Ref.set(noted, verdict.tenantId)
          return yield* Effect.provideService(httpEffect, CurrentPrincipal, verdict)
        })
      })
    )
}
