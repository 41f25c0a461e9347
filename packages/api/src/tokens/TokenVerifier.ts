import type { TenantId } from "@lectern/domain"
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from "jose"
import type { KeySet } from "./KeySet.ts"
import { type Principal, TokenRefused } from "./Principal.ts"
import { parsePublicKey, type PublicKey } from "./publicKey.ts"
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
  readonly secrets?: ReadonlyArray<string>
  /** Ed25519 public keys for EdDSA, as `parsePublicKey` reads them; several as with secrets. */
  readonly publicKeys?: ReadonlyArray<string>
  /** More keys for EdDSA, found by the `kid` of a token; a token without one has none of these. */
  readonly keySet?: KeySet
  /** What tokens must name as their `aud`; not looked at by default. */
  readonly audience?: string
  /** How many verified tokens are remembered, 4,096 by default, 0 for none; the one that came first is forgotten first. */
  readonly remembered?: number
  /** Milliseconds since 1970; the machine's clock by default. */
  readonly now?: () => number
}

/** Characters of an `Authorization` header that are looked at; more is refused unseen. It bounds what is remembered. */
export const maxAuthorizationChars = 4_096

/** A key and the one algorithm that it is for: the token has no say in it. */
interface VerificationKey {
  readonly algorithms: ReadonlyArray<"HS256" | "EdDSA" | "Ed25519">
  readonly key: Uint8Array<ArrayBuffer> | PublicKey
}

const secretKey = (secret: string): VerificationKey => ({ algorithms: ["HS256"], key: secretBytes(secret) })

/** Both names of the one algorithm (RFC 9864). */
const publicKey = (key: PublicKey): VerificationKey => ({ algorithms: ["EdDSA", "Ed25519"], key })

/** Milliseconds for which a token by a key of a set is remembered: the key may be taken out of the set. */
const keySetMemoryMillis = 5 * 60_000

const kidOf = (token: string): string | null => {
  try {
    const { kid } = decodeProtectedHeader(token)
    return typeof kid === "string" && kid.length > 0 && kid.length <= 200 ? kid : null
  } catch {
    return null
  }
}

interface Remembered {
  readonly principal: Principal
  /** Milliseconds since 1970 from which the token is verified again. */
  readonly until: number
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
 * Verifies bearer tokens with WebCrypto, without a look-up anywhere but in a key set. Each key is for one algorithm, whatever a token
 * says of its own. Throws a `RangeError` for a secret that is too short, a public key that is none, and for no key at all.
 *
 * Claims: `tenant_id` (positive integer, also as text), `exp`; `sub`, `tenant_code`, `nbf` and `watch` where there are any.
 */
export const makeTokenVerifier = (options: TokenVerifierOptions): TokenVerifier => {
  const { audience, keySet } = options
  const keys: ReadonlyArray<VerificationKey> = [
    ...(options.secrets ?? []).map(secretKey),
    ...(options.publicKeys ?? []).map(parsePublicKey).map(publicKey)
  ]
  if (keys.length === 0 && keySet === undefined) {
    throw new RangeError("Cannot verify tokens: there is no secret, no public key and no key set")
  }
  const capacity = options.remembered ?? 4_096
  const now = options.now ?? Date.now
  const remembered = new Map<string, Remembered>()

  const remember = (authorization: string, principal: Principal, until: number): void => {
    if (capacity <= 0) return
    if (remembered.size >= capacity) {
      for (const oldest of remembered.keys()) {
        remembered.delete(oldest)
        break
      }
    }
    remembered.set(authorization, { principal, until })
  }

  /** `null` where the token is not of this key. */
  const verifyWith = async (token: string, { algorithms, key }: VerificationKey): Promise<Verdict | null> => {
    try {
      const verified = await jwtVerify(token, key, {
        algorithms: [...algorithms],
        requiredClaims: ["exp"],
        currentDate: new Date(now()),
        ...(audience === undefined ? {} : { audience })
      })
      return principalOf(verified.payload)
    } catch (cause) {
      if (cause instanceof errors.JWTExpired) return expired
      return cause instanceof errors.JWSSignatureVerificationFailed || cause instanceof errors.JOSEAlgNotAllowed ? null : invalid
    }
  }

  const verifyWithSet = async (token: string): Promise<Verdict> => {
    const kid = keySet === undefined ? null : kidOf(token)
    const key = kid === null ? null : await keySet?.find(kid) ?? null
    return (key === null ? null : await verifyWith(token, publicKey(key))) ?? invalid
  }

  const learn = async (authorization: string, token: string): Promise<Verdict> => {
    let verdict: Verdict | null = null
    for (const key of keys) {
      verdict ??= await verifyWith(token, key)
      if (verdict !== null) break
    }
    const isOfSet = verdict === null
    verdict ??= await verifyWithSet(token)
    if (!(verdict instanceof TokenRefused)) remember(authorization, verdict, isOfSet ? now() + keySetMemoryMillis : Infinity)
    return verdict
  }

  const checkTenant = (verdict: Verdict, tenantCode: string | null): Verdict =>
    verdict instanceof TokenRefused || agrees(verdict, tenantCode) ? verdict : mismatch

  return ({ authorization, tenantCode }) => {
    if (authorization === null || authorization === "") return missing
    const known = remembered.get(authorization)
    if (known !== undefined) {
      const at = now()
      if (known.principal.expiresAt * 1000 <= at) {
        remembered.delete(authorization)
        return expired
      }
      if (known.until > at) return checkTenant(known.principal, tenantCode)
      remembered.delete(authorization)
    }
    if (authorization.length > maxAuthorizationChars) return malformed
    const token = bearer.exec(authorization)?.[1]
    return token === undefined
      ? malformed
      : learn(authorization, token).then((verdict) => checkTenant(verdict, tenantCode))
  }
}
