/** Redis: the progress mirror and its reader, on a connection that is opened late and never given up. */
export { type LazyRedis, makeLazyRedis, RedisNotConnected } from "./LazyRedis.ts"
export * as ProgressMirrorRedis from "./ProgressMirrorRedis.ts"
export * as ProgressReaderRedis from "./ProgressReaderRedis.ts"
export { RedisConnection } from "./RedisConnection.ts"
export { redisOptions } from "./redisOptions.ts"
export { redisPing } from "./redisPing.ts"
export { makeRedisProgressReader, type ReadStoredProgress, type RedisReaderOptions } from "./redisProgressReader.ts"
export { parseRedisUrl, type RedisTarget, RedisUrl, RedisUrlInvalid } from "./RedisTarget.ts"
