import { ProgressReader } from "@lectern/domain"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import { RedisConnection } from "./RedisConnection.ts"
import { makeRedisProgressReader, type RedisReaderOptions } from "./redisProgressReader.ts"

/** The reader on a connection that others use too. */
export const layerWith = (options: RedisReaderOptions = {}): Layer.Layer<ProgressReader, never, RedisConnection> =>
  Layer.effect(
    ProgressReader,
    Effect.map(RedisConnection, (connection) =>
      ProgressReader.of({
        read: Effect.fn("ProgressReader.read")((tenantId, subjects) =>
          connection.use("read progress", (redis) =>
            makeRedisProgressReader({ use: (run) => run(redis) }, options)(tenantId, subjects))
        )
      }))
  )

/** Built without Redis; a read is one round trip and fails within 250 ms (500 ms at the very first). */
export const layer = (
  options: { readonly url: Redacted.Redacted<string> } & RedisReaderOptions
): Layer.Layer<ProgressReader> => Layer.provide(layerWith(options), RedisConnection.layer(options))
