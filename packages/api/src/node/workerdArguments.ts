import { parseRedisUrl, type RedisUrlInvalid } from "@lectern/adapters/redis"
import * as Result from "effect/Result"
import type { WorkerdSettings } from "../edge/WorkerdSettings.ts"
import { hostAndPort } from "./hostAndPort.ts"

/** The worker's only way out. Over TLS it is a network: workerd has no way to one address that the worker encrypts by itself. */
const wayOut = ({ edge, mirror }: WorkerdSettings): Result.Result<ReadonlyArray<string>, RedisUrlInvalid> => {
  if (mirror._tag === "Rest") {
    const { host, protocol } = new URL(mirror.url)
    return Result.succeed(protocol === "https:" ? ["tls"] : ["rest", `--external-addr=rest=${host}`])
  }
  return Result.map(parseRedisUrl(edge.redisUrl), (redis) =>
    redis.tls ? ["tls"] : ["redis", `--external-addr=redis=${hostAndPort(redis)}`])
}

/** How the edge is run on workerd with the configuration `file` (`workerd.capnp`). It tells its port on the standard output. */
export const workerdArguments = (
  settings: WorkerdSettings,
  file: string
): Result.Result<ReadonlyArray<string>, RedisUrlInvalid> =>
  Result.map(wayOut(settings), ([name = "", ...options]) => [
    "serve",
    file,
    name,
    `--socket-addr=http=${hostAndPort(settings.edge)}`,
    ...options,
    "--control-fd=1"
  ])
