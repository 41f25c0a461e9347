import { Result, Schema } from "effect"
import { describe, expect, it } from "vitest"
import { parseRedisUrl, RedisUrl } from "../../src/redis/index.ts"

const plain = { host: "cache.school", port: 6379, username: undefined, password: undefined, db: 0, tls: false }

describe("The address of Redis", () => {
  for (
    const [text, expected] of [
      ["redis://cache.school", {}],
      ["redis://cache.school:6390/", { port: 6390 }],
      ["redis://cache.school:6390/3", { port: 6390, db: 3 }],
      ["rediss://cache.school", { tls: true }],
      ["redis://:p%40ss%2Fword@cache.school/1", { password: "p@ss/word", db: 1 }],
      ["rediss://app:100%25@cache.school:6380", { username: "app", password: "100%", port: 6380, tls: true }],
      ["redis://app:100%@cache.school", { username: "app", password: "100%" }],
      ["redis://[::1]:6390", { host: "::1", port: 6390 }]
    ] as const
  ) {
    it(`is understood: ${text}`, () => {
      expect(parseRedisUrl(text)).toEqual(Result.succeed({ ...plain, ...expected }))
    })
  }

  for (
    const text of [
      "", "cache.school:6379", "/var/run/redis.sock", "http://cache.school", "redis://", "redis://cache.school/one",
      "redis://cache.school:99999", "redis://cache.school?db=1"
    ]
  ) {
    it(`is refused, without a word of what it holds: ${JSON.stringify(text)}`, () => {
      const parsed = parseRedisUrl(text)
      expect(Result.isFailure(parsed) ? parsed.failure.message : parsed).toMatch(/^Cannot use the address of Redis: /)
      expect(Schema.is(RedisUrl)(text)).toBe(false)
    })
  }

  it("never shows a password that it refuses", () => {
    const parsed = parseRedisUrl("redis://app:hunter2@cache.school/one")
    expect(Result.isFailure(parsed) ? parsed.failure.message : "").not.toContain("hunter2")
  })
})
