import { type JWTPayload, SignJWT } from "jose"
import { secretBytes } from "./signingSecret.ts"

export interface SigningGrant {
  /** A positive integer. */
  readonly tenantId: number
  readonly subject?: string
  /** Who the token is for, where verifiers ask for it. */
  readonly audience?: string
  /** At least 32 bytes of UTF-8. */
  readonly secret: string
  /** From now on; a positive number. */
  readonly expiresInSeconds: number
  /** Milliseconds since 1970, for a clock that is not the machine's. */
  readonly now?: number
}

export interface TokenGrant extends SigningGrant {
  /** A name of the tenant that requests may send as `X-Tenant-Code`, besides its number. */
  readonly tenantCode?: string
}

/** Signs these claims with those of every token. */
export const signClaims = async (grant: SigningGrant, claims: JWTPayload): Promise<string> => {
  const { expiresInSeconds, tenantId } = grant
  if (!Number.isSafeInteger(tenantId) || tenantId <= 0) {
    throw new RangeError(`Cannot sign a token for tenant ${tenantId}: a tenant is a positive integer`)
  }
  if (!Number.isFinite(expiresInSeconds) || expiresInSeconds <= 0) {
    throw new RangeError(`Cannot sign a token that is valid for ${expiresInSeconds} s`)
  }
  const issuedAt = Math.floor((grant.now ?? Date.now()) / 1000)
  const token = new SignJWT({ ...claims, tenant_id: tenantId })
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + Math.ceil(expiresInSeconds))
  if (grant.subject !== undefined) token.setSubject(grant.subject)
  if (grant.audience !== undefined) token.setAudience(grant.audience)
  return token.sign(secretBytes(grant.secret))
}

/** Signs a token (HS256) for everything of one tenant. Rejects a tenant that is none, a time that is none, a short secret. */
export const signToken = (grant: TokenGrant): Promise<string> =>
  signClaims(grant, grant.tenantCode === undefined ? {} : { tenant_code: grant.tenantCode })
