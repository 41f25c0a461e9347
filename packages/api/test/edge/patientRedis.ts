import { type LazyRedis, makeLazyRedis } from "@lectern/adapters/redis"
import { Effect, Schedule } from "effect"

type RedisClient = Parameters<Parameters<LazyRedis["use"]>[0]>[0]

/** Does it again where a busy machine let the bounds of a connection pass. */
export const patiently = <A>(run: () => Promise<A>): Effect.Effect<A> =>
  Effect.tryPromise(run).pipe(Effect.retry({ times: 50, schedule: Schedule.spaced("50 millis") }), Effect.orDie)

/** Runs commands on a connection of their own. */
export const withRedis = <A>(url: string, run: (client: RedisClient) => Promise<A>): Effect.Effect<A> =>
  patiently(() => {
    const redis = makeLazyRedis(url)
    return redis.use(run).finally(redis.close)
  })
