import type { Subject, TenantId } from "@lectern/domain"

/** Who asks, as a verified token says. */
export interface Principal {
  readonly tenantId: TenantId
  /** The token's `sub`; empty where it has none. */
  readonly subject: string
  /** The name of the tenant by which a browser may call it in `X-Tenant-Code`, where the token has one. */
  readonly tenantCode: string | null
  /** Seconds since 1970. */
  readonly expiresAt: number
  /** The only thing that the token may read the progress of; missing for a token for everything of the tenant. */
  readonly watch?: Subject
}

export type TokenRefusalCode =
  | "token_missing"
  | "token_malformed"
  | "token_invalid"
  | "token_expired"
  | "tenant_mismatch"

/** Why a request is not served. `detail` may be shown to the caller. */
export class TokenRefused extends Error {
  readonly _tag = "TokenRefused"
  override readonly name = "TokenRefused"
  readonly status: 401 | 403
  readonly code: TokenRefusalCode
  readonly detail: string

  constructor(status: 401 | 403, code: TokenRefusalCode, detail: string) {
    super(`Cannot accept the token: ${detail}`)
    this.status = status
    this.code = code
    this.detail = detail
  }
}
