import type { TenantId } from "@lectern/domain"
import { tokenName } from "./tokenName.ts"

/** Adds to counters that all processes share, and returns their totals, in order. Rejects where they are away. */
export type CountHits = (
  hits: ReadonlyArray<{ readonly key: string; readonly count: number }>,
  expireSeconds: number
) => Promise<ReadonlyArray<number>>

export interface RateLimitOptions {
  readonly count: CountHits
  /** Requests of one token in ten seconds, of all processes together. */
  readonly perToken: number
  /** Requests of all tokens of one tenant in ten seconds. */
  readonly perTenant: number
  /** Milliseconds since 1970; the machine's clock by default. */
  readonly now?: () => number
  /** Runs a task once after so many milliseconds; the runtime's timer by default. */
  readonly after?: (millis: number, task: () => void) => void
}

/** Seconds to wait, or `null` for a request that may pass. At once: no request waits for a counter. */
export type RateLimit = (tenantId: TenantId, authorization: string, cost: number) => number | null

export const windowMillis = 10_000

/** Milliseconds between two exchanges with the shared counters, while there are requests. */
export const exchangeMillis = 1_000

/** Counters of one process: who comes when there are more is counted for the tenant alone. */
const maxCounters = 20_000

interface Counter {
  readonly key: string
  /** Requests that passed here. */
  own: number
  /** Of these, not told yet. */
  untold: number
  /** Requests that passed in other processes, as of the last exchange. */
  others: number
}

/** Of one tenant: a poll finds its counters without making a key. */
interface TenantCounters {
  readonly all: Counter
  readonly byToken: Map<string, Counter>
}

const makeCounter = (key: string): Counter => ({ key, own: 0, untold: 0, others: 0 })

/**
 * A limit per token and per tenant over fixed windows of ten seconds. Each process counts by itself and exchanges its counts with the
 * others once a second through the shared counters, so that a poll costs no round trip more: a process sees at once what passes
 * through itself, and within a second what passes through others. What was refused is not counted.
 *
 * Open where in doubt: while the shared counters are away nobody is refused.
 */
export const makeRateLimit = (options: RateLimitOptions): RateLimit => {
  const { count, perTenant, perToken } = options
  const now = options.now ?? Date.now
  const after = options.after ?? ((millis, task) => void setTimeout(task, millis))
  let tenants = new Map<TenantId, TenantCounters>()
  /** All of this window. */
  let counters: Array<Counter> = []
  let window = -1
  let isBlind = false
  let isExchanging = false

  const exchange = async (): Promise<void> => {
    const touched = counters.filter(({ untold }) => untold > 0)
    const hits = touched.map((counter) => {
      const { key, untold } = counter
      counter.untold = 0
      return { key: `limit:${window}:${key}`, count: untold }
    })
    const told = touched.map(({ own }) => own)
    try {
      const totals = await count(hits, 2 * windowMillis / 1_000)
      for (const [index, counter] of touched.entries()) {
        counter.others = Math.max(0, (totals[index] ?? 0) - (told[index] ?? 0))
      }
      isBlind = false
    } catch {
      isBlind = true
    }
    isExchanging = false
  }

  const tenantOf = (tenantId: TenantId): TenantCounters => {
    const known = tenants.get(tenantId)
    if (known !== undefined) return known
    const opened = { all: makeCounter(`tenant:${tenantId}`), byToken: new Map<string, Counter>() }
    tenants.set(tenantId, opened)
    counters.push(opened.all)
    return opened
  }

  const tokenOf = ({ all, byToken }: TenantCounters, authorization: string): Counter | null => {
    const name = tokenName(authorization)
    const known = byToken.get(name)
    if (known !== undefined) return known
    if (counters.length >= maxCounters) return null
    const counter = makeCounter(`${all.key}:token:${name}`)
    byToken.set(name, counter)
    counters.push(counter)
    return counter
  }

  const isOver = (counter: Counter, limit: number, cost: number): boolean => counter.own + counter.others + cost > limit

  const pass = (counter: Counter, cost: number): void => {
    counter.own += cost
    counter.untold += cost
  }

  return (tenantId, authorization, cost) => {
    const at = now()
    const current = Math.floor(at / windowMillis)
    if (current !== window) {
      window = current
      tenants = new Map()
      counters = []
    }
    const tenant = tenantOf(tenantId)
    const token = tokenOf(tenant, authorization)
    if (!isBlind && (isOver(tenant.all, perTenant, cost) || (token !== null && isOver(token, perToken, cost)))) {
      return Math.ceil(((current + 1) * windowMillis - at) / 1_000)
    }
    pass(tenant.all, cost)
    if (token !== null) pass(token, cost)
    if (!isExchanging) {
      isExchanging = true
      after(exchangeMillis, () => void exchange())
    }
    return null
  }
}
