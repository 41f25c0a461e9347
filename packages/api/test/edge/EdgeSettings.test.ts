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
      allowedOrigins: "*",
      accessLog: "summary"
    }))
  })

  it("may name all of it, and the secret that was in force before", () => {
    expect(readEdgeSettings({
      ...enough,
      AUTH_JWT_SECRET_PREVIOUS: "y".repeat(40),
      HOST: "0.0.0.0",
      PORT: "0",
      CORS_ALLOWED_ORIGINS: "https://a.school,https://b.school",
      ACCESS_LOG: "each"
    })).toEqual(Result.succeed({
      host: "0.0.0.0",
      port: 0,
      redisUrl: "redis://cache.school",
      secrets: [secret, "y".repeat(40)],
      allowedOrigins: ["https://a.school", "https://b.school"],
      accessLog: "each"
    }))
  })

  it("has all its faults named at once, without what is secret in it", () => {
    const faults = readEdgeSettings({
      REDIS_URL: "cache:hunter2@school",
      AUTH_JWT_SECRET: "short",
      AUTH_JWT_SECRET_PREVIOUS: "short too",
      PORT: "80 80",
      ACCESS_LOG: "all"
    })
    expect(faults).toEqual(Result.fail([
      `PORT is "80 80", which is no number of 0 to 65535`,
      expect.stringMatching(/^REDIS_URL: Cannot use the address of Redis/),
      "AUTH_JWT_SECRET has 5 bytes and needs 32",
      "AUTH_JWT_SECRET_PREVIOUS has 9 bytes and needs 32",
      `ACCESS_LOG is "all", which is neither "summary" nor "each"`
    ]))
    expect(JSON.stringify(faults)).not.toContain("hunter2")
    expect(readEdgeSettings({})).toEqual(Result.fail(["REDIS_URL is not set", "AUTH_JWT_SECRET is not set"]))
  })
})
