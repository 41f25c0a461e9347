import { MirrorUnavailable } from "@lectern/domain"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import type { Redis } from "ioredis"
import { makeLazyRedis } from "./LazyRedis.ts"

/**
 * The one connection of a process to Redis. Building it opens nothing and cannot fail, so that no process needs Redis to start,
 * and none gives it up (INCIDENTS.md, 7).
 */
export class RedisConnection extends Context.Service<RedisConnection, {
  /**
   * Runs commands; `operation` completes "Cannot ..." in the failure. Interruptible at any time. The first use takes up
   * to 250 ms more than the commands, which take up to 250 ms each.
   */
  readonly use: <A>(operation: string, run: (redis: Redis) => Promise<A>) => Effect.Effect<A, MirrorUnavailable>
}>()("@lectern/adapters/RedisConnection") {
  /** An address that is none makes every use fail, and nothing else: check it with `RedisUrl` where the process is configured. */
  static readonly layer = (
    options: {
      readonly url: Redacted.Redacted<string>
      /** Begins to connect when it is built, without waiting: for a program that is about to write. */
      readonly eager?: boolean
    }
  ): Layer.Layer<RedisConnection> =>
    Layer.effect(
      RedisConnection,
      Effect.map(
        Effect.acquireRelease(
          Effect.sync(() => {
            const redis = makeLazyRedis(Redacted.value(options.url))
            if (options.eager === true) redis.start()
            return redis
          }),
          (redis) => Effect.sync(redis.close)
        ),
        (redis) =>
          RedisConnection.of({
            use: (operation, run) =>
              Effect.tryPromise({
                try: () => redis.use(run),
                catch: (cause) => new MirrorUnavailable({ operation, cause })
              })
          })
      )
    )
}
