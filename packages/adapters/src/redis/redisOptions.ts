import type { RedisOptions } from "ioredis"

/** Milliseconds within which a command is answered or fails. */
export const commandTimeoutMillis = 250

/** Milliseconds for which the first use waits for the connection; later uses never wait for one. */
export const firstConnectMillis = 250

/**
 * Bounded against a Redis that hangs, dies or comes back: a command fails within {@link commandTimeoutMillis}; after 500 ms of
 * silence the socket is dropped and every command fails at once until a reconnect succeeds; reconnecting never ends.
 *
 * There is no offline queue and no resending: a command that has failed for its caller is never sent afterwards over newer data
 * (INCIDENTS.md, 9). `socketTimeout` also empties the list of commands that wait for an answer; with `commandTimeout` alone
 * they stay in memory for as long as Redis hangs.
 */
export const redisOptions = {
  lazyConnect: true,
  connectTimeout: 1000,
  // By default a connection that is no more keeps the process for 2 s, and one that hangs is begun again after as long.
  disconnectTimeout: 50,
  commandTimeout: commandTimeoutMillis,
  socketTimeout: 500,
  maxRetriesPerRequest: 0,
  enableOfflineQueue: false,
  autoResendUnfulfilledCommands: false,
  enableReadyCheck: false,
  retryStrategy: (attempt: number): number => Math.min(50 * attempt, 500)
} as const satisfies RedisOptions
