import { readEnvironment, serviceVariables } from "@lectern/adapters/environment"
import { parseRedisUrl, RedisConnection, RedisNotConnected } from "@lectern/adapters/redis"
import { type MirrorUnavailable, newUuid } from "@lectern/domain"
import { Effect, Redacted, Result, Schedule } from "effect"
import { causeChain, placeOf, quote } from "./causeChain.ts"
import { type CheckOutcome, failure, misconfigured, pass, unrecognised, unset } from "./CheckOutcome.ts"
import { networkFault } from "./networkFault.ts"
import { words } from "./Words.ts"

const canarySeconds = 30
/** The first connection may be slow over TLS; a worker would have gone on without Redis by then. */
const patience = { times: 10, schedule: Schedule.spaced("200 millis") }

const isConnecting = (error: MirrorUnavailable): boolean =>
  error.cause instanceof RedisNotConnected && error.cause.cause === undefined

const MemoryLines = /^(maxmemory|maxmemory_policy):(.*?)\r?$/gm

/** From INFO, because managed Redis refuses CONFIG. */
const memoryOf = (info: string): { readonly policy: string; readonly limited: boolean } => {
  const found = new Map([...info.matchAll(MemoryLines)].map(([, name, value]) => [name, value ?? ""]))
  return { policy: found.get("maxmemory_policy") ?? "unknown", limited: found.get("maxmemory") !== "0" }
}

const warningOf = ({ limited, policy }: { readonly policy: string; readonly limited: boolean }) =>
  policy !== "noeviction"
    ? null
    : limited
    ? words(
      "메모리 정책이 noeviction 입니다: 가득 차면 PING 에는 응답하면서 모든 쓰기를 거부하므로, volatile-ttl 을 권합니다",
      "the memory policy is noeviction: once full, Redis answers PING and refuses every write; "
        + "volatile-ttl drops the oldest copies instead"
    )
    : words(
      "메모리 정책이 noeviction 이고 maxmemory 가 없습니다: 서버의 메모리가 다하면 프로세스가 종료되므로, maxmemory 와 volatile-ttl 을 권합니다",
      "the memory policy is noeviction without maxmemory: Redis grows until its machine kills it; set maxmemory and volatile-ttl"
    )

const expected = (command: string, answer: unknown): CheckOutcome =>
  failure(
    words(`Redis 가 ${command} 에 ${String(answer)} (으)로 답했습니다`, `Redis answered ${String(answer)} to ${command}`),
    words("REDIS_URL 앞의 프록시가 명령을 바꾸지 않는지 확인하세요", "check that no proxy before Redis changes commands")
  )

const explain = (error: MirrorUnavailable, url: string): CheckOutcome => {
  const said = causeChain(error.cause).join(" | ")
  if (/WRONGPASS|NOAUTH|invalid password|invalid username|AUTH/.test(said)) {
    return failure(
      words("Redis 가 사용자 또는 비밀번호를 거부했습니다", "Redis refused the user or the password"),
      words("REDIS_URL 의 사용자와 비밀번호를 Redis 의 ACL 과 맞추세요", "make the user and password of REDIS_URL those of Redis's ACL")
    )
  }
  if (/NOPERM/.test(said)) {
    return failure(
      words(
        "Redis 사용자에게 SET, GET, TTL, DEL, INFO 중 하나의 권한이 없습니다",
        "the Redis user may not run one of SET, GET, TTL, DEL and INFO"
      ),
      words(
        "ACL 에 해당 명령과 키 tenant:*, lectern:* 의 권한을 주세요",
        "grant these commands and the keys tenant:* and lectern:* in the ACL"
      )
    )
  }
  if (/OOM|EXECABORT/.test(said)) {
    return failure(
      words("Redis 의 메모리가 가득 차서 쓰기를 거부합니다", "Redis is full and refuses writes"),
      words(
        "maxmemory 를 늘리거나 maxmemory-policy 를 volatile-ttl 로 바꾸세요",
        "raise maxmemory or set maxmemory-policy to volatile-ttl"
      )
    )
  }
  if (/READONLY/.test(said)) {
    return failure(
      words("REDIS_URL 이 읽기 전용 복제본을 가리킵니다", "REDIS_URL leads to a read-only replica"),
      words("REDIS_URL 을 기본 엔드포인트(primary)로 바꾸세요", "set REDIS_URL to the primary's endpoint")
    )
  }
  if (/MISCONF|LOADING/.test(said)) {
    return failure(
      words("Redis 가 지금은 쓰기를 받지 않습니다 (LOADING 또는 MISCONF)", "Redis takes no writes now (LOADING or MISCONF)"),
      words("Redis 의 로그에서 적재 상태와 디스크 오류를 확인하세요", "look in Redis's log for its loading state or a disk fault")
    )
  }
  return networkFault(said, { service: "Redis", place: placeOf(url), variable: "REDIS_URL" })
    // Nothing was said at all: the connection was never answered.
    ?? (isConnecting(error) ? networkFault("timed out", { service: "Redis", place: placeOf(url), variable: "REDIS_URL" }) : null)
    ?? unrecognised(words("Redis 를 사용할 수 없습니다", "Redis cannot be used"), quote(error.cause, [url]))
}

/** SET, GET, TTL and DEL of a key of its own, as the workers' connection does them, and the memory policy. */
export const redisCheck = (
  variables: Readonly<Record<string, string | undefined>>,
  local: boolean
): Effect.Effect<CheckOutcome> =>
  Effect.gen(function*() {
    const { REDIS_URL: url } = yield* readEnvironment({ REDIS_URL: serviceVariables.REDIS_URL }, variables)
    if (url === undefined) return unset("REDIS_URL", local)
    const parsed = parseRedisUrl(url)
    if (Result.isFailure(parsed)) return misconfigured([`REDIS_URL: ${parsed.failure.reason}`])
    return yield* Effect.gen(function*() {
      const redis = yield* RedisConnection
      const value = yield* newUuid
      const key = `lectern:readiness:${value}`
      const set = yield* Effect.retry(
        redis.use("SET", (client) => client.set(key, value, "EX", canarySeconds)),
        { ...patience, while: isConnecting }
      )
      if (set !== "OK") return expected("SET", set)
      const got = yield* redis.use("GET", (client) => client.get(key))
      if (got !== value) return expected("GET", got === null ? "nothing" : "another value")
      const seconds = yield* redis.use("TTL", (client) => client.ttl(key))
      if (seconds <= 0 || seconds > canarySeconds) return expected("TTL", seconds)
      const removed = yield* redis.use("DEL", (client) => client.del(key))
      if (removed !== 1) return expected("DEL", removed)
      const memory = memoryOf(yield* redis.use("INFO memory", (client) => client.info("memory")))
      return pass(
        words(
          `SET, GET, TTL, DEL 확인, 메모리 정책 ${memory.policy}`,
          `SET, GET, TTL and DEL work; the memory policy is ${memory.policy}`
        ),
        warningOf(memory)
      )
    }).pipe(
      Effect.catchTag("MirrorUnavailable", (error) => Effect.succeed(explain(error, url))),
      Effect.provide(RedisConnection.layer({ url: Redacted.make(url) }))
    )
  }).pipe(Effect.catchTag("BadConfiguration", (error) => Effect.succeed(misconfigured(error.faults))))
