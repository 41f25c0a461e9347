import type { MirrorUnavailable } from "@lectern/domain"
import * as Effect from "effect/Effect"
import { RedisConnection } from "./RedisConnection.ts"

const patterns = ["tenant:*:video:*:status", "tenant:*:video:*:progress", "tenant:*:job:*:status", "tenant:*:job:*:progress"]
/** A pattern of Redis has no digits; what somebody else calls `tenant:a:video:b:status` is theirs. */
const ours = /^tenant:[1-9]\d*:(video:[1-9]\d*|job:.{1,64}):(status|progress)$/s
const keysAScan = 500

/**
 * Removes every value of the mirror and nothing else, by SCAN and UNLINK, and answers with the names that it removed. Never
 * FLUSHALL or FLUSHDB: the server may serve others. What is written meanwhile may stay. Each command is bounded by 250 ms.
 */
export const removeMirrorKeys: Effect.Effect<ReadonlyArray<string>, MirrorUnavailable, RedisConnection> = Effect.gen(
  function*() {
    const connection = yield* RedisConnection
    const removed = new Set<string>()
    for (const pattern of patterns) {
      let cursor = "0"
      do {
        const [next, found] = yield* connection.use("look for the mirror's keys", (redis) =>
          redis.scan(cursor, "MATCH", pattern, "COUNT", keysAScan))
        const keys = found.filter((key) => ours.test(key))
        if (keys.length > 0) yield* connection.use("remove the mirror's keys", (redis) => redis.unlink(...keys))
        for (const key of keys) removed.add(key)
        cursor = next
      } while (cursor !== "0")
    }
    return [...removed]
  }
).pipe(Effect.withSpan("RedisConnection.removeMirrorKeys"))

/** How many of these keys there are. */
export const countKeys = (keys: ReadonlyArray<string>): Effect.Effect<number, MirrorUnavailable, RedisConnection> =>
  Effect.gen(function*() {
    const connection = yield* RedisConnection
    let count = 0
    for (let from = 0; from < keys.length; from += keysAScan) {
      const page = keys.slice(from, from + keysAScan)
      count += yield* connection.use("count keys", (redis) => redis.exists(...page))
    }
    return count
  })
