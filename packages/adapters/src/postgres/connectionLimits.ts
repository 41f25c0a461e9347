/**
 * How long a connection is trusted, in milliseconds. INCIDENTS.md, 23 and 24: proxies and firewalls drop connections
 * that are idle without a word, and a write on a dropped one seems to hang.
 */
export const connectionLimits = {
  connect: 5_000,
  /**
   * Closed by us after this time without use; shorter than any proxy's own limit, so that we are never the one
   * surprised.
   */
  idle: 30_000,
  /** A connection is replaced after this time, in use or not: a failover leaves nobody on the old host. */
  lifetime: 900_000,
  /** Idle time before TCP probes begin. */
  keepAlive: 10_000,
  /** One statement, on the server. */
  statement: 15_000,
  /** The wait for a row's lock, on the server. */
  lock: 10_000,
  /** A transaction whose client has gone silent, on the server: it would keep its locks. */
  idleInTransaction: 30_000,
  /** A whole transaction, with the wait for a connection, seen from here: for a server or network that went silent. */
  transaction: 20_000,
  connections: 10
} as const
