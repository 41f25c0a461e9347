import { type LazyRedis, makeRedisHitCounter } from "@lectern/adapters/redis"
import type { EdgeSettings } from "./EdgeSettings.ts"
import { makeRateLimit, type RateLimit } from "./index.ts"

/** The limit that the settings ask for, counted in Redis; nothing where they ask for none. */
export const edgeRateLimit = (
  { rateLimit: { perTenant, perToken } }: EdgeSettings,
  redis: LazyRedis
): { readonly rateLimit?: RateLimit } =>
  Number.isFinite(perToken) || Number.isFinite(perTenant)
    ? { rateLimit: makeRateLimit({ count: makeRedisHitCounter(redis), perToken, perTenant }) }
    : {}
