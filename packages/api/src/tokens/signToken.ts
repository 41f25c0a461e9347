import { SignJWT } from "jose"
import { secretBytes } from "./signingSecret.ts"

export interface TokenGrant {
  /** A positive integer. */
  readonly tenantId: number
  readonly subject?: string
  /** A name of the tenant that requests may send as `X-Tenant-Code`, besides its number. */
  readonly tenantCode?: string
  /** At least 32 bytes of UTF-8. */
  readonly secret: string
  /** From now on; a positive number. */
  readonly expiresInSeconds: number
  /** Milliseconds since 1970, for a clock that is not the machine's. */
  readonly now?: number
}

/** Signs a token (HS256) for everything of one tenant. Rejects a tenant that is none, a time that is none, a short secret. */
export const signToken = async (grant: TokenGrant): Promise<string> => {
  const { expiresInSeconds, tenantId } = grant
  if (!Number.isSafeInteger(tenantId) || tenantId <= 0) {
    throw new RangeError(`Cannot sign a token for tenant ${tenantId}: a tenant is a positive integer`)
  }
  if (!Number.isFinite(expiresInSeconds) || expiresInSeconds <= 0) {
    throw new RangeError(`Cannot sign a token that is valid for ${expiresInSeconds} s`)
  }
  const issuedAt = Math.floor((grant.now ?? Date.now()) / 1000)
  const claims = { tenant_id: tenantId, ...(grant.tenantCode === undefined ? {} : { tenant_code: grant.tenantCode }) }
  const token = new SignJWT(claims)
    .setProtectedHeader({ alg: "HS256", typ: "JWT" })
    .setIssuedAt(issuedAt)
    .setExpirationTime(issuedAt + Math.ceil(expiresInSeconds))
  if (grant.subject !== undefined) token.setSubject(grant.subject)
  return token.sign(secretBytes(grant.secret))
}
