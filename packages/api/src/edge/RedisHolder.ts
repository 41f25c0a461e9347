import type { StoredProgress, Subject, TenantId } from "@lectern/domain"
import { makeLazyRedis, makeRedisProgressReader } from "@lectern/adapters/redis"
import { DurableObject, type DurableObjectState, env } from "cloudflare:workers"
import type { ReadProgress } from "./SharedReader.ts"

/** What a {@link RedisHolder} answers. A failure is a value: only plain data crosses a call as it was. */
export type HeldRead =
  | { readonly _tag: "Read"; readonly stored: ReadonlyArray<StoredProgress> }
  | { readonly _tag: "Unreadable"; readonly message: string }

/** What can be asked of a {@link RedisHolder}, and nothing besides: it runs no other command. */
export interface RedisHolderCalls {
  /** One round trip to Redis, within 250 ms, 500 ms at the very first call. */
  readonly read: (tenantId: TenantId, subjects: ReadonlyArray<Subject>) => Promise<HeldRead>
}

/**
 * Holds the connection to Redis on workerd, which forbids one request to use what another has opened: a Durable Object has a life of its
 * own, and its connection lasts as long (docs/decisions/0006-edge-runtimes.md).
 */
export class RedisHolder extends DurableObject implements RedisHolderCalls {
  readonly #read: ReadProgress

  constructor(state: DurableObjectState, bindings: unknown) {
    super(state, bindings)
    const url = env["REDIS_URL"]
    this.#read = makeRedisProgressReader(makeLazyRedis(typeof url === "string" ? url : ""))
  }

  async read(tenantId: TenantId, subjects: ReadonlyArray<Subject>): Promise<HeldRead> {
    try {
      return { _tag: "Read", stored: await this.#read(tenantId, subjects) }
    } catch (fault) {
      return { _tag: "Unreadable", message: fault instanceof Error ? fault.message : String(fault) }
    }
  }
}
