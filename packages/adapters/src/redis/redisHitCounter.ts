import type { LazyRedis } from "./LazyRedis.ts"

/** One counter and what is to be added to it. */
export interface Hits {
  readonly key: string
  readonly count: number
}

/**
 * Adds to counters in Redis and returns their totals, in order, in one round trip. A counter goes so many seconds after the last that
 * was added to it. Rejects within 250 ms (500 ms at the very first use); what was added by then stays.
 */
export const makeRedisHitCounter = (redis: Pick<LazyRedis, "use">) =>
(hits: ReadonlyArray<Hits>, expireSeconds: number): Promise<ReadonlyArray<number>> =>
  redis.use(async (client) => {
    const pipeline = client.pipeline()
    for (const { count, key } of hits) pipeline.incrby(key, count).expire(key, expireSeconds)
    const replies = await pipeline.exec() ?? []
    return hits.map((_, index) => {
      const [fault, total] = replies[2 * index] ?? []
      if (typeof total === "number") return total
      throw fault ?? new Error(`Cannot count requests: Redis answered ${String(total)}`)
    })
  })
