import type { TenantId } from "@lectern/domain"
import { errors, type JWTPayload, jwtVerify } from "jose"
import { type Principal, TokenRefused } from "./Principal.ts"
import { secretBytes } from "./signingSecret.ts"
import { watchedSubject } from "./watchClaim.ts"

/** The headers of a request that decide who asks, as they were sent. */
export interface Credentials {
  readonly authorization: string | null
  /** `X-Tenant-Code`: it never chooses a tenant, it may only agree with the token (INCIDENTS.md, 12). */
  readonly tenantCode: string | null
}

export type Verdict = Principal | TokenRefused

/** Answers without a promise where it has seen the token before, which is what nearly every poll is. Never throws or rejects. */
export type TokenVerifier = (credentials: Credentials) => Verdict | Promise<Verdict>

export interface TokenVerifierOptions {
  /** Secrets for HS256, of at least 32 bytes each; several while one takes over from another. Tokens of any are accepted. */
  readonly secrets: ReadonlyArray<string>
  /** How many verified tokens are remembered, 4,096 by default, 0 for none; the one that came first is forgotten first. */
  readonly remembered?: number
  /** Milliseconds since 1970; the machine's clock by default. */
  readonly now?: () => number
}

/** Characters of an `Authorization` header that are looked at; more is refused unseen. It bounds what is remembered. */
export const maxAuthorizationChars = 4_096

/** A key and the one algorithm that it is for: the token has no say in it. */
interface VerificationKey {
  readonly algorithm: "HS256"
  readonly key: Uint8Array<ArrayBuffer>
}

const missing = new TokenRefused(401, "token_missing", "Authorization: Bearer <token> is required")
const malformed = new TokenRefused(401, "token_malformed", "The Authorization header holds no bearer token")
const invalid = new TokenRefused(401, "token_invalid", "The token is not valid")
const expired = new TokenRefused(401, "token_expired", "The token has expired")
const mismatch = new TokenRefused(403, "tenant_mismatch", "X-Tenant-Code disagrees with the token")

const isTenantId = (value: number): value is TenantId => Number.isSafeInteger(value) && value > 0

const tenantOf = (claim: unknown): TenantId | null => {
  const id = typeof claim === "number" ? claim : typeof claim === "string" && /^[1-9][0-9]*$/.test(claim) ? Number(claim) : 0
  return isTenantId(id) ? id : null
}

const principalOf = (claims: JWTPayload): Verdict => {
  const tenantId = tenantOf(claims["tenant_id"])
  const tenantCode = claims["tenant_code"]
  // A claim that narrows and cannot be understood must not widen.
  const watch = "watch" in claims ? watchedSubject(claims["watch"]) : undefined
  return tenantId === null || claims.exp === undefined || watch === null
    ? invalid
    : {
      tenantId,
      subject: claims.sub ?? "",
      tenantCode: typeof tenantCode === "string" ? tenantCode : null,
      expiresAt: claims.exp,
      ...(watch === undefined ? {} : { watch })
    }
}

const bearer = /^bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i

const agrees = (principal: Principal, tenantCode: string | null): boolean =>
  tenantCode === null || tenantCode === "" || tenantCode === String(principal.tenantId) || tenantCode === principal.tenantCode

/**
 * Verifies bearer tokens without a look-up anywhere, with WebCrypto alone. Throws a `RangeError` for a secret that is too short and
 * for none at all.
 *
 * Claims: `tenant_id` (positive integer, also as text), `exp`; `sub`, `tenant_code`, `nbf` and `watch` where there are any.
 */
export const makeTokenVerifier = (options: TokenVerifierOptions): TokenVerifier => {
  if (options.secrets.length === 0) throw new RangeError("Cannot verify tokens: there is no secret")
  const keys: ReadonlyArray<VerificationKey> = options.secrets.map((secret) => ({
    algorithm: "HS256",
    key: secretBytes(secret)
  }))
  const capacity = options.remembered ?? 4_096
  const now = options.now ?? Date.now
  const remembered = new Map<string, Principal>()

  const remember = (authorization: string, principal: Principal): void => {
    if (capacity <= 0) return
    if (remembered.size >= capacity) {
      for (const oldest of remembered.keys()) {
        remembered.delete(oldest)
        break
      }
    }
    remembered.set(authorization, principal)
  }

  const verify = async (token: string): Promise<Verdict> => {
    for (const { algorithm, key } of keys) {
      try {
        const verified = await jwtVerify(token, key, {
          algorithms: [algorithm],
          requiredClaims: ["exp"],
          currentDate: new Date(now())
        })
        return principalOf(verified.payload)
      } catch (cause) {
        if (cause instanceof errors.JWTExpired) return expired
        if (!(cause instanceof errors.JWSSignatureVerificationFailed)) return invalid
      }
    }
    return invalid
  }

  const learn = async (authorization: string, token: string): Promise<Verdict> => {
    const verdict = await verify(token)
    if (!(verdict instanceof TokenRefused)) remember(authorization, verdict)
    return verdict
  }

  const checkTenant = (verdict: Verdict, tenantCode: string | null): Verdict =>
    verdict instanceof TokenRefused || agrees(verdict, tenantCode) ? verdict : mismatch

  return ({ authorization, tenantCode }) => {
    if (authorization === null || authorization === "") return missing
    const known = remembered.get(authorization)
    if (known !== undefined) {
      if (known.expiresAt * 1000 > now()) return checkTenant(known, tenantCode)
      remembered.delete(authorization)
      return expired
    }
    if (authorization.length > maxAuthorizationChars) return malformed
    const token = bearer.exec(authorization)?.[1]
    return token === undefined
      ? malformed
      : learn(authorization, token).then((verdict) => checkTenant(verdict, tenantCode))
  }
}
