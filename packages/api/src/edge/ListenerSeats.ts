import type { TenantId } from "@lectern/domain"

/** Streams of events that are open at once in this process. */
export interface ListenerLimits {
  readonly perToken: number
  readonly perTenant: number
  readonly perProcess: number
}

export const defaultListenerLimits: ListenerLimits = { perToken: 100, perTenant: 5_000, perProcess: 20_000 }

/** Why there is no seat: the process has none left, or the caller holds as many as anybody may. */
export type NoSeat = "ProcessFull" | "CallerFull"

export interface ListenerSeats {
  /** Why there is no seat for somebody; `null` where there is one. */
  readonly refusal: (tenantId: TenantId, token: string) => NoSeat | null
  /** Takes a seat. Returns what gives it back, which is to be called once. */
  readonly take: (tenantId: TenantId, token: string) => () => void
  readonly taken: () => number
}

const add = (counts: Map<string, number>, key: string, change: 1 | -1): void => {
  const count = (counts.get(key) ?? 0) + change
  if (count === 0) counts.delete(key)
  else counts.set(key, count)
}

/** Counts who listens. `token` tells tokens of a tenant apart. */
export const makeListenerSeats = ({ perProcess, perTenant, perToken }: ListenerLimits): ListenerSeats => {
  /** By tenants, and by tokens behind their tenants. */
  const counts = new Map<string, number>()
  let count = 0

  const keysOf = (tenantId: TenantId, token: string): readonly [string, string] => [`${tenantId}`, `${tenantId}:${token}`]

  const change = (tenantId: TenantId, token: string, by: 1 | -1): void => {
    count += by
    for (const key of keysOf(tenantId, token)) add(counts, key, by)
  }

  return {
    refusal: (tenantId, token) => {
      const [ofTenant, ofToken] = keysOf(tenantId, token)
      if ((counts.get(ofTenant) ?? 0) >= perTenant || (counts.get(ofToken) ?? 0) >= perToken) return "CallerFull"
      return count >= perProcess ? "ProcessFull" : null
    },
    take: (tenantId, token) => {
      change(tenantId, token, 1)
      return () => change(tenantId, token, -1)
    },
    taken: () => count
  }
}
