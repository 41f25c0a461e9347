import { Result } from "effect"
import { describe, expect, it } from "vitest"
import { readEdgeSettings } from "../../src/edge/EdgeSettings.ts"

const secret = "x".repeat(32)
const enough = { REDIS_URL: "redis://cache.school", AUTH_JWT_SECRET: secret }

describe("The environment of the edge", () => {
  it("needs an address and a secret, and has a default for everything else", () => {
    expect(readEdgeSettings(enough)).toEqual(Result.succeed({
      host: "127.0.0.1",
      port: 8790,
      redisUrl: "redis://cache.school",
      secrets: [secret],
      publicKeys: [],
      jwksUrl: undefined,
      audience: undefined,
      allowedOrigins: "*",
      accessLog: "summary",
      rateLimit: { perToken: Infinity, perTenant: Infinity },
      eventStreams: { perToken: 100, perTenant: 5_000 }
    }))
  })

  it("may name all of it, and the secret that was in force before", () => {
    expect(readEdgeSettings({
      ...enough,
      AUTH_JWT_SECRET_PREVIOUS: "y".repeat(40),
      HOST: "0.0.0.0",
      PORT: "0",
      CORS_ALLOWED_ORIGINS: "https://a.school,https://b.school",
      ACCESS_LOG: "each",
      RATE_LIMIT_PER_TOKEN: "600",
      RATE_LIMIT_PER_TENANT: "60000",
      EVENT_STREAMS_PER_TOKEN: "6",
      EVENT_STREAMS_PER_TENANT: "6000"
    })).toEqual(Result.succeed({
      host: "0.0.0.0",
      port: 0,
      redisUrl: "redis://cache.school",
      secrets: [secret, "y".repeat(40)],
      publicKeys: [],
      jwksUrl: undefined,
      audience: undefined,
      allowedOrigins: ["https://a.school", "https://b.school"],
      accessLog: "each",
      rateLimit: { perToken: 600, perTenant: 60_000 },
      eventStreams: { perToken: 6, perTenant: 6_000 }
    }))
  })

  it("may name public keys or the address of keys in place of a secret, and whom tokens are for", () => {
    const key = Buffer.alloc(32, 7).toString("base64")
    const address = "https://login.school/keys"
    const environment = { REDIS_URL: enough.REDIS_URL, AUTH_JWT_AUDIENCE: "lectern" }
    for (
      const [keys, expected] of [
        [{ AUTH_PUBLIC_KEY: key, AUTH_PUBLIC_KEY_PREVIOUS: key }, { publicKeys: [key, key], jwksUrl: undefined }],
        [{ AUTH_JWKS_URL: address }, { publicKeys: [], jwksUrl: address }]
      ] as const
    ) {
      expect(Result.getOrThrow(readEdgeSettings({ ...environment, ...keys })))
        .toMatchObject({ secrets: [], audience: "lectern", ...expected })
    }
  })

  it("is refused for keys that are none, and for an address that anybody on the way can answer for", () => {
    const environment = { ...enough, AUTH_PUBLIC_KEY: "hunter2", AUTH_JWKS_URL: "http://login.school/keys", RATE_LIMIT_PER_TOKEN: "0" }
    expect(readEdgeSettings(environment)).toEqual(Result.fail([
      `RATE_LIMIT_PER_TOKEN is "0", which is no number of requests in ten seconds`,
      "AUTH_PUBLIC_KEY is no Ed25519 public key, as a PEM or as 32 bytes in base64",
      "AUTH_JWKS_URL is no https address (http only on this machine)"
    ]))
  })

  it("has all its faults named at once, without what is secret in it", () => {
    const faults = readEdgeSettings({
      REDIS_URL: "cache:hunter2@school",
      AUTH_JWT_SECRET: "short",
      AUTH_JWT_SECRET_PREVIOUS: "short too",
      PORT: "80 80",
      CORS_ALLOWED_ORIGINS: "https://a.school,https://b.school/,*",
      ACCESS_LOG: "all"
    })
    expect(faults).toEqual(Result.fail([
      `PORT is "80 80", which is no number of 0 to 65535`,
      expect.stringMatching(/^REDIS_URL: Cannot use the address of Redis/),
      "AUTH_JWT_SECRET has 5 bytes and needs 32",
      "AUTH_JWT_SECRET_PREVIOUS has 9 bytes and needs 32",
      `CORS_ALLOWED_ORIGINS has "https://b.school/", which is no origin such as https://school.example`,
      `CORS_ALLOWED_ORIGINS has "*", which is no origin such as https://school.example`,
      `ACCESS_LOG is "all", which is neither "summary" nor "each"`
    ]))
    expect(JSON.stringify(faults)).not.toContain("hunter2")
    expect(readEdgeSettings({})).toEqual(Result.fail(["REDIS_URL is not set", "AUTH_JWT_SECRET is not set, nor AUTH_PUBLIC_KEY, nor AUTH_JWKS_URL"]))
  })
})
