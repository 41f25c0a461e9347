import { MirrorUnavailable } from "@lectern/domain"
import * as Effect from "effect/Effect"
import type { Redis } from "ioredis"
import { RedisConnection } from "./RedisConnection.ts"

const operation = "write to the progress mirror"
const canaryKey = "lectern:canary"
const canarySeconds = 10

/** One transaction, so that two processes that check at once do not see each other's canary. */
const writeCanary = async (redis: Redis): Promise<ReadonlyArray<unknown>> => {
  const replies = await redis.multi().set(canaryKey, "1", "EX", canarySeconds).ttl(canaryKey).del(canaryKey).exec()
  return (replies ?? []).map(([fault, reply]) => {
    if (fault !== null) throw fault
    return reply
  })
}

/**
 * For readiness: succeeds only if a key can really be written, expires, and can be removed. A full Redis, a replica and a
 * server that is still loading all answer PING (INCIDENTS.md, 8). Fails within 250 ms, 500 ms at the very first use.
 */
export const redisPing: Effect.Effect<void, MirrorUnavailable, RedisConnection> = Effect.gen(function*() {
  const connection = yield* RedisConnection
  const [stored, seconds, removed] = yield* connection.use(operation, writeCanary)
  if (stored !== "OK" || typeof seconds !== "number" || seconds <= 0 || removed !== 1) {
    return yield* new MirrorUnavailable({
      operation,
      cause: new Error(`Cannot trust Redis: SET answered ${String(stored)}, TTL ${String(seconds)}, DEL ${String(removed)}`)
    })
  }
}).pipe(Effect.withSpan("RedisConnection.ping"))
