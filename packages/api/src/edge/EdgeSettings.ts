import { parseRedisUrl } from "@lectern/adapters/redis"
import * as Result from "effect/Result"
import { minSecretBytes, parsePublicKey } from "../tokens/index.ts"
import type { AllowedOrigins } from "./crossOrigin.ts"
import { defaultListenerLimits } from "./ListenerSeats.ts"

/** What the edge is configured with, all of it checked. */
export interface EdgeSettings {
  readonly host: string
  readonly port: number
  readonly redisUrl: string
  /** The one in force first, and the one before it while that is still accepted. */
  readonly secrets: ReadonlyArray<string>
  /** As with secrets; Ed25519. */
  readonly publicKeys: ReadonlyArray<string>
  /** Where more keys are. */
  readonly jwksUrl: string | undefined
  readonly audience: string | undefined
  readonly allowedOrigins: AllowedOrigins
  readonly accessLog: "summary" | "each"
  /** Requests in ten seconds; `Infinity` where nobody is limited. */
  readonly rateLimit: { readonly perToken: number; readonly perTenant: number }
  /** Open at once, in this process. */
  readonly eventStreams: { readonly perToken: number; readonly perTenant: number }
}

export type Environment = Readonly<Record<string, string | undefined>>

const isSet = (value: string | undefined): value is string => value !== undefined && value !== ""

const isKeySetUrl = (text: string): boolean => {
  if (!URL.canParse(text)) return false
  const { hostname, protocol } = new URL(text)
  // Whoever answers there decides who may read: nobody on the way may.
  return protocol === "https:" || (protocol === "http:" && ["127.0.0.1", "localhost", "[::1]"].includes(hostname))
}

/** As browsers send it: without a path, which also means without a slash at its end. */
const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text

/** The settings, or every fault of the environment at once, none of which shows a secret. */
export const readEdgeSettings = (environment: Environment): Result.Result<EdgeSettings, ReadonlyArray<string>> => {
  const faults: Array<string> = []
  const { ACCESS_LOG, AUTH_JWT_AUDIENCE, AUTH_JWT_SECRET, AUTH_JWT_SECRET_PREVIOUS, AUTH_JWKS_URL, AUTH_PUBLIC_KEY } = environment
  const { AUTH_PUBLIC_KEY_PREVIOUS, CORS_ALLOWED_ORIGINS, HOST, PORT, REDIS_URL } = environment

  const port = isSet(PORT) ? Number(PORT) : 8790
  if (!/^\d*$/.test(PORT ?? "") || port > 65_535) faults.push(`PORT is "${PORT}", which is no number of 0 to 65535`)

  if (!isSet(REDIS_URL)) faults.push("REDIS_URL is not set")
  else Result.mapError(parseRedisUrl(REDIS_URL), (fault) => faults.push(`REDIS_URL: ${fault.message}`))

  const secrets: Array<string> = []
  if (!isSet(AUTH_JWT_SECRET) && !isSet(AUTH_PUBLIC_KEY) && !isSet(AUTH_JWKS_URL)) {
    faults.push("AUTH_JWT_SECRET is not set, nor AUTH_PUBLIC_KEY, nor AUTH_JWKS_URL")
  }
  for (const [name, secret] of Object.entries({ AUTH_JWT_SECRET, AUTH_JWT_SECRET_PREVIOUS })) {
    if (!isSet(secret)) continue
    const bytes = new TextEncoder().encode(secret).length
    if (bytes < minSecretBytes) faults.push(`${name} has ${bytes} bytes and needs ${minSecretBytes}`)
    else secrets.push(secret)
  }

  const limitOf = (name: string, unit: string, without: number): number => {
    const text = environment[name]
    if (!isSet(text)) return without
    if (!/^[1-9][0-9]{0,8}$/.test(text)) faults.push(`${name} is "${text}", which is no number of ${unit}`)
    return Number(text)
  }
  const requests = "requests in ten seconds"
  const rateLimit = {
    perToken: limitOf("RATE_LIMIT_PER_TOKEN", requests, Infinity),
    perTenant: limitOf("RATE_LIMIT_PER_TENANT", requests, Infinity)
  }
  const streams = "streams of events"
  const eventStreams = {
    perToken: limitOf("EVENT_STREAMS_PER_TOKEN", streams, defaultListenerLimits.perToken),
    perTenant: limitOf("EVENT_STREAMS_PER_TENANT", streams, defaultListenerLimits.perTenant)
  }

  const publicKeys: Array<string> = []
  for (const [name, key] of Object.entries({ AUTH_PUBLIC_KEY, AUTH_PUBLIC_KEY_PREVIOUS })) {
    if (!isSet(key)) continue
    try {
      parsePublicKey(key)
      publicKeys.push(key)
    } catch {
      faults.push(`${name} is no Ed25519 public key, as a PEM or as 32 bytes in base64`)
    }
  }
  if (isSet(AUTH_JWKS_URL) && !isKeySetUrl(AUTH_JWKS_URL)) {
    faults.push("AUTH_JWKS_URL is no https address (http only on this machine)")
  }

  const origins = isSet(CORS_ALLOWED_ORIGINS) && CORS_ALLOWED_ORIGINS !== "*" ? CORS_ALLOWED_ORIGINS.split(",") : []
  for (const origin of origins) {
    if (isOrigin(origin)) continue
    faults.push(`CORS_ALLOWED_ORIGINS has "${origin}", which is no origin such as https://school.example`)
  }

  const accessLog = isSet(ACCESS_LOG) ? ACCESS_LOG : "summary"
  if (accessLog !== "summary" && accessLog !== "each") {
    faults.push(`ACCESS_LOG is "${accessLog}", which is neither "summary" nor "each"`)
    return Result.fail(faults)
  }

  return faults.length > 0 || !isSet(REDIS_URL)
    ? Result.fail(faults)
    : Result.succeed({
      host: isSet(HOST) ? HOST : "127.0.0.1",
      port,
      redisUrl: REDIS_URL,
      secrets,
      publicKeys,
      jwksUrl: isSet(AUTH_JWKS_URL) ? AUTH_JWKS_URL : undefined,
      audience: isSet(AUTH_JWT_AUDIENCE) ? AUTH_JWT_AUDIENCE : undefined,
      allowedOrigins: origins.length > 0 ? origins : "*",
      accessLog,
      rateLimit,
      eventStreams
    })
}
