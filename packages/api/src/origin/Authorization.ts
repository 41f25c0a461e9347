import { Context, Effect, Layer } from "effect"
import { HttpServerRequest } from "effect/http"
import { HttpApiMiddleware, HttpApiSecurity } from "effect/http-api"
import type { TenantId } from "@lectern/domain"
import { Forbidden, Unauthorized } from "./Refusal.ts"

/** Who asks. The tenant is that of the verified token and of nothing else (INCIDENTS.md, 12). */
export interface RequestPrincipal {
  readonly tenantId: TenantId
  readonly subject: string
}

export class CurrentPrincipal
  extends Context.Service<CurrentPrincipal, RequestPrincipal>()("@lectern/api/CurrentPrincipal")
{}

/** What a verifier needs of a request. */
export interface Credentials {
  /** The `Authorization` header as it was sent. */
  readonly authorization: string | null
  /** The `X-Tenant-Code` header: it may be absent, and refuses the request where it disagrees with the token. */
  readonly tenantCode: string | null
}

/** Turns credentials into a principal, without a look-up anywhere. */
export class TokenVerification extends Context.Service<TokenVerification, {
  readonly verify: (credentials: Credentials) => Effect.Effect<RequestPrincipal, Unauthorized | Forbidden>
}>()("@lectern/api/TokenVerification") {}

export class Authorization extends HttpApiMiddleware.Service<Authorization, { provides: CurrentPrincipal }>()(
  "@lectern/api/Authorization",
  {
    security: { bearer: HttpApiSecurity.bearer },
    error: [Unauthorized, Forbidden]
  }
) {
  static readonly layer: Layer.Layer<Authorization, never, TokenVerification> = Layer.effect(
    Authorization,
    Effect.gen(function*() {
      const verification = yield* TokenVerification
      return Authorization.of({
        bearer: Effect.fnUntraced(function*(httpEffect, _options) {
          const { headers } = yield* HttpServerRequest.HttpServerRequest
          const principal = yield* verification.verify({
            authorization: headers["authorization"] ?? null,
            tenantCode: headers["x-tenant-code"] ?? null
          })
          return yield* Effect.provideService(httpEffect, CurrentPrincipal, principal)
        })
      })
    })
  )
}
