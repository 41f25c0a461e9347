import { makeLazyRedis, makeRedisHitCounter, makeRedisProgressChanges, makeRedisProgressReader } from "@lectern/adapters/redis"
import type { EdgeMirror } from "./EdgeMirror.ts"

/** The mirror over TCP: one connection for everything, and a second for news once somebody listens. */
export const redisMirror = (url: string): EdgeMirror => {
  const redis = makeLazyRedis(url)
  return {
    read: makeRedisProgressReader(redis),
    count: makeRedisHitCounter(redis),
    changes: makeRedisProgressChanges(url),
    close: redis.close
  }
}
